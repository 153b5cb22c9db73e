"""What real clients wrote to disk is what went over the wire: each turn, with its whole history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.messages import Message, Text, ToolCall
from tests.clients import test_claude_code as claude
from tests.clients import test_codex as codex
from tests.clients import test_gemini_cli as gemini
from tests.clients import test_opencode as opencode
from tests.clients.stage import KEYED, Stage, stage
from tests.support.imported import history, records
from tests.support.scripted.chat import Chat
from tests.support.scripted.gemini import Gemini
from tests.support.scripted.messages import Messages
from tests.support.scripted.responses import Responses

Plays = dict[str, tuple[Any, Callable[[Path], Any], Callable[[Stage], Any], dict[str, Any]]]
PLAYS: Plays = {
    "claude-code": (
        Messages(),
        claude.script,
        claude.ask,
        {"entry": {"provider": "anthropic"}, "path": ""},
    ),
    "codex": (
        Responses(),
        lambda _: codex.script(),
        codex.ask_listed,
        {"entry": {"provider": "openai"}},
    ),
    "gemini-cli": (Gemini(), gemini.script, gemini.ask, gemini.GOOGLE),
    "opencode": (Chat(), opencode.script, opencode.ask, {"entry": KEYED}),
}
ADDED = ("<system-reminder>",)  # Claude Code adds these on the wire only
TITLES = "Words and colours"  # opencode keeps what it asks for a title nowhere


def _said(messages: list[Message]) -> list[str]:
    """Give texts and calls, without what the client adds to them on the wire."""
    found = []
    for message in messages:
        for part in message.parts if message.role not in ("system", "developer") else ():
            if isinstance(part, Text) and not part.text.startswith(ADDED):
                found.append(part.text)
            elif isinstance(part, ToolCall):
                found.append(f"{part.name} {json.dumps(part.arguments, sort_keys=True)}")
    return found


def _on_wire(record: dict[str, Any]) -> list[str]:
    dialect = DIALECTS[record["dialect"]]
    answers = dialect.read_response(record["response"]).choices
    asked = dialect.read_request(record["request"]).messages
    return _said([*asked, *(choice.message for choice in answers)])


@pytest.mark.parametrize("name", PLAYS)
def test_disk_and_wire_tell_the_same(name: str, tmp_path: Path) -> None:
    """Each completed exchange has its turn in the client's own files, with the same history."""
    speech, script, ask, more = PLAYS[name]
    with stage(tmp_path, speech, script(tmp_path / "work"), **more) as play:
        ask(play).check()
        wire = [
            one
            for one in play.proxy.records()
            if one["outcome"] == "completed" and one["status"] == 200
        ]
        home = play.proxy.home
        environ = play.environ()
    then = tmp_path.stat().st_mtime - 3600
    for path in (tmp_path / "user").rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))
    command = [sys.executable, "-m", "dolphin_logger", "import", "--all", "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, check=True)
    assert json.loads(done.stdout)["unknown"] == {}
    found = records(home)
    by_id = {fields["id"]: fields for fields in found}
    kept = sorted(_said(history(fields, by_id)) for fields in found)
    assert kept == sorted(said for one in wire if TITLES not in (said := _on_wire(one)))
    sessions = {one["client"]["session"] for one in wire}
    if name != "gemini-cli":  # which sends no session
        assert {fields["client"]["session"] for fields in found} == sessions
    if name in ("claude-code", "codex"):
        assert {fields["response"]["id"] for fields in found} == {
            one["response"]["id"] for one in wire
        }
        listing = [sys.executable, "-m", "dolphin_logger", "ls", "--json"]
        listed = subprocess.run(listing, env=environ, capture_output=True, check=True)
        conversations = json.loads(listed.stdout)["conversations"]
        assert [one["session"] for one in conversations] == list(sessions)
