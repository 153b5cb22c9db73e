"""What stitching remembers, in small pieces that any store can keep.

Marks lead from a hash to the latest records (or next hashes) that it stood for; a Placed is what is
remembered of one record; an alias leads from a conversation's old id to its present one.
Invariant: everything is keyed, nothing is listed: a store needs no scans and no order but that of
the values of one mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from dolphin_logger.conversation.placement import Placement

LATEST: Final = 16  # values of one mark that a store has to keep


@dataclass(frozen=True, slots=True)
class Placed:
    """A record in its place, with the facts that later turns ask for.

    Attributes:
        placement: as it was given; its conversation may have become an alias since.
        tip: the hash of the history with the answer; without one, of the history.
        depth: number of messages of the history.
        said: hashes of the answer's longest lines.
        complete: whether a whole answer was given.
        summary: whether the answer was to be a summary.
    """

    placement: Placement
    time: int
    ended: int
    writer: str
    seq: int
    session: str | None
    tip: bytes
    depth: int
    said: tuple[bytes, ...]
    model: str
    system: bytes
    tools: bytes
    complete: bool
    summary: bool

    @property
    def order(self) -> tuple[int, str, int]:
        """Where the record stands among all others."""
        return self.time, self.writer, self.seq

    @property
    def record(self) -> str:
        """The record's id."""
        return self.placement.record


class Nodes(Protocol):
    """A store of what stitching remembers."""

    def find(self, mark: bytes) -> Sequence[str]:
        """Give the values of a mark, the one put last at the end: the LATEST of them at least."""
        ...

    def put(self, mark: bytes, value: str) -> None:
        """Put a value last under a mark; it stands there once."""
        ...

    def placed(self, record: str) -> Placed | None:
        """Give what is remembered of a record."""
        ...

    def keep(self, placed: Placed) -> None:
        """Remember a record."""
        ...

    def alias(self, conversation: str) -> str | None:
        """Give the id that took the place of this one, if one did."""
        ...

    def rename(self, conversation: str, new: str) -> None:
        """Let another id take the place of this one."""
        ...


class MemoryNodes:
    """A store in memory: for one file, one test, or one worker of many."""

    def __init__(self) -> None:
        self._marks: dict[bytes, tuple[str, ...]] = {}
        self._placed: dict[str, Placed] = {}
        self._aliases: dict[str, str] = {}

    def find(self, mark: bytes) -> Sequence[str]:
        """Give the values of a mark, the one put last at the end."""
        return self._marks.get(mark, ())

    def put(self, mark: bytes, value: str) -> None:
        """Put a value last under a mark."""
        known = self._marks.get(mark, ())
        if value in known:
            known = tuple([one for one in known if one != value])
        self._marks[mark] = (*known[1 - LATEST :], value)

    def placed(self, record: str) -> Placed | None:
        """Give what is remembered of a record."""
        return self._placed.get(record)

    def keep(self, placed: Placed) -> None:
        """Remember a record."""
        self._placed[placed.record] = placed

    def alias(self, conversation: str) -> str | None:
        """Give the id that took the place of this one."""
        return self._aliases.get(conversation)

    def rename(self, conversation: str, new: str) -> None:
        """Let another id take the place of this one."""
        self._aliases[conversation] = new
