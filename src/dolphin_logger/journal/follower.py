"""The follower: records as they appear, in every segment of a home.

It looks when asked to and never waits by itself. It survives rotation, midnight, new and ended
processes, and files that vanish.
Invariants: every finished line is given once and only once; an unfinished one is given later, when
it is finished.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dolphin_logger.journal.home import Home
from dolphin_logger.journal.lines import end_of_lines
from dolphin_logger.journal.reader import (
    BadLine,
    StoredRecord,
    newest,
    read_segment,
    segments,
)


class Follower:
    """Remembers how far each file was read. Starts at what is there now."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read = {path: end_of_lines(path) for path in segments(home)}
        self._sizes: dict[Path, int] = {}

    def latest(self, count: int) -> list[StoredRecord | BadLine]:
        """Give the newest records before the start, oldest first."""
        items = newest(self._home, count=count) if count else []
        return [item for item in reversed(items) if item.offset < self._read.get(item.file, 0)]

    def more(self) -> Iterator[StoredRecord | BadLine]:
        """Give what was finished since the last look; keep the order within each file."""
        for path in segments(self._home):
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                continue
            if size == self._sizes.get(path):
                continue
            self._sizes[path] = size
            self._read[path] = min(self._read.get(path, 0), size)
            for item in read_segment(path, offset=self._read[path]):
                if isinstance(item, BadLine) and item.incomplete:
                    break
                self._read[path] = max(self._read[path], item.offset + item.length)
                yield item
