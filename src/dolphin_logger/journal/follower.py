"""The follower: records as they appear, in every segment of a home.

It looks when asked to and never waits by itself. It survives rotation, midnight, new and ended
processes, sealing, and files that vanish.
Invariants: every finished line is given once and only once; an unfinished one is given later, when
it is finished.
"""

from __future__ import annotations

from collections.abc import Iterator

from dolphin_logger.journal.home import Home
from dolphin_logger.journal.lines import end_of_lines
from dolphin_logger.journal.reader import (
    BadLine,
    StoredRecord,
    newest,
    read_segment,
    segments,
)
from dolphin_logger.journal.sealed import is_sealed, segment_name, text_size


class Follower:
    """Remembers how far each file was read. Starts at what is there now."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read = {segment_name(path): end_of_lines(path) for path in segments(home)}
        self._sizes: dict[str, int] = {}
        self._sealed: set[str] = set()  # read through: nothing will come

    def latest(self, count: int) -> list[StoredRecord | BadLine]:
        """Give the newest records before the start, oldest first."""
        items = newest(self._home, count=count) if count else []
        read = self._read
        return [i for i in reversed(items) if i.offset < read.get(segment_name(i.file), 0)]

    def more(self) -> Iterator[StoredRecord | BadLine]:
        """Give what was finished since the last look; keep the order within each file."""
        for path in segments(self._home):
            name = segment_name(path)
            if name in self._sealed:
                continue
            size = text_size(path)
            if is_sealed(path):
                self._sealed.add(name)
            if size == self._sizes.get(name):
                continue
            self._sizes[name] = size
            self._read[name] = min(self._read.get(name, 0), size)
            for item in read_segment(path, offset=self._read[name]):
                if isinstance(item, BadLine) and item.incomplete:
                    break
                self._read[name] = max(self._read[name], item.offset + item.length)
                yield item
