"""Removal and retention: what goes is gone from the disk, what stays keeps its bytes and its place."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from pathlib import Path

import pytest
from tests.support.homes import line, write_segment

from dolphin_logger.errors import JournalError, RecordError
from dolphin_logger.exchange import Exchange
from dolphin_logger.journal.follower import Follower
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter, read_labels
from dolphin_logger.journal.locks import upkeep
from dolphin_logger.journal.reader import (
    BadLine,
    StoredRecord,
    find,
    line_bytes,
    read_home,
    read_segment,
    segments,
)
from dolphin_logger.journal.removal import Erased, erase, hide
from dolphin_logger.journal.retention import expire
from dolphin_logger.journal.seal import manifest_path, seal_segment
from dolphin_logger.journal.sealed import SealedText
from dolphin_logger.journal.tombstones import Removals, content_hash
from dolphin_logger.journal.writer import Journal
from dolphin_logger.proxy.vault import Vault

SECRET = "correct horse battery staple"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of its own."""
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def records(home: Home) -> list[StoredRecord]:
    """Read every record; nothing may be damaged."""
    items = list(read_home(home))
    assert [item for item in items if isinstance(item, BadLine)] == []
    return [item for item in items if isinstance(item, StoredRecord)]


def places(home: Home) -> dict[str, tuple[int, int, bytes]]:
    """Say where each record lies and what its bytes are."""
    return {
        record.id: (record.offset, record.length, line_bytes(record)) for record in records(home)
    }


def remove(home: Home, *gone: StoredRecord) -> Erased:
    """Hide and erase."""
    hide(home, gone)
    with upkeep(home, patience=0):
        return erase(home, progress=lambda _: None)


def texts(home: Home) -> bytes:
    """Everything that a home holds, sealed files as their text."""
    return b"\0".join(
        SealedText(path).read() if path.suffix == ".zst" else path.read_bytes()
        for path in sorted(home.path.rglob("*"))
        if path.is_file()
    )


@pytest.mark.parametrize("sealed", [False, True])
def test_the_text_is_gone_and_the_rest_stays(home: Home, sealed: bool) -> None:
    """Erasing changes neither place nor bytes nor time of any other record, plain or sealed."""
    path = write_segment(
        home, 1, line(1), line(2, text=SECRET), line(3), line(4, text=SECRET * 1000), line(5)
    )
    if sealed:
        seal_segment(path, progress=lambda _: None)
    (path,) = segments(home)
    before, modified = places(home), path.stat().st_mtime_ns
    follower = Follower(home)
    gone = [find(home, item.id) for item in records(home) if SECRET in str(item.fields)]
    done = remove(home, *gone)
    assert (done.lines, done.files) == (2, 1)
    assert SECRET.encode() not in texts(home)
    for record in gone:
        del before[record.id]
        with pytest.raises(RecordError, match="no record"):
            find(home, record.id)
    assert places(home) == before
    assert path.stat().st_mtime_ns == modified
    assert list(follower.more()) == []
    assert list(read_home(home, newest_first=True)) == list(reversed(records(home)))
    if sealed:
        manifest = json.loads(manifest_path(path).read_text())
        text = SealedText(path).read()
        assert manifest["sha256"] == hashlib.sha256(text).hexdigest()
        assert manifest["records"] == 3


def test_hidden_at_once(home: Home) -> None:
    """From the tombstone on no reader gives the record, although its text still lies there."""
    path = write_segment(home, 1, line(1), line(2, text=SECRET))
    follower = Follower(home)
    with path.open("ab") as file:
        file.write(line(3, text=SECRET))
    found = records(home)
    hide(home, found[1:])
    assert SECRET in path.read_text()
    assert len(records(home)) == 1
    assert list(read_segment(path)) == found[:1]
    assert list(read_home(home, newest_first=True)) == found[:1]
    assert list(follower.more()) == []
    with pytest.raises(RecordError):
        find(home, found[1].id[-8:])


def test_a_tombstone_has_no_text_and_the_same_hash_for_the_same_words(home: Home) -> None:
    """Whoever publishes later finds the removed words again by their hash, under any id."""
    write_segment(home, 1, line(1, request=b'{"a": "%s", "b": 1}' % SECRET.encode()))
    (record,) = records(home)
    remove(home, record)
    stone = Removals(home).refresh()[record.id]
    again = {"id": "other", "request": {"b": 1, "a": SECRET}, "response": {"choices": []}}
    assert stone.sha256 == content_hash(again)
    for each in home.tombstones.iterdir():
        assert SECRET not in each.read_text()
    assert Removals(home).unfinished() == []


def test_a_segment_that_a_living_process_writes(home: Home) -> None:
    """A record goes from an open segment, and the next record is written behind it as if nothing were."""
    journal = Journal(home)

    def append(number: int, text: str) -> None:
        journal.append(
            Exchange(
                id=f"0000000{number}",
                time_ns=number,
                dialect="openai.chat",
                path="/",
                request=json.dumps({"messages": text}).encode(),
            )
        )

    append(1, "a")
    append(2, SECRET)
    remove(home, find(home, "00000002"))
    append(3, "c")
    journal.tend()
    assert [record.id for record in records(home)] == ["00000001", "00000003"]
    assert SECRET.encode() not in texts(home)
    assert len(segments(home)) == 1
    journal.close()


def test_what_else_holds_its_text(home: Home) -> None:
    """Blobs that nobody else names, labels and the vault's lines of its calls go; those of others stay."""

    def blob(text: str) -> bytes:
        writer = Journal(home).blob()
        writer.write(text.encode())
        return writer.commit(media_type="text/plain").to_json()

    alone, shared = blob(f"alone {SECRET}"), blob("shared")
    answer = b'{"choices":[{"message":{"tool_calls":[{"id":"call_gone"}]}}]}'
    asked = b'{"messages":[{"tool_calls":[{"id":"call_before"}]}],"b":[%s,%s]}' % (alone, shared)
    gone = line(1, request=asked).replace(b'{"choices":[]}', answer)
    body = gone.rpartition(b',"crc"')[0]
    gone = b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body))
    write_segment(home, 1, gone, line(2, request=shared))
    vault = Vault(home.vault)
    vault.keep({"host d call_gone": f"thought {SECRET}"}, on_disk=True)
    vault.keep({"host d call_before": "of another record"}, on_disk=True)
    first, second = records(home)
    labels = LabelWriter(home)
    labels.write(first.id, "note", SECRET)
    labels.write(second.id, "note", "stays")
    done = remove(home, first)
    assert (done.blobs, done.waiting) == (1, set())
    assert SECRET.encode() not in texts(home)
    assert len(list(home.blobs.iterdir())) == 1
    assert read_labels(home).marks(second.id).note == "stays"
    assert Vault(home.vault).recall("host d ")("call_before") == "of another record"
    assert Vault(home.vault).recall("host d ")("call_gone") is None
    labels.write(second.id, "note", "goes on")
    assert read_labels(home).marks(second.id).note == "goes on"


def test_a_blob_waits_for_open_requests(home: Home) -> None:
    """While a proxy runs, a young blob may be named by the next record: it goes in a later pass."""
    journal = Journal(home)
    writer = journal.blob()
    writer.write(b"x")
    write_segment(home, 1, line(1, request=writer.commit(media_type="text/plain").to_json()))
    journal.append(Exchange(id="open", time_ns=1, dialect="openai.chat", path="/"))
    (record,) = [record for record in records(home) if record.id != "open"]
    done = remove(home, record)
    assert len(done.waiting) == 1
    assert Removals(home).unfinished()
    journal.close()
    with upkeep(home, patience=0):
        assert erase(home, progress=lambda _: None).blobs == 1
    assert Removals(home).unfinished() == []
    assert list(home.blobs.iterdir()) == []


def test_after_an_interrupted_sealing(home: Home) -> None:
    """Where text file and sealed file lie side by side, the text goes from both."""
    path = write_segment(home, 1, line(1), line(2, text=SECRET))
    text = path.read_bytes()
    seal_segment(path, progress=lambda _: None)
    path.write_bytes(text)
    first, second = records(home)
    remove(home, second)
    assert SECRET.encode() not in texts(home)
    assert records(home) == [first]


def test_records_joined_by_damage(home: Home) -> None:
    """Of two records on one damaged line the other one stays, to the byte."""
    write_segment(home, 1, line(1, text=SECRET)[:-1] + b" " + line(2))
    items = list(read_home(home))
    first, second = (item for item in items if isinstance(item, StoredRecord))
    remove(home, first)
    assert SECRET.encode() not in texts(home)
    assert find(home, second.id) == second


def test_a_line_of_the_original(home: Home) -> None:
    """A line of the original program goes too, and the ids of the others stay."""
    path = home.logs / "old.jsonl"
    path.write_text(
        json.dumps({"request": {"messages": SECRET}, "response": "x"})
        + '\n{"request":{},"response":"y"}\n'
    )
    os.utime(path, ns=(10**18, 10**18))
    first, second = records(home)
    remove(home, first)
    assert SECRET.encode() not in texts(home)
    assert records(home) == [second]


@pytest.mark.parametrize("calls", range(1, 9))
def test_killed_while_erasing(home: Home, monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Killed at any write, the record stays hidden, no other is hurt, and the next pass finishes."""

    class KilledError(BaseException):
        """Nothing catches it, as nothing catches SIGKILL."""

    write_segment(home, 1, line(1), line(2, text=SECRET * 30_000), line(3))
    path = write_segment(home, 2, line(4, text=SECRET), line(5))
    seal_segment(path, progress=lambda _: None)
    gone = [item for item in records(home) if SECRET in str(item.fields)]
    LabelWriter(home).write(gone[0].id, "note", SECRET * 100)
    left = {item.id for item in records(home) if item not in gone}
    hide(home, gone)
    count = 0

    def killed(name: str) -> None:
        real = getattr(os, name)

        def call(*arguments: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == calls:
                descriptor, data, start = (*arguments, b"", 0)[:3]
                if len(data) > 4096:  # type: ignore[arg-type]  # more than a page: half of it is written
                    real(descriptor, data[: len(data) // 2], start)  # type: ignore[index,arg-type]
                raise KilledError
            return real(*arguments, **named)

        monkeypatch.setattr(os, name, call)

    killed("pwrite")
    killed("fsync")
    with pytest.raises(KilledError), upkeep(home, patience=0):
        erase(home, progress=lambda _: None)
    monkeypatch.undo()
    assert {record.id for record in records(home)} == left
    with upkeep(home, patience=0):
        erase(home, progress=lambda _: None)
    assert {record.id for record in records(home)} == left
    assert SECRET.encode() not in texts(home)
    assert Removals(home).unfinished() == []


def test_what_cannot_be_read_cannot_be_searched(home: Home) -> None:
    """A damaged sealed file is named, and the removal stays unfinished instead of claiming success."""
    path = write_segment(home, 1, line(1), line(2))
    seal_segment(path, progress=lambda _: None)
    (record, _) = records(home)
    (sealed,) = segments(home)
    sealed.write_bytes(sealed.read_bytes()[:-10])
    with pytest.raises(JournalError, match=str(sealed)):
        remove(home, record)
    assert Removals(home).unfinished()


# --- retention


def expired(home: Home, *, days: float | None = None, limit: int | None = None) -> list[str]:
    """Let retention work; name what it removed, by its number."""
    with upkeep(home, patience=0):
        return [
            gone.segment.name.partition(".")[0][-2:]
            for gone in expire(home, days=days, limit=limit)
        ]


def write_years(home: Home) -> list[Path]:
    """Write five segments, sealed but for the last two, of 50, 40 … 10 days of age."""
    paths = []
    for number in range(1, 6):
        noise = base64.b64encode(os.urandom(20_000)).decode()
        path = write_segment(home, number, line(number, text=noise), age=(6 - number) * 10 * 86400)
        if number < 4:
            seal_segment(path, progress=lambda _: None)
        paths.append(path)
    return paths


def test_by_age(home: Home) -> None:
    """Whole segments go, the oldest first, with their manifests; others keep every byte."""
    write_years(home)
    assert expired(home, days=25) == ["01", "02", "03"]
    assert [record.fields["model"] for record in records(home)] == ["m4", "m5"]
    assert not list(home.logs.glob("*.manifest.json"))
    assert expired(home, days=25) == []
    assert not home.tombstones.exists()


def test_by_bytes(home: Home) -> None:
    """The oldest go until the rest fits."""
    write_years(home)
    assert expired(home, limit=10**9) == []
    assert expired(home, limit=80_000) == ["01", "02"]


def test_what_somebody_spoke_of_stays(home: Home) -> None:
    """A label that holds keeps its segment, whatever age and limit say; `drop` and what was undone do not."""
    write_years(home)
    ids = [record.id for record in records(home)]
    labels = LabelWriter(home)
    labels.write(ids[0], "rating", 2)
    labels.write(ids[1], "drop")
    undone = labels.write(ids[2], "keep")
    labels.write(ids[2], "undo", undone.id)
    labels.write(ids[3], "note", "why")
    assert expired(home, days=1, limit=1) == ["02", "03", "05"]


def test_an_open_segment_stays(home: Home) -> None:
    """A segment that a process writes, and one that is not a day old, are never removed."""
    journal = Journal(home)
    journal.append(Exchange(id="a", time_ns=1, dialect="openai.chat", path="/"))
    assert journal.segment is not None
    os.utime(journal.segment, (1, 1))
    write_segment(home, 7, line(1), age=3600)
    assert expired(home, days=0.001, limit=1) == []
    journal.close()
    assert len(expired(home, days=0.001)) == 1


def test_blobs_of_expired_segments(home: Home) -> None:
    """A blob goes with the last record that names it."""

    def blob(text: bytes) -> bytes:
        writer = Journal(home).blob()
        writer.write(text)
        return writer.commit(media_type="text/plain").to_json()

    both, one = blob(b"both"), blob(b"one")
    write_segment(home, 1, line(1, request=b"[%s,%s]" % (both, one)), age=40 * 86400)
    write_segment(home, 2, line(2, request=both), age=20 * 86400)
    assert expired(home, days=30) == ["01"]
    assert [path.read_bytes() for path in home.blobs.iterdir()] == [b"both"]
    assert expired(home, days=10) == ["02"]
    assert list(home.blobs.iterdir()) == []
