"""A ledger: a folder of small lines that many processes add to and everyone reads in full.

    <folder>/YYYY-MM-DD_<uuid>.jsonl     one file per process and day, never opened by another writer

The form of labels and of tombstones. It knows lines with a CRC, not what they say.
Invariants: a line is in the file, and on the disk, when `append` returns, and no part of it is when
`append` raises; a reader gives every finished line once, and a damaged one costs no other.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.errors import JournalError, RecordError
from dolphin_logger.journal.format import VERSION, decode, encode_fields
from dolphin_logger.journal.home import make_private_folder, open_private_file, sync_folder
from dolphin_logger.journal.lines import cut, open_segment


@dataclass(frozen=True, slots=True)
class Entry:
    """One line and where it lies, newline included."""

    fields: dict[str, Any]
    file: Path
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class BadEntry:
    """A line that is damaged or written by a newer version."""

    file: Path
    offset: int
    reason: str


class LedgerWriter:
    """Adds lines. Safe to use from several threads, and after a fork."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._descriptor = -1
        self._owner: tuple[int, str] | None = None  # process and day of the open file
        self._path = folder
        self._size = 0

    def append(self, *entries: Mapping[str, Any]) -> tuple[str, int]:
        """Write some lines, all or none; return their file's name and the offset of the first.

        Raises:
            JournalError: the disk is full, or the folder cannot be used.
        """
        line = b"".join(map(encode_fields, entries))
        with self._lock:
            try:
                self._open()
                written = os.write(self._descriptor, line)
                if written != len(line):
                    os.ftruncate(self._descriptor, self._size)
                    raise JournalError(f"{self._path}: no space is left; nothing was written")
                os.fsync(self._descriptor)
            except OSError as error:
                self._close()
                raise JournalError(f"{self._path}: cannot be written: {error.strerror}") from error
            offset, self._size = self._size, self._size + len(line)
            return self._path.name, offset

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _open(self) -> None:
        owner = (os.getpid(), time.strftime("%Y-%m-%d", time.gmtime()))
        if self._descriptor >= 0 and owner == self._owner and self._path.exists():
            return
        self._close()
        make_private_folder(self._folder)
        self._path = self._folder / f"{owner[1]}_{uuid.uuid4()}.jsonl"
        self._descriptor = open_private_file(self._path, append=True)
        sync_folder(self._folder)
        self._owner, self._size = owner, 0

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class LedgerReader:
    """Reads a ledger, and later what was added since."""

    def __init__(self, folder: Path, *, read: Mapping[str, int] | None = None) -> None:
        self._folder = folder
        self._read = dict(read or {})

    @property
    def read(self) -> Mapping[str, int]:
        """How far each file was read, in bytes; where another reader may go on."""
        return self._read

    def more(self) -> Iterator[Entry | BadEntry]:
        """Give what was finished since the last look, file by file, in the order of their names."""
        for path in sorted(self._folder.glob("*.jsonl")):
            start = self._read.get(path.name, 0)
            try:
                if path.stat().st_size <= start:
                    continue
            except FileNotFoundError:
                continue
            yield from self._more_of(path, start)

    def _more_of(self, path: Path, start: int) -> Iterator[Entry | BadEntry]:
        file = open_segment(path)
        if file is None:
            return
        with file:
            for offset, length, line in cut(file, start):
                if isinstance(line, str):
                    self._read[path.name] = offset + length
                    yield BadEntry(path, offset, line)
                    continue
                if not line.endswith(b"\n"):
                    break  # is being written, or its writer died
                self._read[path.name] = offset + length
                if line.strip():
                    yield _read_entry(line, path=path, offset=offset)


def _read_entry(line: bytes, *, path: Path, offset: int) -> Entry | BadEntry:
    try:
        fields = decode(line)
    except RecordError as error:
        return BadEntry(path, offset, str(error))
    if fields.get("v") != VERSION:
        return BadEntry(path, offset, "damaged: it has no version")
    return Entry(fields, path, offset, len(line))
