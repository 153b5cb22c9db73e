"""Backup: a home in one file and back, while it is written to; and a home that was simply copied."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard
from tests.support.homes import line, write_segment

from dolphin_logger.errors import JournalError
from dolphin_logger.journal import backup as backing
from dolphin_logger.journal.backup import restore_backup, write_backup
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter, read_labels
from dolphin_logger.journal.locks import upkeep
from dolphin_logger.journal.reader import StoredRecord, body, find, read_home
from dolphin_logger.journal.removal import erase, hide
from dolphin_logger.journal.seal import seal_segment
from dolphin_logger.journal.writer import Journal


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with everything in it: plain and sealed segments, a blob, labels, a removed record."""
    made = Home(tmp_path / "first" / "home")
    writer = Journal(made).blob()
    writer.write(b'{"big":true}')
    reference = writer.commit(media_type="application/json").to_json()
    sealed = write_segment(made, 1, line(1), line(2, request=reference))
    seal_segment(sealed, progress=lambda _: None)
    write_segment(made, 2, line(3), line(4, text="removed"), line(5)[:40])
    (made.logs / "old.jsonl").write_bytes(b'{"request":{},"response":"x"}\n')
    os.utime(made.logs / "old.jsonl", ns=(10**18 + 123_456_789,) * 2)
    gone = next(item for item in read_home(made) if "removed" in str(item))
    assert isinstance(gone, StoredRecord)
    hide(made, [gone])
    with upkeep(made, patience=0):
        erase(made, progress=lambda _: None)
    LabelWriter(made).write(next(iter(records(made))), "rating", 4)
    made.config.write_text('{"models":[],"token":"secret"}')
    (made.path / "cache").mkdir()
    (made.path / "cache" / "index").write_text("derived")
    return made


def records(home: Home) -> dict[str, object]:
    """Everything that a reader sees of the records of a home."""
    return {
        item.id: (item.fields, item.offset, body(item, "request"))
        for item in read_home(home)
        if isinstance(item, StoredRecord)
    }


def copy(home: Home, target: Path, *, with_config: bool = False) -> Path:
    """Back up."""
    with upkeep(home, patience=0):
        write_backup(home, target, with_config=with_config, progress=lambda _: None)
    return target


def restore(source: Path, home: Home) -> Home:
    """Restore."""
    home.prepare()
    with upkeep(home, patience=0):
        restore_backup(source, home, progress=lambda _: None)
    return home


def test_there_and_back(home: Home, tmp_path: Path) -> None:
    """Records, times, blobs, labels and tombstones come back; keys, caches and torn ends do not leave."""
    file = copy(home, tmp_path / "b.tar.zst")
    other = restore(file, Home(tmp_path / "second" / "home"))
    assert records(other) == records(home)
    assert len(records(other)) == 4
    rated = next(iter(records(home)))
    assert read_labels(other).marks(rated).rating == 4
    assert not other.config.exists()
    assert not (other.path / "cache").exists()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for path in other.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert not list(other.path.glob(".restore-*"))
    assert b"secret" not in zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()


def test_the_configuration_only_when_asked_for(home: Home, tmp_path: Path) -> None:
    """With it the keys travel; a configuration that is there already stays."""
    file = copy(home, tmp_path / "b.tar.zst", with_config=True)
    other = restore(file, Home(tmp_path / "a"))
    assert other.config.read_text() == home.config.read_text()
    third = Home(tmp_path / "b")
    third.prepare()
    third.config.write_text("mine")
    assert restore(file, third).config.read_text() == "mine"


@pytest.mark.debian
@pytest.mark.skipif(not shutil.which("zstd"), reason="needs zstd (Debian)")
def test_other_tools_read_it(home: Home, tmp_path: Path) -> None:
    """`tar` and `zstd` unpack it without an option."""
    file = copy(home, tmp_path / "b.tar.zst")
    listed = subprocess.run(
        ["tar", "--zstd", "-tf", file], capture_output=True, check=True, text=True
    ).stdout.split()
    assert "backup.json" in listed
    assert f"logs/{next(home.logs.glob('*.zst')).name}" in listed


def test_while_it_is_written_to(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that is half there, and lines that come meanwhile, leave a copy of whole lines."""
    eighth = line(8)
    growing = write_segment(home, 9, line(7), eighth[:50])
    real = backing._member

    def grow(*arguments: object, **named: object) -> object:
        if b"m9" not in growing.read_bytes():
            with growing.open("ab") as file:
                file.write(eighth[50:] + line(9))
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(backing, "_member", grow)
    file = copy(home, tmp_path / "b.tar.zst")
    other = restore(file, Home(tmp_path / "second"))
    assert all(isinstance(item, StoredRecord) for item in read_home(other))
    assert {"m7"} <= {item.fields["model"] for item in read_home(other)}  # type: ignore[union-attr]


def test_only_into_an_empty_home(home: Home, tmp_path: Path) -> None:
    """A home that has anything is left as it is; a file that exists is not overwritten."""
    file = copy(home, tmp_path / "b.tar.zst")
    before = records(home)
    with pytest.raises(JournalError, match="is not empty"):
        restore(file, home)
    assert records(home) == before
    with pytest.raises(JournalError, match="exists"):
        copy(home, file)


def test_a_damaged_backup_restores_nothing(home: Home, tmp_path: Path) -> None:
    """Cut off, changed, no backup at all, or with files that no backup has: nothing is taken."""
    whole = copy(home, tmp_path / "b.tar.zst").read_bytes()
    text = zstandard.ZstdDecompressor().stream_reader(whole).read()

    def pack(data: bytes) -> bytes:
        return zstandard.ZstdCompressor().compress(data)

    def evil(name: str, **more: object) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            member = tarfile.TarInfo(name)
            member.size = 3
            for key, value in more.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(b"abc"))
        return pack(buffer.getvalue())

    broken = [
        whole[: len(whole) // 2],
        whole[: -len(whole) // 8],
        b"",
        b"no backup",
        pack(b""),
        pack(text.replace(b"question 3", b"question 9")),
        pack(text.replace(b'"v": 1, "time"', b'"v": 1, "tame"').replace(b'"files"', b'"filez"')),
        evil("../evil"),
        evil("logs/../../evil"),
        evil("/etc/evil"),
        evil("evil"),
        evil("logs/a.jsonl"),
        evil("logs/link", type=tarfile.SYMTYPE, linkname="/etc/passwd", size=0),
    ]
    source = tmp_path / "broken"
    for data in broken:
        source.write_bytes(data)
        other = Home(tmp_path / "other")
        with pytest.raises(JournalError, match=str(source)):
            restore(source, other)
        assert list(read_home(other)) == []
        assert {path.name for path in other.path.iterdir()} == {"logs", "run"}
    assert not list(tmp_path.rglob("evil*"))


def test_what_does_not_read_back_is_not_kept(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that the disk changed does not get its name, and leaves nothing behind."""
    monkeypatch.setattr(backing, "_copy", lambda *_, **__: ("0" * 64, 1))
    with pytest.raises(JournalError, match="is damaged"):
        copy(home, tmp_path / "b.tar.zst")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_copied_home_works(home: Home, tmp_path: Path) -> None:
    """After `cp -r` every record, label and blob is there, and no file knows where it was before."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(home.path, moved)
    before, rated = records(home), next(iter(records(home)))
    shutil.rmtree(home.path)
    other = Home(moved)
    assert records(other) == before
    assert find(other, rated[-8:]).id == rated
    assert read_labels(other).marks(rated).rating == 4
    for path in moved.rglob("*"):
        if path.is_file():
            assert str(home.path).encode() not in path.read_bytes()
    LabelWriter(other).write(rated, "rating", 1)
    assert read_labels(other).marks(rated).rating == 1
    assert json.loads(next(other.logs.glob("*.manifest.json")).read_text())["records"] == 2
