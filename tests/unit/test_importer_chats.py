"""What chat programs export, and what gateways and databases log."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

import pytest
from tests.support import session_databases
from tests.support import session_files as sessions
from tests.support.imported import text

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.importers import IMPORTERS, _elements
from dolphin_logger.importers._api import Content, Turn, Unknown
from dolphin_logger.messages import File, Reasoning


def turns(source: str, data: bytes, path: str = "export.json") -> dict[str, Turn]:
    """Decode an export; give the turns by their names."""
    found = list(IMPORTERS[source].read(Content(data, PurePath(path), 1)))
    assert all(isinstance(item, Turn) for item in found), found
    return {item.line: item for item in found if isinstance(item, Turn)}


def words(turn: Turn) -> tuple[list[str], str]:
    """Give the new texts and the text of the answer."""
    dialect = DIALECTS[turn.dialect]
    asked = [text(message) for message in dialect.read_request(turn.request).messages]
    (choice,) = dialect.read_response(turn.response or {}).choices
    return asked, text(choice.message)


def test_chatgpt_keeps_both_answers_and_the_thought() -> None:
    """An answer that was asked for again is a branch; the thought in front of one belongs to it."""
    found = turns("chatgpt", json.dumps(sessions.chatgpt()).encode())
    assert words(found["n3"]) == (["Which colour?"], "Teal.")
    assert words(found["n4"]) == (["Which colour?"], "It is teal.")
    (choice,) = DIALECTS["openai.chat"].read_response(found["n3"].response or {}).choices
    assert [part.text for part in choice.message.parts if isinstance(part, Reasoning)] == [
        "Hm\nWhich?"
    ]
    assert (found["n3"].model, found["n3"].client.session) == ("gpt-test", "conv-1")


def test_claude_keeps_branches_and_attached_texts() -> None:
    """Two answers to one question are two branches; the text of a file comes with the question."""
    found = turns("claude", json.dumps(sessions.claude_export()).encode())
    assert words(found["a2"]) == (["Which colour?"], "Teal.")
    assert words(found["a3"]) == (["Which colour?"], "It is teal.")
    (message,) = DIALECTS["anthropic.messages"].read_request(found["a2"].request).messages
    assert [part.name for part in message.parts if isinstance(part, File)] == ["notes.txt"]


def test_open_webui_keeps_branches_thoughts_and_ratings() -> None:
    """A branch per answer; the thought apart from the text; the thumb as a tag; the system text in front."""
    found = turns("open-webui", json.dumps(sessions.open_webui()).encode())
    assert words(found["w2"]) == (["Be brief.", "Which colour?"], "Teal.")
    assert words(found["w3"])[1] == "It is teal."
    assert (words(found["w5"]), found["w5"].after) == ((["Sure?"], "Sure."), "w2")
    assert found["w2"].client.tags == {"rating": "1"}


def test_opencode_names_parents(tmp_path: Path) -> None:
    """A sub-agent's session names its parent; results follow their calls."""
    found = turns("opencode", session_databases.opencode(tmp_path), "opencode.db")
    assert words(found["m2"]) == (["Read the notes."], "I read.")
    assert found["m3"].after == "m2"
    assert found["m3"].request["messages"][0]["content"][0]["tool_use_id"] == "c1"
    assert (found["m5"].client.session, found["m5"].client.parent) == ("s2", "s1")


def test_opencode_reads_the_write_ahead_log(tmp_path: Path) -> None:
    """What lies only in the log beside the database is read too."""
    import sqlite3

    session_databases.opencode(tmp_path)
    path = tmp_path / "opencode.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    row = ("m6", "s1", 9, json.dumps({"role": "assistant", "time": {"completed": 1}}))
    database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", row)
    part = ("m6p", "m6", "s1", json.dumps({"type": "text", "text": "Late."}))
    database.execute("INSERT INTO part VALUES (?, ?, ?, ?)", part)
    database.commit()
    log = path.with_name("opencode.db-wal").read_bytes()
    content = Content(path.read_bytes(), PurePath("opencode.db"), 1, log=log)
    database.close()
    found = [item for item in IMPORTERS["opencode"].read(content) if isinstance(item, Turn)]
    assert "Late." in [words(turn)[1] for turn in found]


def test_llm_reads_both_kinds_of_tables(tmp_path: Path) -> None:
    """Old rows and new trees become turns; a text that borrows from a fragment is whole."""
    found = turns("llm", session_databases.llm(tmp_path), "logs.db")
    assert words(found["r1"]) == (["Be brief.", "Which?"], "Teal.")
    assert (words(found["r2"]), found["r2"].after) == ((["Sure?"], "Sure."), "r1")
    assert words(found["t1"]) == (["Given: the colour is teal"], "Noted.")
    assert (words(found["t2"]), found["t2"].after) == ((["Which?"], "It is teal."), "t1")


def test_gateways_name_the_language_by_the_bodies() -> None:
    """A call is in the wire language that its bodies have the shape of; parameters stay in the request."""
    (lite,) = turns("litellm", sessions.jsonl(sessions.litellm()), "x.jsonl").values()
    assert (lite.dialect, lite.request["temperature"], lite.session) == (
        "openai.chat",
        0.5,
        "trace-1",
    )
    (heli,) = turns("helicone", sessions.jsonl(sessions.helicone()), "x.jsonl").values()
    assert (heli.dialect, heli.client.session) == ("anthropic.messages", "s1")


@pytest.mark.parametrize("source", ["chatgpt", "claude", "open-webui"])
def test_a_large_export_is_read_element_by_element(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit the array is cut at its elements, and gives the same turns."""
    made: dict[str, list[Any]] = {
        "chatgpt": sessions.chatgpt(),
        "claude": sessions.claude_export(),
        "open-webui": sessions.open_webui(),
    }
    data = json.dumps([*made[source], {"[": 'a "]" }{'}, *made[source]], indent=1).encode()
    whole = list(IMPORTERS[source].read(Content(data, PurePath("x.json"), 1)))
    monkeypatch.setattr(_elements, "WHOLE_LIMIT", 10)
    cut = list(IMPORTERS[source].read(Content(data, PurePath("x.json"), 1)))
    assert cut == whole
    assert sum(isinstance(item, Unknown) for item in cut) == 1
