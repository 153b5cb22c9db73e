"""The intake: untouched copies, records once each, and files that mean no good."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
import zipfile
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner
from tests.support import session_databases
from tests.support import session_files as sessions
from tests.support.imported import answers, bring, records
from tests.support.session_files import Sample, jsonl, write

from dolphin_logger import cli
from dolphin_logger.errors import JournalError
from dolphin_logger.importers import _fields, _snapshot, _zip
from dolphin_logger.importers.intake import Intake
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.locks import importing
from dolphin_logger.journal.reader import find


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that is not there yet."""
    return tmp_path / "home"


def claude(entries: list[object] | None = None) -> Sample:
    """Give a session of Claude Code."""
    data = jsonl(entries or sessions.claude_code())
    return Sample("claude-code", f"{sessions.SESSION}.jsonl", data, ())


def archived(home: Path) -> dict[str, bytes]:
    """Give the bytes of each copy, by the file that it is a copy of."""
    found = {}
    for path in (home / "archive").rglob("*.zst"):
        with zstandard.open(path) as file:
            data = file.read()
        for name in json.loads(path.with_suffix(".json").read_text())["files"]:
            found[name] = data
    return found


def test_the_copy_is_untouched_and_private(home: Path, tmp_path: Path) -> None:
    """The archive holds the very bytes under their hash; every file is the owner's alone."""
    sample = claude()
    bring(home, write(tmp_path, sample))
    assert archived(home) == {f"~/{sample.file}": sample.data}
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_grown_file_replaces_its_copy(home: Path, tmp_path: Path) -> None:
    """Of a file that is appended to one copy stays: the latest, which begins with the others."""
    sample = claude()
    for end in (len(sample.data) // 3, len(sample.data) // 2, len(sample.data)):
        bring(home, write(tmp_path, sample, data=sample.data[:end]))
    assert len(list((home / "archive").rglob("*.zst"))) == 1
    assert archived(home) == {f"~/{sample.file}": sample.data}


def test_a_copy_of_two_files_outlives_one(home: Path, tmp_path: Path) -> None:
    """Bytes that lay in two places stay as long as they are the copy of one."""
    sample = claude()
    first = write(tmp_path, sample)
    second = write(tmp_path / "other", sample)
    bring(home, first, second)
    more = jsonl([{"type": "summary", "summary": "s", "sessionId": "x"}])
    bring(home, write(tmp_path, sample, data=sample.data + more))
    assert archived(home)[f"~/other/{sample.file}"] == sample.data
    assert archived(home)[f"~/{sample.file}"] == sample.data + more


def test_what_vanishes_at_its_source_stays(home: Path, tmp_path: Path) -> None:
    """A program's own clean-up takes nothing away."""
    sample = claude()
    path = write(tmp_path, sample)
    bring(home, path)
    path.unlink()
    brought = bring(home, path)
    assert len(brought.failed) == 1
    assert archived(home)[f"~/{sample.file}"] == sample.data
    assert len(records(home)) == 2


def test_no_turn_comes_twice_without_notes(home: Path, tmp_path: Path) -> None:
    """When the notes are deleted or damaged, the segments say what was imported."""
    path = write(tmp_path, claude())
    bring(home, path)
    notes = home / "cache" / "imports.v1.sqlite"
    notes.unlink()
    assert bring(home, path).known == 2
    notes.write_bytes(b"not a database at all, but long enough to be opened as one" * 99)
    assert bring(home, path).known == 2
    assert len(records(home)) == 2


def test_what_was_written_and_not_noted_is_found(home: Path, tmp_path: Path) -> None:
    """A killed import leaves records that no note knows, and perhaps half a line: nothing comes twice."""
    path = write(tmp_path, claude())
    bring(home, path)
    (segment,) = (home / "imports").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(lines[0] + lines[1][:50])
    (home / "cache" / "imports.v1.sqlite").unlink()
    brought = bring(home, path)
    assert (brought.known, brought.turns) == (1, 1)


def test_an_imported_record_is_found_by_its_id(home: Path, tmp_path: Path) -> None:
    """`show` takes the id of an imported turn like any other."""
    bring(home, write(tmp_path, claude()))
    for fields in records(home):
        assert find(Home(home), fields["id"][-8:]).fields == fields


def test_a_long_session_grows_linearly(home: Path, tmp_path: Path) -> None:
    """A session of 400 turns takes no more space for each than one of 100: no history is repeated."""

    def size(count: int) -> float:
        entries: list[object] = []
        for number in range(0, 2 * count, 2):
            block = {"type": "text", "text": f"answer {number} " + "x" * 500}
            answer = sessions.claude_answer(f"m{number}", block, "end_turn")
            asked = sessions.claude_words(f"q{number} " + "y" * 500)
            entries.append(
                {**sessions.claude_line(0, None, "user", asked), "uuid": f"u{number}"}
                | {"parentUuid": f"u{number - 1}" if number else None}
            )
            entries.append(
                {**sessions.claude_line(0, None, "assistant", answer), "uuid": f"u{number + 1}"}
                | {"parentUuid": f"u{number}"}
            )
        place = home / str(count)
        bring(place, write(tmp_path / str(count), claude(entries)))
        assert len(records(place)) == count
        return sum(path.stat().st_size for path in (place / "imports").iterdir()) / count

    assert size(400) < 1.1 * size(100)


def test_two_imports_at_once_are_one_too_many(home: Path, tmp_path: Path) -> None:
    """While one import runs, another is told so."""
    home.mkdir()
    with (
        importing(Home(home), patience=0),
        pytest.raises(JournalError, match="another process is importing"),
        Intake(Home(home), user=tmp_path),
    ):
        pass


def test_an_import_waits_for_another(home: Path, tmp_path: Path) -> None:
    """With patience, an import begins when the one before it is through."""
    started = threading.Event()
    came: list[bool] = []

    def second() -> None:
        started.set()
        with Intake(Home(home), user=tmp_path, patience=30):
            came.append(True)

    thread = threading.Thread(target=second)
    with importing(Home(home), patience=0):
        thread.start()
        started.wait()
        assert came == []
    thread.join(30)
    assert came == [True]


@pytest.mark.timeout(20)
def test_links_pipes_and_folders_are_no_sessions(home: Path, tmp_path: Path) -> None:
    """What is no regular file is refused at once: no link is followed, no pipe waited for."""
    real = write(tmp_path, claude())
    link, pipe = tmp_path / "link.jsonl", tmp_path / "pipe.jsonl"
    link.symlink_to(real)
    os.mkfifo(pipe)
    brought = bring(home, link, pipe, tmp_path, tmp_path / "gone.jsonl", Path("/dev/zero"))
    assert len(brought.failed) == 5
    assert records(home) == []


def test_one_bad_file_stops_no_other(home: Path, tmp_path: Path) -> None:
    """Files of nobody, and empty ones, are named; the good one comes."""
    strange, empty = tmp_path / "strange.jsonl", tmp_path / "empty.jsonl"
    strange.write_bytes(os.urandom(1000))
    empty.write_bytes(b"")
    brought = bring(home, strange, empty, write(tmp_path, claude()))
    assert (len(brought.failed), brought.turns) == (2, 2)


def test_a_name_that_is_no_text_is_taken(home: Path, tmp_path: Path) -> None:
    """A file whose name is no UTF-8 is imported like any other."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.jsonl"))
    path.write_bytes(claude().data)
    sessions.calm(path)
    assert bring(home, path).turns == 2
    assert bring(home, path).unchanged == 1


def test_a_value_too_deep_to_be_written_is_counted(home: Path, tmp_path: Path) -> None:
    """A body nested beyond every writer costs its own turn only."""
    entries = sessions.claude_code()
    deep = b'{"a":' * 1010 + b"1" + b"}" * 1010
    data = jsonl(entries).replace(b'{"number": 2}', deep)
    brought = bring(home, write(tmp_path, claude(), data=data))
    assert brought.turns >= 1
    assert sum(brought.unknown.values()) <= 1


def _zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_an_export_is_read_inside_its_zip(home: Path, tmp_path: Path) -> None:
    """A service's zip is archived as it is, and its conversations come; the rest is named."""
    members = {
        "conversations.json": json.dumps(sessions.chatgpt()).encode(),
        "user.json": b'{"id": "me"}',
        "chat.html": b"<html>",
    }
    path = _zipped(tmp_path / "export.zip", members)
    brought = bring(home, path)
    assert sorted(answers(records(home))) == ["It is teal.", "Teal."]
    assert dict(brought.unknown) == {"member user.json": 1}
    assert archived(home) == {"~/export.zip": path.read_bytes()}


def test_a_member_with_a_path_is_written_nowhere(home: Path, tmp_path: Path) -> None:
    """A member that is named like a path out of the folder is read, and creates no file."""
    before = {path for path in tmp_path.parent.rglob("*") if "home" not in path.parts}
    export = json.dumps(sessions.chatgpt()).encode()
    names = ("../../evil/conversations.json", "/etc/evil/conversations.json", "..\\evil.json")
    path = _zipped(tmp_path / "export.zip", dict.fromkeys(names, export))
    assert bring(home, path).turns == 2
    after = {path for path in tmp_path.parent.rglob("*") if "home" not in path.parts}
    assert after - before == {path}


def test_a_zip_bomb_is_not_unpacked(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member that is packed beyond reason, or larger than the limits, is passed over; others come."""
    export = json.dumps(sessions.chatgpt()).encode()
    bomb = b"[" + b" " * 40_000_000 + b"]"
    path = _zipped(tmp_path / "export.zip", {"a.json": bomb, "conversations.json": export})
    brought = bring(home, path)
    assert (brought.turns, brought.unknown["member beyond the limits"]) == (2, 1)
    monkeypatch.setattr(_zip, "TOTAL_LIMIT", 10)
    assert bring(tmp_path / "second", path).turns == 0


def test_a_member_that_lies_about_its_size_is_passed_over(home: Path, tmp_path: Path) -> None:
    """A member with more bytes than it says, or damaged ones, costs only itself."""
    export = json.dumps(sessions.chatgpt()).encode()
    path = _zipped(tmp_path / "x.zip", {"a.json": b"[" + b"1," * 5000 + b"1]", "b.json": export})
    data = bytearray(path.read_bytes())
    entry = data.find(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (50).to_bytes(4, "little")
    path.write_bytes(data)
    brought = bring(home, path)
    assert (brought.turns, brought.unknown["damaged member"]) == (2, 1)


def test_a_locked_or_damaged_database_harms_nobody(home: Path, tmp_path: Path) -> None:
    """A database that its owner holds locked is read without waiting; a damaged one is named."""
    data = session_databases.opencode(tmp_path)
    path = tmp_path / "opencode.db"
    owner = sqlite3.connect(path)
    owner.execute("BEGIN EXCLUSIVE")
    sessions.calm(path)
    assert bring(home, path).turns == 3
    owner.rollback()
    owner.close()
    assert path.read_bytes() == data
    assert not list(tmp_path.glob("opencode.db-*"))
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    assert bring(tmp_path / "second", path).unknown["damaged database"] == 1


def test_a_file_that_never_rests_is_left_for_later(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that changes while it is copied, each time, is named and left alone."""
    session_databases.opencode(tmp_path)
    count = iter(range(100))
    monkeypatch.setattr(_snapshot, "stamp", lambda _: str(next(count)))
    brought = bring(home, tmp_path / "opencode.db")
    assert len(brought.failed) == 1
    assert "being written" in brought.failed[0]


def test_a_large_body_goes_to_a_blob(home: Path, tmp_path: Path) -> None:
    """A question beyond the limit of a line is kept in a blob, whole."""
    entries = sessions.claude_code()
    entries[1]["message"]["content"] = "z" * 9_000_000
    bring(home, write(tmp_path, claude(entries)))
    first, _ = records(home)
    blob = home / "blobs" / first["request"]["blob"]["sha256"]
    assert json.loads(blob.read_bytes())["messages"][0]["content"] == "z" * 9_000_000


def test_a_gigantic_line_costs_only_itself(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line beyond the limit is counted and archived, not decoded; the others come."""
    monkeypatch.setattr(_fields, "LINE_LIMIT", 2000)
    sample = claude()
    data = b'{"type":"user","x":"' + b"x" * 5000 + b'"}\n' + sample.data
    brought = bring(home, write(tmp_path, sample, data=data))
    assert (brought.turns, dict(brought.unknown)) == (2, {"too long": 1})
    assert archived(home)[f"~/{sample.file}"] == data


def test_show_says_where_a_turn_comes_from(home: Path, tmp_path: Path) -> None:
    """`show` of an imported turn names its file and the record that it continues."""
    bring(home, write(tmp_path, claude()))
    first, second = records(home)
    done = CliRunner(env={"DOLPHIN_LOGGER_HOME": str(home)}).invoke(
        cli.main, ["show", second["id"]]
    )
    assert done.exit_code == 0
    assert f"claude-code ~/{claude().file}" in done.stdout
    assert f"continues   {first['id']}" in done.stdout


def test_what_was_removed_does_not_come_back(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rm` takes an imported turn off the disk, and importing again, even from nothing, leaves it out."""
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(home))
    path = write(tmp_path, claude())
    bring(home, path)
    first, *others = [record["id"] for record in records(home)]
    done = CliRunner().invoke(cli.main, ["rm", first, "--record", "--yes"])
    assert done.exit_code == 0, done.output
    assert "untouched session files stay" in done.stderr
    lines = b"".join(path.read_bytes() for path in (home / "imports").iterdir())
    assert b'"id":"%s"' % first.encode() not in lines
    for notes in (home / "cache").glob("imports*"):
        notes.unlink()
    bring(home, path)
    assert [record["id"] for record in records(home)] == others
