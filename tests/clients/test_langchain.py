"""LangChain's models of three vendors, in an ordinary program run by `dolphin-logger run --`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.books import check_native, compare
from tests.clients.stage import CLIENTS, stage
from tests.support.scripted.chat import Chat
from tests.support.scripted.gemini import Gemini
from tests.support.scripted.messages import Messages
from tests.support.scripted.model import Call, Say, Speech, Think, step

PYTHON = CLIENTS / "venvs" / "langchain" / "bin" / "python"
PROGRAM = Path(__file__).with_name("langchain_play.py")
KEY = "key-of-the-program-12de"
VENDORS: dict[str, tuple[Speech, str, str]] = {
    "openai": (Chat(), "/v1", "OPENAI_API_KEY"),
    "anthropic": (Messages(), "", "ANTHROPIC_API_KEY"),
    "google": (Gemini(), "/v1beta/openai", "GOOGLE_API_KEY"),
}
SCRIPT = {
    "TASK-MAIN": [
        step(Think("A sum."), Say("I add."), Call("add", {"first": 20, "second": 22})),
        step(Say("It is 42, wörld.")),
    ]
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_program_is_recorded_whole(vendor: str, tmp_path: Path) -> None:
    """A tool call asked for plainly and an answer streamed: two whole records, nothing set by hand."""
    speech, path, key = VENDORS[vendor]
    entry: dict[str, Any] = {"provider": vendor}
    with stage(tmp_path, speech, SCRIPT, entry=entry, path=path) as play:
        play.keys.append(KEY)
        done = play.run("--", str(PYTHON), str(PROGRAM), vendor, **{key: KEY}).check()
        pairs = compare(play)
    answer = json.loads(done.output)
    assert [(call["name"], call["args"]) for call in answer["calls"]] == [
        ("add", {"first": 20, "second": 22})
    ]
    assert answer["text"] == "It is 42, wörld."
    check_native(pairs)
    assert [(pair.said.step, pair.record["stream"]) for pair in pairs] == [(0, False), (1, True)]
    assert "42" in pairs[1].said.asked.results[0]
    assert len({pair.record["client"]["tags"]["run"] for pair in pairs}) == 1
