"""Imports: segments of turns that other programs wrote down, and what was imported already.

    imports/YYYY-MM-DD_<uuid>.jsonl    records as in logs/, each with `imported`
    cache/imports.v1.sqlite            ids and files seen; made again from the segments when it is gone

A record is written before it is noted. What a killed import wrote and did not note is found in the
segments by the next one. It knows lines and ids, not sources.
Invariants: an id is written once; one process at a time imports into a home; no torn line stays.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dolphin_logger.errors import JournalError
from dolphin_logger.exchange import Exchange
from dolphin_logger.journal.archive import Copy
from dolphin_logger.journal.blobs import LIMIT, BlobWriter
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home, make_private_folder, open_private_file
from dolphin_logger.journal.lines import cut, open_segment
from dolphin_logger.journal.reader import import_segments

if sys.platform != "win32":
    pass

_POLL_SECONDS = 0.05
SEGMENT_BYTES = 128 * 1024 * 1024
_ID = re.compile(rb'\{"v":1,"id":"([0-9a-f-]{36})"')
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment (name TEXT PRIMARY KEY, read INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS file (
    path TEXT PRIMARY KEY, stamp TEXT NOT NULL, waiting INTEGER NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, time_ns INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class SeenFile:
    """What is known of a file that was imported.

    Attributes:
        stamp: what changes when somebody writes to it (see `stamp_of`).
        waiting: how many answers were left for later: it has to be read again, changed or not.
        copy: its last archived version.
    """

    stamp: str
    waiting: int
    copy: Copy


class Notes:
    """What was imported already: derived, and made again when it is gone or damaged."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = home.cache / "imports.v1.sqlite"
        make_private_folder(home.cache)
        try:
            self._database = self._open()
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            self._database = self._open()

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            os.close(open_private_file(self._path))
        database = sqlite3.connect(self._path, isolation_level=None)
        database.executescript(_SCHEMA)
        return database

    def catch_up(self) -> None:
        """Take note of every record that lies in the segments."""
        known = dict(self._database.execute("SELECT name, read FROM segment"))
        present = {path.name: path for path in import_segments(self._home)}
        if known.keys() - present.keys():  # a segment was taken away: its records may come again
            self._database.executescript(
                "DELETE FROM record; DELETE FROM segment; DELETE FROM file"
            )
            known = {}
        for name, path in present.items():
            ids, end = _ids_behind(path, known.get(name, 0))
            self.add(ids, segment=name, read=end)

    def add(self, ids: Iterable[bytes], *, segment: str, read: int) -> None:
        """Note records, and up to which byte of their segment everything is noted."""
        with self._transaction():
            self._database.executemany(
                "INSERT OR IGNORE INTO record VALUES (?)", ((one,) for one in ids)
            )
            self._database.execute("INSERT OR REPLACE INTO segment VALUES (?, ?)", (segment, read))

    def has(self, record_id: str) -> bool:
        """Say whether a record was written."""
        key = (uuid.UUID(record_id).bytes,)
        return (
            self._database.execute("SELECT 1 FROM record WHERE id = ?", key).fetchone() is not None
        )

    def file(self, path: str) -> SeenFile | None:
        """Say what is known of a file."""
        row = self._database.execute(
            "SELECT stamp, waiting, sha256, size, time_ns FROM file WHERE path = ?", (path,)
        ).fetchone()
        return None if row is None else SeenFile(row[0], row[1], Copy(row[2], row[3], row[4]))

    def set_file(self, path: str, seen: SeenFile) -> None:
        """Note that everything of a file was imported."""
        copy = seen.copy
        row = (path, seen.stamp, seen.waiting, copy.sha256, copy.size, copy.time_ns)
        self._database.execute("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


class ImportWriter:
    """Appends imported turns to a segment of its own; the first one creates it."""

    def __init__(self, home: Home, notes: Notes) -> None:
        self._home = home
        self._notes = notes
        self._path: Path | None = None
        self._descriptor = -1
        self._size = 0
        self._seq = 0
        self._unnoted: set[bytes] = set()

    def append(self, exchange: Exchange) -> None:
        """Write one turn.

        Raises:
            JournalError: it cannot be written; nothing of it stays.
        """
        try:
            exchange.request = self._slim(exchange.request)
            exchange.response = self._slim(exchange.response)
            if self._descriptor < 0 or self._size >= SEGMENT_BYTES:
                self._open()
            self._seq += 1
            self._write(encode(exchange, seq=self._seq))
        except OSError as error:
            raise JournalError(
                f"{self._home.imports}: {error.strerror}: import it again"
            ) from error
        self._unnoted.add(uuid.UUID(exchange.id).bytes)

    def has(self, record_id: str) -> bool:
        """Say whether a record was written, now or by an earlier import."""
        return uuid.UUID(record_id).bytes in self._unnoted or self._notes.has(record_id)

    def commit(self) -> None:
        """Make what was written durable, and take note of it."""
        if not self._unnoted or self._path is None:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}: import it again") from error
        self._notes.add(self._unnoted, segment=self._path.name, read=self._size)
        self._unnoted = set()

    def close(self) -> None:
        """Close the segment."""
        if self._descriptor >= 0:
            self.commit()
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        self.close()
        make_private_folder(self._home.imports)
        day = time.strftime("%Y-%m-%d", time.gmtime())
        self._path = self._home.imports / f"{day}_{uuid.uuid4()}.jsonl"
        self._descriptor = open_private_file(self._path, append=True)
        self._size = 0

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except BaseException:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(line)

    def _slim(self, body: bytes | None) -> bytes | None:
        """Put a body that is too large for a line into a blob."""
        if body is None or len(body) <= LIMIT:
            return body
        blob = BlobWriter(self._home.blobs)
        blob.write(body)
        return blob.commit(media_type="application/json").to_json()


def _ids_behind(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Give the ids of the finished lines behind an offset, and where they end."""
    ids: list[bytes] = []
    file = open_segment(path)
    if file is None:
        return ids, offset
    with file:
        for start, length, line in cut(file, offset):
            if isinstance(line, bytes) and line.endswith(b"\n"):
                head = _ID.match(line)
                if head:
                    ids.append(uuid.UUID(head[1].decode()).bytes)
                offset = start + length
    return ids, offset
