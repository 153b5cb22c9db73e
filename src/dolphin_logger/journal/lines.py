"""Lines: the text of a segment cut at its newlines, from either end, in bounded memory.

It knows bytes, not records, and reads sealed segments like all others. Invariant: what it holds is
one line of at most LINE_LIMIT and one block (of a sealed segment from its end: 64 MiB); what cannot
be read is passed over and given as the reason, with its place.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dolphin_logger.errors import JournalError, RecordError
from dolphin_logger.journal.sealed import SealedText, is_sealed, other_name, text_size

LINE_LIMIT = 512 * 1024 * 1024  # bytes; bodies are at most 64 MiB, so a longer line is none of ours
_BLOCK = _BUFFER = 256 * 1024
_TAIL = 64 * 1024 * 1024  # bytes of a sealed segment that are held to read it backwards
_TOO_LONG = f"longer than {LINE_LIMIT} bytes"

Line = tuple[
    int, int, bytes | str
]  # start, length, and the bytes with the newline or why there are none


def open_segment(path: Path) -> BinaryIO | None:
    """Open the text of a segment, also if it was sealed since it was listed; None when there is none.

    Raises:
        JournalError: it cannot be read.
    """
    for each in (path, other_name(path)):
        try:
            if is_sealed(each):
                return io.BufferedReader(SealedText(each), _BUFFER)
            return each.open("rb", buffering=_BUFFER)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise JournalError(f"{each}: cannot be read: {error.strerror}") from error
    return None


def cut(file: BinaryIO, offset: int) -> Iterator[Line]:
    """Cut a text into lines. Where a sealed one is damaged, nothing follows the reason."""
    try:
        file.seek(offset)
        while line := file.readline(LINE_LIMIT):
            start, offset = offset, offset + len(line)
            if len(line) < LINE_LIMIT:
                yield start, len(line), line
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(_BLOCK)
                offset += len(line)
            yield start, offset - start, _TOO_LONG
    except RecordError as error:
        yield offset, 0, str(error)


def cut_backwards(path: Path) -> Iterator[Line]:
    """Cut a text into lines, the last one first."""
    if is_sealed(path):
        yield from _cut_sealed_backwards(path)
    else:
        yield from _cut_plain_backwards(path, text_size(path))


def _cut_sealed_backwards(path: Path) -> Iterator[Line]:
    """Go through the whole text and keep its end; go again for what was before, if that is asked for."""
    end: int | None = None
    while end is None or end > 0:
        file = open_segment(path)
        if file is None:
            return
        tail: deque[Line] = deque()
        held = 0
        with file:
            for line in cut(file, 0):
                if end is not None and line[0] >= end:
                    break
                tail.append(line)
                held += line[1]
                while held > _TAIL and len(tail) > 1:
                    held -= tail.popleft()[1]
        if not tail:
            return
        end = tail[0][0]
        while tail:
            yield tail.pop()


def _cut_plain_backwards(path: Path, size: int) -> Iterator[Line]:
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


def _joined(pieces: list[bytes], length: int) -> bytes | str:
    return _TOO_LONG if length >= LINE_LIMIT else b"".join(reversed(pieces))


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
    """Find the offset behind the last finished line; a sealed segment is finished as a whole."""
    size = text_size(path)
    if is_sealed(path):
        return size
    for position in range((size - 1) // _BLOCK * _BLOCK, -1, -_BLOCK):
        newline = read_block(path, position, min(_BLOCK, size - position)).rfind(b"\n")
        if newline >= 0:
            return position + newline + 1
    return 0
