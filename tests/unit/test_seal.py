"""Sealing: the same records before, meanwhile and after, to every reader; zstd's own tools too."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from tests.support.homes import line, write_segment

from dolphin_logger.errors import JournalError
from dolphin_logger.journal import lines as cutting
from dolphin_logger.journal.follower import Follower
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.locks import BusyError, try_lock, upkeep
from dolphin_logger.journal.reader import (
    BadLine,
    StoredRecord,
    body,
    find,
    line_bytes,
    newest,
    raw_bytes,
    read_home,
    read_segment,
    segments,
)
from dolphin_logger.journal.seal import manifest_path, seal_segment, sealable, write_sealed
from dolphin_logger.journal.sealed import SealedText, segment_name, text_size
from dolphin_logger.journal.writer import Journal


def seal(path: Path) -> Path:
    """Seal a segment; return the sealed file."""
    assert seal_segment(path, progress=lambda _: None) is not None
    return path.with_name(path.name + ".zst")


def facts(items: Any) -> list[Any]:
    """Everything about some items but the file's name."""
    return [
        (item.fields, item.offset, item.length, line_bytes(item))
        if isinstance(item, StoredRecord)
        else (item.reason, item.offset, item.length, item.incomplete)
        for item in items
    ]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of its own."""
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def segment(home: Home) -> Path:
    """A segment with records, an empty line, damage of three kinds, and a torn end."""
    lines = [line(number, text="x" * number * 100) for number in range(30)]
    joined = lines[3][:-1] + b" " + lines[4]
    broken = lines[5].replace(b"question", b"quest10n")
    return write_segment(
        home,
        1,
        *lines[:3],
        b"\n",
        joined,
        broken,
        b"\xff\x00\n",
        *lines[6:],
        lines[0][:50],
    )


def test_sealed_reads_the_same(home: Home, segment: Path) -> None:
    """Forwards, backwards, from an offset, by id, damage and torn end: nothing tells the difference."""
    whole = segment.read_bytes()
    forwards, backwards = facts(read_home(home)), facts(read_home(home, newest_first=True))
    middle = [item for item in read_segment(segment) if isinstance(item, StoredRecord)][9]
    rest = facts(read_segment(segment, offset=middle.offset))
    modified = segment.stat().st_mtime_ns
    sealed = seal(segment)
    assert segments(home) == [sealed]
    assert facts(read_home(home)) == forwards
    assert facts(read_home(home, newest_first=True)) == backwards
    assert facts(read_segment(sealed, offset=middle.offset)) == rest
    found = find(home, middle.id[-8:])
    assert facts([found]) == facts([middle])
    assert body(found, "request") == body(middle, "request")
    assert raw_bytes(found, "request") == raw_bytes(middle, "request")
    assert sealed.stat().st_mtime_ns == modified
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert text_size(sealed) == len(whole)
    # whoever listed the text file before it went still reads it, and its lines
    assert facts(read_segment(segment)) == forwards
    assert line_bytes(middle) + b"\n" == whole[middle.offset :][: middle.length]


def test_the_manifest_describes_the_text(segment: Path) -> None:
    """Size, hash and counts are those of the text; the first and last id those of whole lines."""
    whole = segment.read_bytes()
    ids = [item.id for item in read_segment(segment) if isinstance(item, StoredRecord)]
    sealed = seal(segment)
    manifest = json.loads(manifest_path(segment).read_text())
    assert manifest_path(sealed) == manifest_path(segment)
    assert manifest["sha256"] == hashlib.sha256(whole).hexdigest()
    assert manifest["bytes"] == len(whole)
    assert manifest["sealed_bytes"] == sealed.stat().st_size
    assert (manifest["first_id"], manifest["last_id"]) == (ids[0], ids[-1])
    assert (manifest["records"], manifest["bad_lines"]) == (27, 4)
    assert stat.S_IMODE(manifest_path(segment).stat().st_mode) == 0o600


@pytest.mark.debian
@pytest.mark.skipif(not shutil.which("zstdcat"), reason="needs zstdcat (Debian: zstd)")
def test_zstdcat_needs_no_option(home: Home) -> None:
    """Zstd's own tool gives back the text, whatever its size, without being told of the window."""
    lines = [line(number, text=os.urandom(40_000).hex()) for number in range(50)]
    path = write_segment(home, 1, *lines * 40)  # 160 MB: larger than the window
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sealed = seal(path)
    assert sealed.stat().st_size < 4_000_000
    text = subprocess.run(["zstdcat", sealed], capture_output=True, check=True).stdout
    assert hashlib.sha256(text).hexdigest() == digest


def test_backwards_in_bounded_memory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text larger than what is held is read backwards in several passes, each line once."""
    path = write_segment(home, 1, *(line(number, text="y" * 1000) for number in range(50)))
    before = facts(read_home(home, newest_first=True))
    seal(path)
    monkeypatch.setattr(cutting, "_TAIL", 5000)
    assert facts(read_home(home, newest_first=True)) == before


def test_blobs_are_found_from_a_sealed_segment(home: Home) -> None:
    """A body in a blob is read as before."""
    writer = Journal(home).blob()
    writer.write(b'{"big":true}')
    reference = writer.commit(media_type="application/json")
    seal(write_segment(home, 1, line(1, request=reference.to_json())))
    (record,) = newest(home, count=1)
    assert isinstance(record, StoredRecord)
    assert body(record, "request") == {"big": True}


def test_a_follower_notices_nothing(home: Home) -> None:
    """Sealing gives no record again, and costs none that was not given yet."""
    path = write_segment(home, 1, line(1), line(2))
    early, late = Follower(home), Follower(home)
    assert len(late.latest(5)) == 2
    with path.open("ab") as file:
        file.write(line(3))
    assert [item.fields["model"] for item in early.more()] == ["m3"]  # type: ignore[union-attr]
    seal(path)
    assert list(early.more()) == []
    assert [item.fields["model"] for item in late.more()] == ["m3"]  # type: ignore[union-attr]


def test_an_open_segment_is_left_alone(home: Home) -> None:
    """A segment that a living journal writes is not sealed; when it is closed, it is."""
    from dolphin_logger.exchange import Exchange

    journal = Journal(home)
    journal.append(Exchange(id="a", time_ns=1, dialect="openai.chat", path="/"))
    assert journal.segment is not None
    assert seal_segment(journal.segment, progress=lambda _: None) is None
    journal.close()
    assert seal_segment(journal.segment, progress=lambda _: None) is not None
    assert seal_segment(journal.segment, progress=lambda _: None) is None


def test_a_journal_lets_go_of_yesterday(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that gets no request for days does not keep its last segment from being sealed."""
    from dolphin_logger.exchange import Exchange

    journal = Journal(home)
    journal.append(Exchange(id="a", time_ns=1, dialect="openai.chat", path="/"))
    journal.tend()
    with journal.segment.open("rb") as file:  # type: ignore[union-attr]
        assert not try_lock(file.fileno())
        monkeypatch.setattr("dolphin_logger.journal.writer._today", lambda: 1)
        journal.tend()
        assert try_lock(file.fileno())
    journal.close()


def test_what_is_sealable(home: Home) -> None:
    """Old enough, and ours: a file of the original program may still grow."""
    old = write_segment(home, 1, line(1), age=90000)
    write_segment(home, 2, line(2), age=80000)
    foreign = home.logs / "c0ffee.jsonl"
    foreign.write_bytes(b'{"request":{},"response":"x"}\n')
    os.utime(foreign, (1, 1))
    assert sealable(home, age=24 * 3600) == [old]


def test_what_does_not_read_back_replaces_nothing(
    segment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk gives back other bytes, the text file stays and no sealed one appears."""
    real = SealedText.readinto

    def flip(self: SealedText, target: Any) -> int:
        count = real(self, target)
        if count:
            target[0] ^= 1
        return count

    monkeypatch.setattr(SealedText, "readinto", flip)
    with pytest.raises(JournalError, match="read back"):
        seal_segment(segment, progress=lambda _: None)
    assert [path.name for path in segment.parent.iterdir()] == [segment.name]


def test_a_full_disk_replaces_nothing(segment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the sealed file does not fit, the text file stays and nothing half-written is left."""

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(JournalError, match="No space left"):
        seal_segment(segment, progress=lambda _: None)
    assert [path.name for path in segment.parent.iterdir()] == [segment.name]


def test_damage_of_a_sealed_file_is_said(home: Home, segment: Path) -> None:
    """A cut, overwritten or empty sealed file gives what can be read, then one reason; nothing raises."""
    count = len([i for i in read_home(home) if isinstance(i, StoredRecord)])
    sealed = seal(segment)
    whole = sealed.read_bytes()
    for broken in (
        whole[:-20],
        whole[: len(whole) // 2],
        whole[:200] + b"\xff" * 50 + whole[250:],
        b"",
        b"no frame",
    ):
        sealed.write_bytes(broken)
        items = list(read_home(home))
        bad = [item for item in items if isinstance(item, BadLine)]
        assert len(items) - len(bad) < count
        if len(broken) == len(whole):
            assert len(bad) > 5  # some lines fail their CRC, the others are right
        else:
            assert str(sealed) in bad[-1].reason
        list(read_home(home, newest_first=True))
        list(Follower(home).more())


def test_two_frames_in_one_file(home: Home) -> None:
    """A sealed file that somebody put together from two is read through."""
    a, b = write_segment(home, 1, line(1)), write_segment(home, 2, line(2))
    first, second = seal(a), seal(b)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    assert [r.fields["model"] for r in read_segment(first)] == ["m1", "m2"]  # type: ignore[union-attr]


def test_ids_of_the_original_survive(home: Home) -> None:
    """A line of the original program in a sealed file keeps its id: the name that counts is the text's."""
    path = home.logs / "old.jsonl"
    path.write_bytes(b'{"request":{},"response":"x"}\n')
    (before,) = newest(home, count=1)
    data = path.read_bytes()
    write_sealed(path, [data], size=len(data), modified_ns=path.stat().st_mtime_ns)
    path.unlink()
    (after,) = newest(home, count=1)
    assert isinstance(before, StoredRecord)
    assert isinstance(after, StoredRecord)
    assert before.fields == after.fields
    assert segment_name(after.file) == "old.jsonl"


def test_one_upkeep_at_a_time(home: Home) -> None:
    """A second process that wants to change closed files is told so."""
    with (
        upkeep(home, patience=0),
        pytest.raises(BusyError, match="try again"),
        upkeep(home, patience=0),
    ):
        pass
    with upkeep(home, patience=0):
        pass


def test_the_line_checks_itself(segment: Path) -> None:
    """What sealing keeps can be checked without this program: the CRC of every good line holds."""
    text = SealedText(seal(segment)).read()
    good = 0
    for each in text.split(b"\n"):
        start, _, crc = each.rpartition(b',"crc":"')
        good += bool(start) and int(crc[:8], 16) == zlib.crc32(start)
    assert good == 27
