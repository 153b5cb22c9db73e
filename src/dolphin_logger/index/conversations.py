"""Conversations: a page of them, the latest first, with what is known of each.

It answers from the table of conversations; words of a query are looked for in their messages first.
Invariants: keyset pages, as in `search`; unknown is None, never 0.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

import orjson

from dolphin_logger.index.conditions import EVERY, Compiler
from dolphin_logger.index.facts import split_numbers
from dolphin_logger.index.ids import unpack
from dolphin_logger.index.query import parse
from dolphin_logger.index.search import MOST_COUNTED, PAGE, SECONDS, Clock, Count, read_cursor

_MOST_HITS: Final = 10_000  # messages whose conversations are looked up, the newest
_COLUMNS: Final = """c.id, c.uuid, c.title, c.session, c.first, c.last, c.turns, c.input, c.output, c.cost, c.unpriced,
  c.names, c.rating, c.verdict, c.tags"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation. Times in UNIX microseconds, cost in millionths of a dollar (an estimate).

    `cost` is what is known of it; `unpriced`: of how many requests it is not.
    """

    id: str
    title: str
    session: str | None
    first: int
    last: int
    turns: int
    input_tokens: int | None
    output_tokens: int | None
    cost: int | None
    unpriced: int
    models: tuple[str, ...]
    clients: tuple[str, ...]
    rating: int | None
    verdict: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Conversations, the latest first. `partial`: the time was up, or a word is in too many messages."""

    conversations: tuple[Conversation, ...]
    count: Count
    cursor: str | None
    partial: bool


def list_conversations(
    connection: sqlite3.Connection,
    query: str = "",
    *,
    limit: int = PAGE,
    cursor: str | None = None,
    seconds: float = SECONDS,
) -> Listing:
    """List conversations that a query finds; all of them for an empty one.

    Raises:
        QueryError: the query or the cursor is not understood.
    """
    condition = Compiler(connection).of_conversations(parse(query))
    clock = Clock(connection, seconds)
    where, values = list(condition.where), list(condition.values)
    cut = False
    if condition.match != EVERY:
        numbers, cut = _with_message(connection, condition.match, clock)
        where.append("c.id IN (SELECT value FROM json_each(?))")
        values.append(orjson.dumps(numbers).decode())
    counted = (
        f"SELECT 1 FROM conversation c WHERE {' AND '.join(where) or '1'} LIMIT {MOST_COUNTED + 1}"
    )
    count = sum(1 for _ in clock.rows(connection, counted, values))
    exact = count <= MOST_COUNTED and not clock.partial and not cut
    if cursor:
        where.append("(c.last, c.id) < (?, ?)")
        values += read_cursor(cursor, 2)
    select = (
        f"SELECT {_COLUMNS} FROM conversation c WHERE {' AND '.join(where) or '1'}"
        " ORDER BY c.last DESC, c.id DESC LIMIT ?"
    )
    rows = list(clock.rows(connection, select, (*values, limit + 1)))
    connection.set_progress_handler(None, 0)
    names = _Names(connection)
    following = f"{rows[limit - 1][5]}.{rows[limit - 1][0]}" if len(rows) > limit else None
    return Listing(
        tuple([_conversation(row, names) for row in rows[:limit]]),
        Count(min(count, MOST_COUNTED), exact),
        following,
        clock.partial or cut,
    )


def _with_message(
    connection: sqlite3.Connection, match: str, clock: Clock
) -> tuple[list[int], bool]:
    """Give the conversations in which a message is that matches, and whether those are not all."""
    select = f"SELECT rowid FROM fts WHERE fts MATCH ? ORDER BY rowid DESC LIMIT {_MOST_HITS + 1}"
    hits = [row[0] for row in clock.rows(connection, select, (match,))]
    of_messages = """
      SELECT DISTINCT r.conversation FROM json_each(?) hit CROSS JOIN message m ON m.id = hit.value
      JOIN record r ON r.id = m.record WHERE r.conversation IS NOT NULL
      UNION SELECT r.conversation FROM json_each(?1) hit CROSS JOIN also a ON a.message = hit.value
      JOIN record r ON r.id = a.record WHERE r.conversation IS NOT NULL"""
    listed = orjson.dumps(hits[:_MOST_HITS]).decode()
    found = [row[0] for row in clock.rows(connection, of_messages, (listed,))]
    return found, len(hits) > _MOST_HITS


class _Names:
    """Names by their numbers, looked up once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, tuple[str, str]] = {}

    def of(self, numbers: str, kind: str) -> tuple[str, ...]:
        """Give the names of one kind."""
        found = []
        for number in sorted(split_numbers(numbers)):
            if number not in self._known:
                select = "SELECT kind, value FROM name WHERE id=?"
                self._known[number] = self._connection.execute(select, (number,)).fetchone()
            known, value = self._known[number]
            if known == kind:
                found.append(value)
        return tuple(found)


def _conversation(row: Any, names: _Names) -> Conversation:
    _, uuid, title, session, first, last, turns, asked, answered, cost, unpriced, own, *marks = row
    rating, verdict, tags = marks
    return Conversation(
        id=unpack(uuid),
        title=title or "",
        session=session,
        first=first,
        last=last,
        turns=turns,
        input_tokens=asked,
        output_tokens=answered,
        cost=cost,
        unpriced=unpriced,
        models=names.of(own, "model"),
        clients=names.of(own, "client"),
        rating=rating,
        verdict=verdict,
        tags=tuple(orjson.loads(tags or "[]")),
    )
