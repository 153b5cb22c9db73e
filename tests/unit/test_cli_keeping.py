"""The commands that label, remove, seal and back up, as a person, a pipe and an agent use them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.support.homes import line, write_segment
from tests.support.proxy import wait_for

from dolphin_logger import cli
from dolphin_logger.cli.message import text_of_message
from dolphin_logger.cli.upkeep import Upkeep
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter, read_labels
from dolphin_logger.journal.reader import StoredRecord, read_home, segments
from dolphin_logger.journal.removal import hide
from dolphin_logger.journal.tombstones import Removals


@pytest.fixture
def home() -> Home:
    """The user's home, with two records."""
    made = Home(Path(os.environ["DOLPHIN_LOGGER_HOME"]))
    write_segment(made, 1, line(1), line(2))
    made.config.write_text('{"models": []}')
    made.config.chmod(0o600)
    return made


def run(*arguments: str, code: int = 0, given: str | None = None) -> Result:
    """Run a command."""
    result = CliRunner().invoke(cli.main, arguments, input=given)
    assert result.exit_code == code, result.output
    return result


def ids(home: Home) -> list[str]:
    """The ids of what a reader sees."""
    return [item.id for item in read_home(home) if isinstance(item, StoredRecord)]


def test_labels_from_the_command_line(home: Home) -> None:
    """Each command writes one label and prints its id, with which `undo` takes it back."""
    record, other = ids(home)
    short = record[-8:]
    run("rate", short, "3")
    run("rate", short, "good")
    run("rate", short, "bad", "--message", "0")
    run("tag", short, "+a", "b", "c")
    run("tag", short, "-b", "+d")
    run("note", short, "-", given="two\nlines")
    run("edit", short, "--message", "0", "--text", "better")
    run("keep", short)
    run("drop", record)
    run("redact", short, "--text", "question")
    run("redact", short, "--message", "0", "--start", "1", "--end", "3")
    marks = read_labels(home).marks(record)
    assert (marks.rating, marks.tags, marks.note) == (5, ("a", "c", "d"), "two\nlines")
    assert (marks.verdict, marks.redactions) == ("drop", ({"text": "question"},))
    part = read_labels(home).marks(record, message=0)
    assert (part.rating, part.edit) == (1, {"text": "better"})
    said = json.loads(run("keep", short, "--json").stdout)
    assert said["schema_version"] == 1
    assert said["label"]["target"] == {"record": record}
    assert said["label"]["kind"] == "keep"
    assert read_labels(home).marks(record).verdict == "keep"
    printed = run("undo", said["label"]["id"][-8:]).stdout
    assert read_labels(home).marks(record).verdict == "drop"
    run("undo", printed.rpartition("label ")[2].strip(")\n"))
    assert read_labels(home).marks(record).verdict == "keep"
    assert read_labels(home).in_force(other) == []


def test_one_answer_is_preferred_over_another(home: Home) -> None:
    """`prefer` takes two records by any of their names, and writes whole ids; never one over itself."""
    better, worse = ids(home)
    said = json.loads(run("prefer", better[-8:], "--over", worse[-8:], "--json").stdout)["label"]
    assert (said["target"], said["kind"]) == ({"record": better}, "prefer")
    assert said["value"] == {"over": worse}
    assert read_labels(home).marks(better).preferred_over == (worse,)
    assert f"preferred over {worse[-8:]}" in run("show", better).stdout
    run("undo", said["id"])
    run("prefer", better, code=2)
    assert "the same record" in run("prefer", better, "--over", better[-8:], code=2).output
    assert "no record" in run("prefer", better, "--over", "ffffffff", code=1).output
    assert read_labels(home).in_force(better) == []


def test_what_is_wrong_writes_nothing(home: Home) -> None:
    """Wrong values and unknown ids are said, and no label is written."""
    short = ids(home)[0][-8:]
    run("rate", short, "6", code=2)
    run("rate", short, "great", code=2)
    assert "no record" in run("rate", "ffffffff", "1", code=1).output
    assert "too short" in run("rate", "abc", "1", code=1).output
    run("tag", short, code=2)
    assert "no spaces" in run("tag", short, "a b", code=1).output
    run("edit", short, code=2)
    run("redact", short, code=2)
    run("redact", short, "--text", "a", "--start", "1", "--end", "2", code=2)
    assert "index" in run("redact", short, "--start", "1", "--end", "2", code=1).output
    assert "unknown" in run("undo", "01234567", code=1).output
    assert "too short" in run("undo", "1", code=1).output
    assert not home.labels.exists()


def test_show_lists_the_labels(home: Home) -> None:
    """`show` says what holds, without control characters; its JSON has the labels as they are."""
    record = ids(home)[0]
    run("note", record, "\x1b[2Jevil")
    run("rate", record, "4", "--message", "1")
    shown = run("show", record).stdout
    assert "rating of message 1 4" in shown
    assert "evil" in shown
    assert "\x1b" not in shown
    kinds = [label["kind"] for label in json.loads(run("show", record, "--json").stdout)["labels"]]
    assert kinds == ["note", "rating"]


def test_edit_opens_an_editor(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor starts with the recorded text, later with the last edit; leaving it unsaved changes nothing."""
    record = ids(home)[0]
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncat "$1" >> {tmp_path}/seen\nprintf changed > "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.setenv("VISUAL", str(editor))
    os.utime(editor, (1, 1))
    run("edit", record, "--message", "0")
    assert read_labels(home).marks(record, message=0).edit == {"text": "changed"}
    run("edit", record, "--message", "0")
    assert (tmp_path / "seen").read_text().startswith("question 1")
    assert (tmp_path / "seen").read_text().rstrip().endswith("changed")
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setenv("VISUAL", "true")
    run("edit", record, "--message", "0", code=130)
    assert "no index 7" in run("edit", record, "--message", "7", code=1).output


@pytest.mark.parametrize(
    ("request_", "response", "texts"),
    [
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]},
            {"choices": [{"message": {"content": "b"}}]},
            ["a", "b"],
        ),
        (
            {"messages": [{"role": "user", "content": "a"}]},
            {"content": [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "b"}]},
            ["a", "b"],
        ),
        (
            {"input": "a"},
            {
                "output": [
                    {"type": "reasoning", "content": []},
                    {"type": "message", "content": [{"type": "output_text", "text": "b"}]},
                ]
            },
            ["a", "b"],
        ),
        (
            {"contents": [{"parts": [{"text": "a"}]}]},
            {
                "candidates": [
                    {"content": {"parts": [{"thought": True, "text": "x"}, {"text": "b"}]}}
                ]
            },
            ["a", "b"],
        ),
    ],
)
def test_the_text_of_a_message(home: Home, request_: Any, response: Any, texts: list[str]) -> None:
    """In every language a message is counted as it was sent, and the answer comes behind the last."""
    fields = {"id": "x", "request": request_, "response": response, "time_approximate": True}
    record = StoredRecord(fields, segments(home)[0], 0, 0)
    assert [text_of_message(record, index) for index in range(2)] == texts


# --- rm


def test_rm_needs_a_word(home: Home) -> None:
    """Without a person to ask, nothing goes without --yes."""
    record, other = ids(home)
    assert "--yes" in run("rm", record, code=2).output
    assert ids(home) == [record, other]
    done = json.loads(run("rm", record[-8:], record, "--yes", "--json").stdout)
    assert done["removed"] == [record]
    assert done["erased"] is True
    assert ids(home) == [other]
    run("rm", other, "--yes")
    assert ids(home) == []
    assert "no record" in run("rm", other, "--yes", code=1).output


def at_terminal(*arguments: str, answer: str) -> tuple[int, str]:
    """Run the program at a terminal and answer its question."""
    leader, follower = pty.openpty()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name
        not in ("AI_AGENT", "CLAUDECODE", "CODEX_SANDBOX", "CODEX_CI", "GEMINI_CLI", "CRUSH")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "dolphin_logger", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**environment, "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(follower)
    os.write(leader, answer.encode())
    shown = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    return process.wait(30), shown.decode()


def test_rm_asks_a_person(home: Home) -> None:
    """At a terminal it shows what goes and asks; no means no."""
    record, other = ids(home)
    code, shown = at_terminal("rm", record, answer="n\n")
    assert code == 130
    assert record[-8:] in shown
    assert "question 1" in shown
    assert ids(home) == [record, other]
    code, _ = at_terminal("rm", record, answer="y\n")
    assert code == 0
    assert ids(home) == [other]


# --- seal, backup, upkeep


def test_seal_says_what_it_did(home: Home) -> None:
    """A dry run changes nothing; what is a day old is sealed, the rest with --all."""
    young = write_segment(home, 2, line(3), age=10)
    names = [
        each["segment"] for each in json.loads(run("seal", "--dry-run", "--json").stdout)["sealed"]
    ]
    assert names == [segments(home)[0].name]
    assert all(path.suffix == ".jsonl" for path in segments(home))
    (sealed,) = json.loads(run("seal", "--json").stdout)["sealed"]
    assert (sealed["records"], sealed["segment"]) == (2, names[0])
    assert young in segments(home)
    run("seal", "--all")
    assert all(path.suffix == ".zst" for path in segments(home))
    assert "nothing to seal" in run("seal", "--all").stderr
    assert len(ids(home)) == 3
    assert len(json.loads(run("ls", "--records", "--json").stdout)["records"]) == 3
    assert json.loads(run("stats", "--json").stdout)["records"] == 3


def test_backup_and_restore(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup says that it leaves the keys out, and comes back elsewhere."""
    file = tmp_path / "b.tar.zst"
    assert "config.json is not in it" in run("backup", str(file)).stderr
    before = ids(home)
    assert "not empty" in run("backup", "--restore", str(file), code=1).output
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path / "other"))
    done = json.loads(run("backup", "--restore", str(file), "--json").stdout)
    assert done["files"] == 1
    assert ids(Home(tmp_path / "other")) == before
    assert "exists" in run("backup", str(file), code=1).output


def test_the_proxy_s_upkeep(home: Home) -> None:
    """In the background removals are finished, segments sealed and old ones let go, and it ends with its proxy."""
    hidden, left = (item for item in read_home(home) if isinstance(item, StoredRecord))
    write_segment(home, 2, line(3), age=100 * 86400)
    hide(home, [hidden])
    home.config.write_text('{"models": [], "retention": {"days": 50}}')
    with Upkeep(home, first=0.0, every=3600.0):
        wait_for(
            lambda: len(segments(home)) == 1 and segments(home)[0].suffix == ".zst", seconds=30
        )
    assert ids(home) == [left.id]
    assert Removals(home).unfinished() == []
    assert not [thread for thread in threading.enumerate() if thread.name == "upkeep"]


def test_sealing_can_be_switched_off(home: Home) -> None:
    """With `"seal": false` the background leaves segments as they are."""
    home.config.write_text('{"models": [], "seal": false}')
    LabelWriter(home).write(ids(home)[0], "keep")
    run("seal", "--background")
    assert [path.suffix for path in segments(home)] == [".jsonl"]
    home.config.write_text('{"models": []}')
    run("seal", "--background")
    assert [path.suffix for path in segments(home)] == [".zst"]
