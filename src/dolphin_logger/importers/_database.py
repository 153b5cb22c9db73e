"""Databases of other programs: read from a copy, so that their owners are neither waited for nor locked out.

The copy holds the write-ahead log too, which SQLite puts in its place there. It knows SQL, no program.
Invariants: a damaged or malicious file gives rows, or an end, never an exception; only tables are
read, and a query that runs too long is ended.

Source: https://www.sqlite.org/security.html (untrusted databases).
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from dolphin_logger.importers._api import Buffer, Content

MAGIC = b"SQLite format 3\x00"
_LIMIT_SECONDS = 600.0  # for everything that is read of one database
_STEPS = 100_000  # of SQLite's machine between two looks at the clock
_VALUE_BYTES = 256 * 1024 * 1024

Row = dict[str, Any]


class Tables:
    """The tables of one database; `damaged` says that not everything could be read."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.damaged = False
        self.names = {row["name"] for row in self._rows(_TABLES)}

    def rows(self, table: str, *, order: str = "rowid") -> Iterator[Row]:
        """Give the rows of a table; none when there is no such table.

        `table` and `order` are words of ours, never of the file.
        """
        if table in self.names:
            yield from self._rows(f'SELECT * FROM "{table}" ORDER BY {order}')  # noqa: S608

    def _rows(self, query: str) -> Iterator[Row]:
        try:
            for row in self._database.execute(query):
                yield dict(row)
        except (sqlite3.Error, UnicodeError, OverflowError):
            self.damaged = True


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


@contextmanager
def tables(content: Content) -> Iterator[Tables]:
    """Open a database's bytes."""
    with tempfile.TemporaryDirectory(prefix="dolphin-logger-") as folder:
        path = Path(folder) / "copy.db"
        _write(path, content.data)
        if content.log:
            _write(path.with_name("copy.db-wal"), content.log)
        with closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            database.text_factory = lambda value: value.decode("utf-8", "replace")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
            with suppress(sqlite3.Error):
                database.execute("PRAGMA trusted_schema = OFF")
            end = time.monotonic() + _LIMIT_SECONDS
            database.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
            yield Tables(database)


def _write(path: Path, data: Buffer) -> None:
    with path.open("wb") as file:
        if isinstance(data, bytes):
            file.write(data)
        else:
            data.seek(0)
            shutil.copyfileobj(data, file)
