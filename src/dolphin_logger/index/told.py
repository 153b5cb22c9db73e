"""Told: one conversation out of the index, as its turns and what was said in it.

It opens no segment. Invariant: only messages that are asked for are read, each once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from dolphin_logger.conversation.line import Entry
from dolphin_logger.conversation.placement import Relation
from dolphin_logger.conversation.thread import Setting, Thread, draw
from dolphin_logger.errors import RecordError
from dolphin_logger.index.contents import Codec, message_of, tools_from
from dolphin_logger.index.facts import REPLAY
from dolphin_logger.index.ids import pack, unpack
from dolphin_logger.messages import Message, Usage

_TAIL: Final = 4  # bytes of an id's short form
_ENTRIES: Final = """
SELECT r.uuid, p.uuid, r.relation, r.time, o.value, r.status, m.value, v.value, c.value,
  r.input, r.output, r.cache_read, r.cache_write, r.reasoning,
  r.cost, r.total_ms, r.flags, r.setting, r.history, r.answers
FROM record r LEFT JOIN record p ON p.id = r.parent
  LEFT JOIN name o ON o.id = r.outcome LEFT JOIN name m ON m.id = r.model
  LEFT JOIN name v ON v.id = r.provider LEFT JOIN name c ON c.id = r.client
WHERE r.conversation = ? ORDER BY r.time, r.id"""


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation, and the record by which it was asked for; None when it was by the conversation's id."""

    id: str
    session: str | None
    entries: tuple[Entry, ...]
    record: str | None
    tree: StoredTree

    def thread(self, *, through: str | None = None) -> Thread:
        """Draw it; through a record that is beside its line, what begins there."""
        return draw(self.id, self.entries, self.tree, session=self.session, through=through)


def find_told(connection: sqlite3.Connection, name: str) -> Told | None:
    """Find the conversation that an id names, or that holds the record which it names; None: no such.

    An id is a whole one or its last 8 or more characters. The id of a conversation is its first
    record's, or was before it was found to be part of another.

    Raises:
        RecordError: more than one is meant.
    """
    wanted = name.strip().lower()
    record = _one(connection, "record", "uuid", wanted)
    if record is None:
        alias = _one(connection, "alias", "old", wanted)
        if alias is None:
            return None
        number = _conversation(connection, alias)
        return None if number is None else _read(connection, number, None)
    select = "SELECT conversation FROM record WHERE uuid=?"
    row = connection.execute(select, (record,)).fetchone()
    return None if row[0] is None else _read(connection, row[0], unpack(record))


def segments_of(connection: sqlite3.Connection, records: Iterable[str]) -> dict[str, set[str]]:
    """Give the records by the names of the segments in which they lie."""
    select = "SELECT s.name FROM record r JOIN segment s ON s.id=r.segment WHERE r.uuid=?"
    found: dict[str, set[str]] = {}
    for record in records:
        row = connection.execute(select, (pack(record),)).fetchone()
        if row is not None:
            found.setdefault(row[0], set()).add(record)
    return found


def conversations_of(connection: sqlite3.Connection, records: Iterable[str]) -> dict[str, str]:
    """Give the conversation of each record that the index knows."""
    select = "SELECT c.uuid FROM record r JOIN conversation c ON c.id=r.conversation WHERE r.uuid=?"
    found = {}
    for record in records:
        row = connection.execute(select, (pack(record),)).fetchone()
        if row is not None:
            found[record] = unpack(row[0])
    return found


class StoredTree:
    """What was said in the conversations of an index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._codec = Codec(dict(connection.execute("SELECT id, bytes FROM dictionary").fetchall()))
        self._messages: dict[int, Message | None] = {}

    def node(self, node: int) -> tuple[int, int] | None:
        """Give the node before, and the number of the message."""
        select = "SELECT parent, message FROM node WHERE id=?"
        found: tuple[int, int] | None = self._connection.execute(select, (node,)).fetchone()
        return found

    def message(self, message: int) -> Message | None:
        """Give a message."""
        if message not in self._messages:
            content = self._content(message)
            self._messages[message] = None if content is None else message_of(content)
        return self._messages[message]

    def setting(self, node: int) -> Setting:
        """Give instructions and tools."""
        contents = []
        there = self.node(node)
        while there is not None:
            content = self._content(there[1])
            if content is not None:
                contents.append(content)
            there = self.node(there[0])
        told = [content for content in reversed(contents) if content["role"] != "tools"]
        offered = [content for content in contents if content["role"] == "tools"]
        return Setting(
            tuple([message_of(content) for content in told]),
            tuple([tool for content in offered for tool in tools_from(content)]),
        )

    def _content(self, message: int) -> Mapping[str, Any] | None:
        select = "SELECT body FROM message WHERE id=?"
        row = self._connection.execute(select, (message,)).fetchone()
        return None if row is None else self._codec.unpack(row[0])


def _one(connection: sqlite3.Connection, table: str, column: str, wanted: str) -> bytes | None:
    """Find the one packed id in a column that ends so."""
    whole = pack(wanted)
    select = f"SELECT {column} FROM {table} WHERE {column}=?"
    if connection.execute(select, (whole,)).fetchone():
        return whole
    try:
        tail = bytes.fromhex(wanted[-2 * _TAIL :])
    except ValueError:
        return None
    if len(tail) != _TAIL:
        return None
    select = f"SELECT {column} FROM {table} WHERE substr({column}, -{_TAIL})=?"
    rows = connection.execute(select, (tail,)).fetchall()
    found = [row[0] for row in rows if unpack(row[0]).endswith(wanted)]
    if len(found) > 1:
        listed = ", ".join(sorted(map(unpack, found)))
        raise RecordError(f"id {wanted!r} is ambiguous, give more of it: {listed}")
    return found[0] if found else None


def _conversation(connection: sqlite3.Connection, old: bytes) -> int | None:
    """Follow what became of a conversation."""
    now: bytes | None = old
    for _ in range(connection.execute("SELECT count(*) FROM alias").fetchone()[0]):
        row = connection.execute("SELECT new FROM alias WHERE old=?", (now,)).fetchone()
        if row is None:
            break
        now = row[0]
    row = connection.execute("SELECT id FROM conversation WHERE uuid=?", (now,)).fetchone()
    return None if row is None else int(row[0])


def _read(connection: sqlite3.Connection, number: int, record: str | None) -> Told:
    select = "SELECT uuid, session FROM conversation WHERE id=?"
    uuid, session = connection.execute(select, (number,)).fetchone()
    rows = connection.execute(_ENTRIES, (number,)).fetchall()
    entries = tuple([_entry(row) for row in rows])
    identity = unpack(uuid)
    asked = None if record == identity else record
    return Told(identity, session, entries, asked, StoredTree(connection))


def _entry(row: Any) -> Entry:
    uuid, parent, relation, time, outcome, status, model, provider, client, *rest = row
    *tokens, cost, total_ms, flags, setting, history, answers = rest
    return Entry(
        record=unpack(uuid),
        parent=None if parent is None else unpack(parent),
        relation=Relation(relation),
        time=time,
        outcome=outcome or "",
        status=status,
        model=model,
        provider=provider,
        client=client,
        usage=Usage(*tokens),
        cost=cost,
        total_ms=total_ms,
        is_replay=bool(flags & REPLAY),
        setting=setting,
        history=history,
        answers=tuple(orjson.loads(answers)),
    )
