"""The survey: every record of a home in its place, without what was said.

All segments are read once, side by side; what each record is, is put together here, in the order in
which all was asked. It knows hashes and facts, no words, and not what anybody wants of them.
Invariants: the same home gives the same survey, however many workers there are and however its files
are called or cut; what is held of a record is its row in columns, a few hundred bytes.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dolphin_logger.conversation import Relation
from dolphin_logger.curate.placing import Placing, Rows
from dolphin_logger.curate.remembered import NOBODY, RELATIONS, Remembered
from dolphin_logger.curate.scan import in_order, parts_of, scan
from dolphin_logger.curate.workers import spread, workers_for
from dolphin_logger.journal.home import Home, make_private_folder
from dolphin_logger.journal.tombstones import removed_ids


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Facts of one record, without what was said.

    Attributes:
        segment: the name of the segment; `offset` and `length` are bytes of its text.
        conversation: the id of the conversation's earliest record.
        parent, relation: as stitching placed it.
        before: the record whose history and answer come before this one's messages, unsaid
            (`imported.after`, `previous_response_id`), if it is there.
        is_whole: whether all of the history is there.
        is_leaf: it ends a branch: a whole answer, nobody goes on from it, no side task, no duplicate.
        time: the request's start in UNIX microseconds.
        source: the importer's name; None when it was recorded on the wire.
        choice: the number, among the choices that say something, of the one that was gone on from;
            else the first. `finish_reason` is its.
        messages: how many the history has, those that come before it included.
        is_side, is_replay: the client asked for itself; another record's request was asked again.
        tip: content hash of history and answer; empty where nothing was said.
        is_answered: whether a whole answer was given, in words.
    """

    id: str
    segment: str
    offset: int
    length: int
    conversation: str
    parent: str | None
    relation: Relation
    before: str | None
    is_whole: bool
    is_leaf: bool
    time: int
    model: str | None
    provider: str | None
    client: str | None
    outcome: str
    status: int | None
    publishable: bool | None
    source: str | None
    finish_reason: str | None
    choice: int
    messages: int
    is_side: bool
    is_replay: bool
    tip: bytes
    is_answered: bool = True


class Survey:
    """All records of a home, in the order (time, writer, seq); `damaged` counts lines that are none."""

    def __init__(self, remembered: Remembered, rows: Rows, *, damaged: int) -> None:
        self.damaged = damaged
        self._remembered = remembered
        self._rows = rows
        count = len(remembered.ids)
        self._of = array("I", (remembered.conversation(number) for number in range(count)))
        self._grouped = array("I", sorted(range(count), key=self._of.__getitem__))
        self._starts = array("I", bytes(4 * count))
        for place in range(count - 1, -1, -1):
            self._starts[self._of[self._grouped[place]]] = place

    def __len__(self) -> int:
        return len(self._of)

    def __iter__(self) -> Iterator[Surveyed]:
        return map(self._read, range(len(self)))

    def get(self, record: str) -> Surveyed | None:
        """Give the facts of one record; None where there is no such record."""
        number = self._remembered.ids.number(record)
        return None if number is None else self._read(number)

    def conversation(self, record: str) -> list[Surveyed]:
        """Give the records of the conversation that an id names, or that holds the record it names."""
        number = self._remembered.ids.number(record)
        if number is None:
            return []
        first = self._of[number]
        found = []
        for place in range(self._starts[first], len(self)):
            if self._of[self._grouped[place]] != first:
                break
            found.append(self._read(self._grouped[place]))
        return found

    def _read(self, number: int) -> Surveyed:
        remembered, rows = self._remembered, self._rows
        parent, before = remembered.parents[number], rows.befores[number]
        relation = RELATIONS[remembered.relations[number]]
        return Surveyed(
            id=remembered.ids[number],
            conversation=remembered.ids[self._of[number]],
            parent=None if parent == NOBODY else remembered.ids[parent],
            relation=relation,
            before=None if before == NOBODY else remembered.ids[before],
            is_side=relation is Relation.SIDE,
            tip=rows.tip(number) or remembered.tip(number),
            **rows.facts(number),
        )


def survey(home: Home, *, workers: int, advance: Callable[[int], object]) -> Survey:
    """Read every record of a home; `advance` is told how many more bytes of text are through.

    Raises:
        JournalError: a segment cannot be read.
        DatasetError: a worker process was ended.
    """
    make_private_folder(home.cache)
    with tempfile.TemporaryDirectory(prefix="survey-", dir=home.cache) as folder:
        parts = parts_of(home)
        count = workers_for(sum(part.size for part in parts), workers=workers)
        work = partial(scan, removed=frozenset(removed_ids(home)), folder=Path(folder))
        scanned = spread(work, parts, workers=count, done=lambda part: advance(part.size))
        placing = Placing()
        for sketch in in_order([run for one in scanned for run in one.runs]):
            placing.add(sketch)
    remembered, rows = placing.finish()
    return Survey(remembered, rows, damaged=sum(one.damaged for one in scanned))
