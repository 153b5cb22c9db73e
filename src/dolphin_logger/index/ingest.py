"""Ingest: the index catches up with the journal.

Rows and the offsets up to which they go are one transaction, so that a process may be killed at any
moment: the next one goes on where the last transaction ended. It knows order and transactions, not
what rows hold. Invariant: every record of the journal is in the index once; none that was removed is.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dolphin_logger.index.ids import pack
from dolphin_logger.index.marks import forget_labels, take_labels
from dolphin_logger.index.pending import Backlog, backlog, files_of, in_order
from dolphin_logger.index.removal import records_of_segment, remove_records
from dolphin_logger.index.store import Store
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import BadLine, StoredRecord, read_segment
from dolphin_logger.journal.sealed import text_size
from dolphin_logger.journal.tombstones import removed_ids

Progress = Callable[[int], object]  # told how many bytes of text are through
_MOST_BYTES: Final = 256 << 20  # of lines in one transaction
_MOST_RECORDS: Final = 20_000


@dataclass(slots=True)
class _Batch:
    """What one transaction holds: how far each segment was read, and what was bad in it."""

    read: dict[int, int]
    bad: dict[int, int]
    ended: dict[int, int]  # size of those that were read to the end of a whole line
    unfinished: dict[int, int]  # how far a line reaches that is not finished; 0 for none
    bytes: int = 0
    records: int = 0


class Ingest:
    """Brings an index up to date. The caller holds the lock of its writer."""

    def __init__(self, connection: sqlite3.Connection, home: Home) -> None:
        self._connection = connection
        self._home = home
        self._store = Store(connection)
        self._removed = removed_ids(home)

    def catch_up(self, *, seconds: float | None, progress: Progress) -> bool:
        """Take in what is new: labels and removals first, then records; say whether that was all.

        It ends after some seconds, None for as long as it takes; at least one record is taken.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        self._begin()
        self._take_removals()
        files = files_of(self._home)
        self._drop_shrunk(files)
        take_labels(self._connection, self._home)
        self._commit()
        rows = self._connection.execute("SELECT name, read, seen FROM segment")
        waiting = backlog(files, {name: (read, seen) for name, read, seen in rows})
        return self._take(waiting, deadline, progress)

    def _take(self, waiting: list[Backlog], deadline: float | None, progress: Progress) -> bool:
        numbers = {name: number for name, number, _ in self._segments()}
        batch = _Batch({}, {}, {}, {})
        self._begin()
        for source, item in in_order(waiting, removed=self._removed):
            number = numbers.get(source.name)
            if number is None:
                insert = "INSERT INTO segment(name, read) VALUES(?, 0)"
                number = self._connection.execute(insert, (source.name,)).lastrowid
                assert number is not None
                numbers[source.name] = number
            if item is None:
                batch.ended[number] = source.size
                continue
            self._take_item(item, number, batch)
            progress(item.length)
            if batch.bytes >= _MOST_BYTES or batch.records >= _MOST_RECORDS:
                self._finish(batch)
                take_labels(self._connection, self._home)
                batch = _Batch({}, {}, {}, {})
            if deadline is not None and time.monotonic() >= deadline:
                self._finish(batch)
                self._commit()
                return False
        self._finish(batch)
        self._commit()
        return True

    def _take_item(self, item: StoredRecord | BadLine, segment: int, batch: _Batch) -> None:
        if isinstance(item, BadLine):
            batch.unfinished[segment] = (item.offset + item.length) * item.incomplete
            if item.incomplete:
                return
            batch.bad[segment] = batch.bad.get(segment, 0) + 1
        else:
            batch.unfinished[segment] = 0
            self._store.add(item, segment=segment)
        end = item.offset + item.length
        batch.read[segment] = max(batch.read.get(segment, 0), end)
        batch.bytes += item.length
        batch.records += 1

    def _finish(self, batch: _Batch) -> None:
        """Write what a transaction holds, and begin the next."""
        self._store.flush()
        execute = self._connection.execute
        for segment, read in batch.read.items():
            execute("UPDATE segment SET read=max(read, ?) WHERE id=?", (read, segment))
        for segment, bad in batch.bad.items():
            execute("UPDATE segment SET bad=bad+? WHERE id=?", (bad, segment))
        for segment, seen in batch.unfinished.items():
            values = (seen, seen > 0, segment)
            execute("UPDATE segment SET seen=?, unfinished=? WHERE id=?", values)
        for segment, size in batch.ended.items():
            execute("UPDATE segment SET seen=max(seen, ?) WHERE id=?", (size, segment))
        self._commit()
        self._begin()

    def _take_removals(self) -> None:
        """Take out the records that have a tombstone since the last time."""
        select = "SELECT value FROM meta WHERE key='removed'"
        row = self._connection.execute(select).fetchone()
        if row is not None and row[0] == len(self._removed):
            return
        gone = set()
        for record in self._removed:
            select = "SELECT id FROM record WHERE uuid=?"
            found = self._connection.execute(select, (pack(record),)).fetchone()
            forget_labels(self._connection, record)
            if found is not None:
                gone.add(found[0])
        self._put_again(remove_records(self._store, gone))
        insert = "INSERT OR REPLACE INTO meta VALUES('removed', ?)"
        self._connection.execute(insert, (len(self._removed),))

    def _drop_shrunk(self, files: Mapping[str, Path]) -> None:
        """Take out the records of segments that were deleted, or have become shorter."""
        shrunk = {
            name: number
            for name, number, read in self._segments()
            if name not in files or text_size(files[name]) < read
        }
        if not shrunk:
            return
        gone: set[int] = set()
        for number in shrunk.values():
            gone |= records_of_segment(self._connection, number)
        left = remove_records(self._store, gone)
        numbers = [(number,) for number in shrunk.values()]
        self._connection.executemany("DELETE FROM segment WHERE id=?", numbers)
        self._put_again([place for place in left if place[0] not in shrunk])

    def _put_again(self, places: list[tuple[str, int]]) -> None:
        """Put in again the records that were taken out with others."""
        self._store = Store(self._connection)
        files = files_of(self._home)
        numbers = {name: number for name, number, _ in self._segments()}
        wanted: dict[str, set[int]] = {}
        for name, offset in places:
            wanted.setdefault(name, set()).add(offset)
        found: list[tuple[str, StoredRecord, int]] = []
        for name, offsets in wanted.items():
            path = files.get(name)
            for item in (
                read_segment(path, offset=min(offsets), removed=self._removed) if path else ()
            ):
                if isinstance(item, StoredRecord) and item.offset in offsets:
                    found.append((str(item.fields.get("time")), item, numbers[name]))
                if item.offset >= max(offsets):
                    break
        for _, item, number in sorted(found, key=lambda one: (one[0], one[2], one[1].offset)):
            self._store.add(item, segment=number)
        self._store.flush()

    def _segments(self) -> list[tuple[str, int, int]]:
        return self._connection.execute("SELECT name, id, read FROM segment").fetchall()

    def _begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self._connection.execute("COMMIT")
