"""Marks: labels in the index, so that what a person just said can be asked for.

It follows the files of labels and keeps each line; what holds of a record is worked out by the word
Labels. Invariant: after `take_labels`, the index says of every record what its labels say now.
"""

from __future__ import annotations

import sqlite3

import orjson

from dolphin_logger.errors import LabelError
from dolphin_logger.index.facts import refresh_marks
from dolphin_logger.index.ids import pack
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.ledger import Entry, LedgerReader
from dolphin_logger.label import Label, Labels, read_label


def take_labels(connection: sqlite3.Connection, home: Home) -> int:
    """Take in what was said since the last time; say how many lines that were."""
    known = dict(connection.execute("SELECT file, read FROM ledger").fetchall())
    gone = [name for name in known if not (home.labels / name).exists()]
    touched: set[bytes] = set()
    for name in gone:
        select = "SELECT record FROM label WHERE file=?"
        touched |= {row[0] for row in connection.execute(select, (name,))}
        connection.execute("DELETE FROM label WHERE file=?", (name,))
        connection.execute("DELETE FROM ledger WHERE file=?", (name,))
    reader = LedgerReader(home.labels, read=known)
    count = 0
    for entry in reader.more():
        if isinstance(entry, Entry):
            label = _label_of(entry)
            if label is not None:
                count += 1
                touched.add(pack(label.record))
                values = (
                    label.id,
                    pack(label.record),
                    *label.place,
                    orjson.dumps(label.to_json()).decode(),
                )
                connection.execute("INSERT OR REPLACE INTO label VALUES(?, ?, ?, ?, ?)", values)
    rows = list(reader.read.items())
    connection.executemany("INSERT OR REPLACE INTO ledger VALUES(?, ?)", rows)
    for record in touched:
        _mark(connection, record)
    return count


def forget_labels(connection: sqlite3.Connection, record: str) -> None:
    """Forget what was said of a record that is gone for ever."""
    connection.execute("DELETE FROM label WHERE record=?", (pack(record),))
    connection.execute("DELETE FROM marked WHERE record=?", (pack(record),))


def _label_of(entry: Entry) -> Label | None:
    try:
        return read_label(entry.fields, place=(entry.file.name, entry.offset))
    except LabelError:
        return None


def _mark(connection: sqlite3.Connection, record: bytes) -> None:
    labels = Labels()
    name = ""
    select = "SELECT line, file, offset FROM label WHERE record=?"
    for line, file, offset in connection.execute(select, (record,)):
        label = read_label(orjson.loads(line), place=(file, offset))
        name = label.record
        labels.add(label)
    marks = labels.marks(name)
    values = (record, marks.rating, marks.verdict, orjson.dumps(marks.tags).decode(), marks.note)
    connection.execute("INSERT OR REPLACE INTO marked VALUES(?, ?, ?, ?, ?)", values)
    row = connection.execute("SELECT conversation FROM record WHERE uuid=?", (record,)).fetchone()
    if row is not None and row[0] is not None:
        refresh_marks(connection, row[0])
