"""Pending: what the journal has that the index has not, of all segments, in the order of time.

It knows segments and offsets. Segments are read side by side only where their times overlap, so that
few are open at once. Invariant: within a segment the order is that of its lines, and an unfinished
line ends it.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import (
    BadLine,
    StoredRecord,
    import_segments,
    read_segment,
    segments,
)
from dolphin_logger.journal.sealed import segment_name, text_size


@dataclass(frozen=True, slots=True)
class Backlog:
    """A segment with text that was not read yet; `size` and `read` in bytes."""

    path: Path
    size: int
    read: int

    @property
    def name(self) -> str:
        """The segment's name, sealed or not."""
        return segment_name(self.path)


def files_of(home: Home) -> dict[str, Path]:
    """Give the files of records by their segments' names: recorded ones, then imported ones."""
    return {segment_name(path): path for path in (*segments(home), *import_segments(home))}


def backlog(files: Mapping[str, Path], known: Mapping[str, tuple[int, int]]) -> list[Backlog]:
    """List the segments that have grown; `known`: how far each was read, and how far seen.

    What was seen beyond what was read is a line that was not finished yet.
    """
    found = []
    for name, path in files.items():
        read, seen = known.get(name, (0, 0))
        size = text_size(path)
        if size > max(read, seen):
            found.append(Backlog(path, size, read))
    return found


Item: TypeAlias = StoredRecord | BadLine


def in_order(
    waiting: Collection[Backlog], *, removed: Collection[str]
) -> Iterator[tuple[Backlog, Item | None]]:
    """Give what is new in all of them, the earliest first; None where a segment ends with a whole line."""
    heap: list[tuple[str, int, bool, Item, Iterator[Item]]] = []
    sources = list(waiting)
    for number, source in enumerate(sources):
        first = next(_items(source, source.read, removed), None)
        if first is None:
            yield source, None
        else:
            heap.append((_time(first), number, False, first, iter(())))
    heapq.heapify(heap)
    while heap:
        time, number, is_open, item, items = heapq.heappop(heap)
        source = sources[number]
        if not is_open:  # looked at and closed again; its turn has come
            items = _items(source, source.read, removed)
            item = next(items, item)
        yield source, item
        following = next(items, None)
        if following is not None:
            heapq.heappush(heap, (max(time, _time(following)), number, True, following, items))
        elif isinstance(item, StoredRecord) or not item.incomplete:
            yield source, None


def _items(source: Backlog, offset: int, removed: Collection[str]) -> Iterator[Item]:
    for item in read_segment(source.path, offset=offset, removed=removed):
        yield item
        if isinstance(item, BadLine) and item.incomplete:
            return


def _time(item: Item) -> str:
    """Give a time that sorts; what has none keeps its place behind the line before."""
    return str(item.fields.get("time")) if isinstance(item, StoredRecord) else ""
