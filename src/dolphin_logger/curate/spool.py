"""The spool: whole conversations with their bodies, on the disk between two steps of a build.

    bucket file     one frame for each conversation, in sorted order: its size, then Zstandard of
                    a line of JSON (the records of the conversation, which of them follow, and how
                    long each is) and the lines of those, bodies in blobs put in

It knows how a conversation is written down and read, not why these records.
Invariants: a conversation is read without the others; a record is parsed when it is asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeAlias, overload

import orjson
import zstandard

from dolphin_logger.conversation import Relation
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.index.contents import from_json

Record: TypeAlias = tuple[Surveyed, dict[str, Any]]
_SIZE: Final = struct.Struct("<Q")
_LEVEL: Final = 1
_WINDOW_LOG: Final = 27
_LONG: Final = 1024 * 1024  # bytes; what is longer may repeat itself from afar
_COLUMNS: Final = tuple(column.name for column in fields(Surveyed))


@dataclass(frozen=True, slots=True)
class Gathered:
    """A conversation with bodies.

    Attributes:
        records: those that were gathered, in the order of time, each with its fields; a sequence
            that may parse a record anew each time that it is asked for.
        around: every record of the conversation, gathered or not, in the order of time.
    """

    conversation: str
    records: Sequence[Record]
    around: Sequence[Surveyed] = field(default_factory=tuple)


class Lines(Sequence[Record]):
    """Records as lines, parsed when asked for."""

    def __init__(self, surveyed: Sequence[Surveyed], text: bytes, spans: Sequence[slice]) -> None:
        self._surveyed = surveyed
        self._text = text
        self._spans = spans

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        if isinstance(index, slice):
            return Lines(self._surveyed[index], self._text, self._spans[index])
        return self._surveyed[index], from_json(self._text[self._spans[index]])


def head_of(around: Sequence[Surveyed], wanted: Sequence[int]) -> bytes:
    """Write the records of a conversation, and the places of those that are wanted, as one line."""
    rows = [[_plain(getattr(one, name)) for name in _COLUMNS] for one in around]
    return orjson.dumps({"around": rows, "wanted": list(wanted)}) + b"\n"


def frame_of(head: bytes, lines: Mapping[int, bytes]) -> bytes:
    """Write a conversation: its head, and the lines by their places in it; empty when none is there."""
    told = orjson.loads(head)
    there = [place for place in told["wanted"] if place in lines]
    if not there:
        return b""
    told["wanted"] = [[place, len(lines[place])] for place in there]
    text = b"".join([orjson.dumps(told), b"\n", *(lines[place] for place in there)])
    packed = compress(text)
    return _SIZE.pack(len(packed)) + packed


def read_bucket(path: Path) -> Iterator[Gathered]:
    """Read the conversations of a bucket, in sorted order."""
    with path.open("rb") as file:
        while size := file.read(_SIZE.size):
            yield _read(decompress(file.read(*_SIZE.unpack(size))))


def compress(text: bytes) -> bytes:
    """Compress; what an agent sends again with every turn costs almost nothing."""
    window = min(max(10, len(text).bit_length()), _WINDOW_LOG)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, source_size=len(text), window_log=window, enable_ldm=len(text) > _LONG
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(text)


def decompress(packed: bytes) -> bytes:
    """Give back what was compressed."""
    return zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG).decompress(packed)


def _read(text: bytes) -> Gathered:
    start = text.index(b"\n") + 1
    told = orjson.loads(text[:start])
    around = [_surveyed(row) for row in told["around"]]
    spans = []
    for _, length in told["wanted"]:
        spans.append(slice(start, start + length))
        start += length
    surveyed = [around[place] for place, _ in told["wanted"]]
    return Gathered(around[0].conversation, Lines(surveyed, text, spans), around)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _surveyed(row: Sequence[Any]) -> Surveyed:
    given = dict(zip(_COLUMNS, row, strict=True))
    given["relation"] = Relation(given["relation"])
    given["tip"] = bytes.fromhex(given["tip"])
    return Surveyed(**given)
