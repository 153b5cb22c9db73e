"""A snapshot: the bytes of another program's file at one moment, in a copy that nobody else changes.

The file is opened only to read, never through a link in its place, never waited for; the copy has no
name, so that a killed import leaves nothing behind. It knows no format but that an SQLite file has a
write-ahead log beside it.
Invariant: what is decoded is what is archived.
"""

from __future__ import annotations

import mmap
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dolphin_logger.errors import SourceError
from dolphin_logger.importers._api import Buffer, Content

_CHUNK = 1024 * 1024
_SQLITE = b"SQLite format 3\x00"
_TRIES = 3
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One file: its copies, to be archived, and their bytes, to be decoded."""

    content: Content
    file: IO[bytes]
    log: IO[bytes] | None


def stamp(path: Path) -> str:
    """Say what changes when somebody writes to a file, or to the log beside it.

    Raises:
        SourceError: it is gone, or no regular file.
    """
    marks = [_mark(_status(path))]
    try:
        marks.append(_mark(_log_of(path).lstat()))
    except OSError:
        marks.append("-")
    return " ".join(marks)


@contextmanager
def snapshot(path: Path, *, folder: Path | None) -> Iterator[Snapshot]:
    """Copy a file into a nameless one in `folder` (None: the system's).

    Raises:
        SourceError: it cannot be read, or is written so busily that no moment can be had.
    """
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
        log = None
        for _ in range(_TRIES):
            before, status = stamp(path), _copy(path, file)
            if not _begins(file, _SQLITE):
                break
            log = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            try:
                _copy(_log_of(path), log)
            except SourceError:
                log = None
            if stamp(path) == before:
                break
        else:
            raise SourceError(f"{path}: is being written; it is tried again next time")
        content = Content(
            data=stack.enter_context(mapped(file)),
            path=path,
            modified_ns=status.st_mtime_ns,
            idle=max(0.0, time.time() - status.st_mtime),
            log=b"" if log is None else stack.enter_context(mapped(log)),
        )
        yield Snapshot(content, file, log)


@contextmanager
def mapped(file: IO[bytes]) -> Iterator[Buffer]:
    """Give the bytes of a copy of ours without holding them in memory."""
    file.flush()
    if os.fstat(file.fileno()).st_size == 0:
        yield b""
        return
    with closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as data:
        yield data


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _status(path: Path) -> os.stat_result:
    try:
        status = path.lstat()
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path}: is no regular file: give the path of the file itself")
    return status


def _copy(path: Path, target: IO[bytes]) -> os.stat_result:
    """Copy as many bytes as the file has now: it may grow meanwhile."""
    target.seek(0)
    target.truncate()
    _status(path)
    try:
        with os.fdopen(os.open(path, _FLAGS), "rb", buffering=0) as source:
            status = os.fstat(source.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SourceError(f"{path}: is no regular file: give the path of the file itself")
            left = status.st_size
            while left and (chunk := source.read(min(left, _CHUNK))):
                target.write(chunk)
                left -= len(chunk)
    except OSError as error:
        raise SourceError(f"{path}: cannot be copied: {error.strerror}") from error
    return status


def _begins(file: IO[bytes], magic: bytes) -> bool:
    file.seek(0)
    begin = file.read(len(magic))
    file.seek(0, os.SEEK_END)
    return begin == magic


def _mark(status: os.stat_result) -> str:
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
