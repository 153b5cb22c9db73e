"""Scan: a part of a segment, read once: of each record what placing it needs, and its facts.

A worker reads a part and writes sketches in files of their own, each in order, so that nobody holds
those of all parts at once. It knows records one at a time, not how they belong together.
Invariants: a sketch is the same wherever a segment was cut; no words of a conversation are in it.
"""

from __future__ import annotations

import heapq
import itertools
import marshal
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeAlias

from dolphin_logger.conversation import Turn, canonical
from dolphin_logger.index.reading import Reading, read
from dolphin_logger.index.recent import Recent
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.lines import open_segment
from dolphin_logger.journal.reader import BadLine, StoredRecord, every_segment, read_segment
from dolphin_logger.journal.sealed import is_sealed, text_size

Order: TypeAlias = tuple[int, str, int, int]  # time, writer, seq, and the offset
_PART_BYTES: Final = 32 * 1024 * 1024
_MOST_TURNS: Final = 4000  # in one file of sketches
_MOST_HASHES: Final = 200_000
_LONGEST_COUNT: Final = (1 << 31) - 1
_SIZE: Final = struct.Struct("<I")
_TURN: Final = tuple(field.name for field in fields(Turn))


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines of a segment: from `start` to `end`, in bytes of its text."""

    path: Path
    start: int
    end: int
    number: int

    @property
    def size(self) -> int:
        """Its bytes of text."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Facts:
    """What a record tells besides its turn; `finish_reasons` of the choices that say something."""

    offset: int
    length: int
    model: str | None
    provider: str | None
    client: str | None
    outcome: str
    status: int | None
    publishable: bool | None
    source: str | None
    finish_reasons: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """One record: its turn and its facts."""

    turn: Turn
    facts: Facts

    @property
    def order(self) -> Order:
        """Where it stands among all others."""
        return (*self.turn.order, self.facts.offset)


@dataclass(frozen=True, slots=True)
class Run:
    """A file of sketches in order, and where the first of them stands."""

    path: Path
    first: Order


@dataclass(frozen=True, slots=True)
class Scanned:
    """What came of a part; `damaged` counts lines that are no records."""

    runs: tuple[Run, ...]
    damaged: int


def parts_of(home: Home) -> list[Part]:
    """Cut all segments into parts; a sealed one, which is read forwards only, is one."""
    parts: list[Part] = []
    for path in every_segment(home):
        size = text_size(path)
        if is_sealed(path) or size <= _PART_BYTES:
            cuts = [0, size]
        else:
            cuts = [0, *_cuts(path, size), size]
        for start, end in itertools.pairwise(cuts):
            if start < end:
                parts.append(Part(path, start, end, len(parts)))
    return parts


def scan(part: Part, *, removed: Collection[str], folder: Path) -> Scanned:
    """Read a part and write its sketches into files in a folder."""
    recent = Recent()
    runs: list[Run] = []
    held: list[Sketch] = []
    hashes = damaged = 0
    for item in read_segment(part.path, offset=part.start, removed=removed):
        if item.offset >= part.end:
            break
        if isinstance(item, BadLine):
            damaged += not item.incomplete
            continue
        sketch = _sketch(item, recent)
        held.append(sketch)
        hashes += len(sketch.turn.messages)
        if len(held) >= _MOST_TURNS or hashes >= _MOST_HASHES:
            runs.append(_write(held, folder / f"{part.number}-{len(runs)}"))
            held, hashes = [], 0
    if held:
        runs.append(_write(held, folder / f"{part.number}-{len(runs)}"))
    return Scanned(tuple(runs), damaged)


def in_order(runs: Sequence[Run]) -> Iterator[Sketch]:
    """Give the sketches of all runs in order; a file is open only while it is its time."""
    waiting = sorted(runs, key=lambda run: (run.first, run.path.name), reverse=True)
    heap: list[tuple[Order, int, Sketch, Iterator[Sketch]]] = []
    while waiting or heap:
        if waiting and (not heap or waiting[-1].first <= heap[0][0]):
            sketches, number = _read(waiting.pop().path), len(waiting)
        else:
            _, number, sketch, sketches = heapq.heappop(heap)
            yield sketch
        following = next(sketches, None)
        if following is not None:
            heapq.heappush(heap, (following.order, number, following, sketches))


def _cuts(path: Path, size: int) -> Iterator[int]:
    """Find beginnings of lines about every so many bytes."""
    file = open_segment(path)
    if file is None:
        return
    with file:
        position = _PART_BYTES
        while position < size:
            file.seek(position - 1)
            file.readline()
            position = file.tell()
            if position < size:
                yield position
            position += _PART_BYTES


def _sketch(record: StoredRecord, recent: Recent) -> Sketch:
    reading = read(record, recent)
    given: Mapping[str, Any] = record.fields
    return Sketch(
        reading.turn,
        Facts(
            offset=record.offset,
            length=record.length,
            model=_text(given.get("model")) or _text(given.get("provider_model")),
            provider=_text(given.get("provider")),
            client=_text((given.get("client") or {}).get("name")),
            outcome=str(given.get("outcome")),
            status=_count(given.get("status")),
            publishable=_flag((given.get("policy") or {}).get("publishable")),
            source=_text((given.get("imported") or {}).get("source")),
            finish_reasons=tuple(_reasons(reading)),
        ),
    )


def _reasons(reading: Reading) -> Iterator[str | None]:
    """Give why each choice ended that is one of the turn's `answers`."""
    choices = reading.answered.choices
    all_speak = len(choices) == len(reading.turn.answers)
    for choice in choices:
        if all_speak or canonical(choice.message):
            yield choice.finish_reason


def _write(held: list[Sketch], path: Path) -> Run:
    held.sort(key=lambda sketch: sketch.order)
    with path.open("wb") as file:
        for sketch in held:
            turn = tuple([getattr(sketch.turn, name) for name in _TURN])
            facts = tuple([getattr(sketch.facts, name) for name in Facts.__slots__])
            packed = marshal.dumps((turn, facts))
            file.write(_SIZE.pack(len(packed)) + packed)
    return Run(path, held[0].order)


def _read(path: Path) -> Iterator[Sketch]:
    with path.open("rb") as file:
        while size := file.read(_SIZE.size):
            packed = file.read(*_SIZE.unpack(size))
            turn, facts = marshal.loads(packed)  # noqa: S302 - written by this run, in its own folder
            yield Sketch(Turn(*turn), Facts(*facts))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _LONGEST_COUNT else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
