"""Removal: records whose text is gone go from the index too, with the text that nobody else has.

It takes out whole conversations, as each record's place follows from the others, and gives back
where the rest of their records lie, to be put in again.
Invariant: afterwards no text is in the index, nor found by a query, that only removed records had.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator

import orjson

from dolphin_logger.index.contents import facets_of
from dolphin_logger.index.messages import names_of, text_of
from dolphin_logger.index.store import Store


def remove_records(store: Store, gone: Collection[int]) -> list[tuple[str, int]]:
    """Take out records and all others of their conversations; give those others' segments and offsets."""
    connection = store.connection
    affected: set[int] = set()
    left: list[tuple[str, int]] = []
    for record in gone:
        affected |= _with_conversation(connection, record)
    for record in affected - set(gone):
        select = (
            "SELECT s.name, r.offset FROM record r JOIN segment s ON s.id=r.segment WHERE r.id=?"
        )
        left += connection.execute(select, (record,)).fetchall()
    paths = [path for record in affected for path in _paths_of(connection, record)]
    orphans = _orphans(store, affected)
    for record in affected:
        _take_off(store, record)
    store.days.flush()
    rows = [(record,) for record in affected]
    connection.executemany(
        "DELETE FROM conversation WHERE id IN (SELECT conversation FROM record WHERE id=?)", rows
    )
    connection.executemany("DELETE FROM record WHERE id=?", rows)
    _drop_nodes(connection, paths, orphans)
    return sorted(left)


def records_of_segment(connection: sqlite3.Connection, segment: int) -> set[int]:
    """List the records that came from a segment."""
    select = "SELECT id FROM record WHERE segment=?"
    return {row[0] for row in connection.execute(select, (segment,))}


def _take_off(store: Store, record: int) -> None:
    select = """SELECT record.*, ifnull(status, 0) >= 400 OR name.value <> 'completed' failed
      FROM record JOIN name ON name.id = record.outcome WHERE record.id=?"""
    cursor = store.connection.execute(select, (record,))
    row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
    store.days.count(row, failed=bool(row["failed"]), sign=-1)


def _with_conversation(connection: sqlite3.Connection, record: int) -> set[int]:
    select = """SELECT id FROM record WHERE conversation = (SELECT conversation FROM record WHERE id=?)"""
    return {record} | {row[0] for row in connection.execute(select, (record,))}


def _paths_of(connection: sqlite3.Connection, record: int) -> Iterator[list[tuple[int, int]]]:
    """Give the nodes, each with its message, of a record's setting, history and answers, the first first."""
    select = "SELECT setting, history, answers FROM record WHERE id=?"
    setting, history, answers = connection.execute(select, (record,)).fetchone()
    walk = """
      WITH RECURSIVE up(id, parent, message) AS (
        SELECT id, parent, message FROM node WHERE id=?
        UNION SELECT node.id, node.parent, node.message FROM node JOIN up ON node.id = up.parent)
      SELECT id, message FROM up"""
    for tip in (setting, history, *orjson.loads(answers)):
        yield connection.execute(walk, (tip,)).fetchall()[::-1]


def _orphans(store: Store, records: Collection[int]) -> set[int]:
    """Take messages from these records: to another record that has them, else out of the index."""
    connection = store.connection
    connection.executemany("DELETE FROM also WHERE record=?", [(record,) for record in records])
    orphans = set()
    for record in records:
        select = "SELECT id, body FROM message WHERE record=?"
        for number, body in connection.execute(select, (record,)).fetchall():
            content = store.messages.codec.unpack(body)
            own = store.names.numbers(facets_of(content))
            text = text_of(content)
            _unlist(connection, number, text, names_of(_names_of_record(connection, record), own))
            heir = connection.execute("SELECT min(record) FROM also WHERE message=?", (number,))
            other = heir.fetchone()[0]
            if other is None:
                connection.execute("DELETE FROM message WHERE id=?", (number,))
                orphans.add(number)
                continue
            connection.execute("UPDATE message SET record=? WHERE id=?", (other, number))
            connection.execute("DELETE FROM also WHERE message=? AND record=?", (number, other))
            names = names_of(_names_of_record(connection, other), own)
            insert = "INSERT INTO fts(rowid, text, names) VALUES(?, ?, ?)"
            connection.execute(insert, (number, text, names))
    return orphans


def _unlist(connection: sqlite3.Connection, number: int, text: str, names: str) -> None:
    delete = "INSERT INTO fts(fts, rowid, text, names) VALUES('delete', ?, ?, ?)"
    connection.execute(delete, (number, text, names))


def _names_of_record(connection: sqlite3.Connection, record: int) -> list[int]:
    select = "SELECT model, provider_model, client, provider, outcome FROM record WHERE id=?"
    row = connection.execute(select, (record,)).fetchone() or ()
    return [number for number in row if number is not None]


def _drop_nodes(
    connection: sqlite3.Connection, paths: list[list[tuple[int, int]]], orphans: set[int]
) -> None:
    """Drop nodes whose message is gone, and those behind: a node is there only with all before it."""
    for path in paths:
        first = next((i for i, (_, message) in enumerate(path) if message in orphans), len(path))
        connection.executemany("DELETE FROM node WHERE id=?", [(node,) for node, _ in path[first:]])
