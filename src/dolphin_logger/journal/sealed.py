"""Sealed text: a compressed segment (`X.jsonl.zst`), read as the text that it was (`X.jsonl`).

Offsets are those of the text, so that nobody who remembers one needs to know whether a segment has
been sealed meanwhile. It knows Zstandard frames (RFC 8878), not lines. A frame refers to all of its
past, so going back means starting again: readers go forwards.
Invariant: what is read is the text, or an error; never less of it without a word.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

import zstandard

from dolphin_logger.errors import RecordError

SUFFIX = ".zst"
WINDOW_LOG = 27  # 128 MiB: the most that zstd's own tools accept without an option
_HEADER = 18  # bytes; the longest frame header
_PIECE = 256 * 1024


def is_sealed(path: Path) -> bool:
    """Say whether a file's name is that of a sealed segment."""
    return path.suffix == SUFFIX


def segment_name(path: Path) -> str:
    """Give the name that a segment has for ever: that of its text."""
    return path.name.removesuffix(SUFFIX)


def other_name(path: Path) -> Path:
    """Give the name under which the same text lies before, or after, it is sealed."""
    return path.with_name(segment_name(path) + ("" if is_sealed(path) else SUFFIX))


def text_size(path: Path) -> int:
    """Give the length of a segment's text in bytes, sealed or not; 0 when it is not there or no such file."""
    for each in (path, other_name(path)):
        try:
            return max(0, _stated_size(each)) if is_sealed(each) else each.stat().st_size
        except FileNotFoundError:
            continue
    return 0


def _stated_size(path: Path) -> int:
    """Read the size from the head of the frame: 0 when it says none, -1 when there is no frame."""
    with path.open("rb") as file:
        try:
            size = zstandard.frame_content_size(file.read(_HEADER))
        except zstandard.ZstdError:
            return -1
    return max(0, size)


class SealedText(io.RawIOBase):
    """The text of a sealed segment as a file that is read forwards; seeking back reads again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = _stated_size(path)
        self._file: BinaryIO = path.open("rb")
        self._restart()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, at a price."""
        return True

    def fileno(self) -> int:
        """Give the descriptor of the compressed file."""
        return self._file.fileno()

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # the buffer that io hands in
        """Read some text.

        Raises:
            RecordError: it is damaged here, or cut off.
        """
        try:
            count = self._text.readinto(target)
        except zstandard.ZstdError as error:
            raise RecordError(
                f"{self._path}: damaged behind byte {self._position} of its text: {error}"
            ) from error
        if not count and self._size < 0:
            raise RecordError(f"{self._path}: is no Zstandard file")
        if not count and self._position < self._size:
            raise RecordError(
                f"{self._path}: ends at byte {self._position} of {self._size} of its text"
            )
        self._position += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset of the text."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            offset += self._size
        if offset < self._position:
            self._restart()
        piece = memoryview(bytearray(_PIECE))
        while self._position < offset:
            if not self.readinto(piece[: min(_PIECE, offset - self._position)]):
                break
        return self._position

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def _restart(self) -> None:
        self._file.seek(0)
        self._position = 0
        reader = zstandard.ZstdDecompressor(max_window_size=1 << WINDOW_LOG)
        self._text = reader.stream_reader(self._file, read_across_frames=True, closefd=False)
