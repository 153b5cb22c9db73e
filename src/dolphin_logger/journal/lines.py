"""Lines: a file cut at its newlines, from either end, in bounded memory.

It knows bytes, not records. Invariant: what it holds is one line of at most LINE_LIMIT and one
block; a longer line is passed over and given as None, with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dolphin_logger.errors import JournalError, RecordError

LINE_LIMIT = 512 * 1024 * 1024  # bytes; bodies are at most 64 MiB, so a longer line is none of ours
_BLOCK = _BUFFER = 256 * 1024


def open_segment(path: Path) -> BinaryIO | None:
    """Open a file of records; None when there is none.

    Raises:
        JournalError: it cannot be read.
    """
    try:
        return path.open("rb", buffering=_BUFFER)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from error


def cut(file: BinaryIO, offset: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Cut a file into lines: start, length, bytes with the newline (None: too long to hold)."""
    file.seek(offset)
    while line := file.readline(LINE_LIMIT):
        start, offset = offset, offset + len(line)
        if len(line) < LINE_LIMIT:
            yield start, len(line), line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_BLOCK)
            offset += len(line)
        yield start, offset - start, None


def cut_backwards(path: Path, size: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Cut a file into lines, the last one first, in the form of `cut`."""
    pieces: list[bytes] = []  # of the line being put together, its end first
    length = 0
    for position in range((size - 1) // _BLOCK * _BLOCK, -1, -_BLOCK):
        block = read_block(path, position, min(_BLOCK, size - position))
        stop = end = len(block)
        while (newline := block.rfind(b"\n", 0, end)) >= 0:
            pieces.append(block[newline + 1 : stop])
            length += stop - newline - 1
            yield position + newline + 1, length, _joined(pieces, length)
            pieces, length = [], 0
            stop, end = newline + 1, newline
        pieces.append(block[:stop])
        length += stop
        if length >= LINE_LIMIT:
            pieces = []
    if length:
        yield 0, length, _joined(pieces, length)


def _joined(pieces: list[bytes], length: int) -> bytes | None:
    return None if length >= LINE_LIMIT else b"".join(reversed(pieces))


def read_block(path: Path, start: int, length: int) -> bytes:
    """Read some bytes; the file is open only meanwhile.

    Raises:
        RecordError: the file has been removed.
    """
    file = open_segment(path)
    if file is None:
        raise RecordError(f"{path}: was removed while it was read")
    with file:
        file.seek(start)
        return file.read(length)


def end_of_lines(path: Path) -> int:
    """Find the offset behind the last finished line of a file."""
    size = path.stat().st_size if path.exists() else 0
    for position in range((size - 1) // _BLOCK * _BLOCK, -1, -_BLOCK):
        newline = read_block(path, position, min(_BLOCK, size - position)).rfind(b"\n")
        if newline >= 0:
            return position + newline + 1
    return 0
