"""Blanking: text is taken out of a line by writing spaces over it.

The line stays as long as it was, so every offset that anybody remembers stays right, and a segment
that a living process appends to can be cleared by another one. It knows bytes, not records.
Invariant: a process killed meanwhile leaves the head of the line, which says whose text it was, until
the rest is gone; so whoever comes next can finish.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.locks import try_lock

Span = tuple[int, int]  # start and length in bytes

_HEAD = 256  # bytes; ids stand within
_SPACES = b" " * (256 * 1024)
_PAGE = (
    4096  # a write within a page is done as a whole or not at all, also when the process is killed
)
_FLAGS = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def blank_file(path: Path, spans: Collection[Span]) -> None:
    """Write spaces over parts of a file, and make that durable. A file that is gone needs none.

    The file keeps its time, unless somebody is writing it.

    Raises:
        JournalError: it cannot be written.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise JournalError(f"{path}: text cannot be erased: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        for start, length in spans:
            _overwrite(descriptor, start + _HEAD, length - _HEAD)
        for start, length in spans:
            _overwrite_backwards(descriptor, start, min(length, _HEAD))
        os.fsync(descriptor)
        if try_lock(descriptor):
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    except OSError as error:
        raise JournalError(f"{path}: text cannot be erased: {error.strerror}") from error
    finally:
        os.close(descriptor)


def blank_bytes(line: bytes, spans: Collection[Span]) -> bytes:
    """Give a line with spaces over parts of it."""
    for start, length in spans:
        line = line[:start] + b" " * length + line[start + length :]
    return line


def _overwrite(descriptor: int, start: int, length: int) -> None:
    while length > 0:
        written = os.pwrite(descriptor, _SPACES[:length], start)
        start, length = start + written, length - written


def _overwrite_backwards(descriptor: int, start: int, length: int) -> None:
    """Take the end first, page by page: what says whose text it is goes last."""
    end = start + length
    while end > start:
        begin = max(start, (end - 1) // _PAGE * _PAGE)
        _overwrite(descriptor, begin, end - begin)
        end = begin
