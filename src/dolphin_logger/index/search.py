"""Search: a page of what a query finds, the newest first, from the index alone.

What is found are messages, each where it was said first. A page is asked for by the last one of the
page before (keyset), so that the hundredth costs what the first does. Within its time it gives what it
has found; after it, it says that there may be more.
Invariant: no more than a page of texts is read; what is counted beyond MOST_COUNTED is not.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dolphin_logger.errors import QueryError
from dolphin_logger.index.conditions import Compiler, Condition
from dolphin_logger.index.contents import Codec, texts_of
from dolphin_logger.index.facts import DAY
from dolphin_logger.index.ids import unpack
from dolphin_logger.index.query import parse, words_of
from dolphin_logger.index.snippets import Snippet, snippet

MOST_COUNTED: Final = 1_000
PAGE: Final = 20
SECONDS: Final = 2.0
FACETS: Final = ("model", "client", "provider", "role", "tool", "has", "outcome")
_MOST_VALUES: Final = 12  # of a facet
_STEPS: Final = 2_000  # of SQLite's machine between two looks at the clock
_FEW: Final = 1_000  # messages that are asked for one by one
_FROM: Final = """fts CROSS JOIN message m ON m.id = fts.rowid CROSS JOIN record r ON r.id = m.record
  LEFT JOIN conversation c ON c.id = r.conversation"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many; not `exact`: at least as many."""

    number: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, and where it was said first.

    `time` in UNIX microseconds; `others`: how many more records have the same message new in them.
    """

    conversation: str | None
    title: str | None
    record: str
    time: int
    role: str
    model: str | None
    client: str | None
    snippet: Snippet
    others: int


@dataclass(frozen=True, slots=True)
class Page:
    """Hits, the newest first. `partial`: the time was up; `cursor` asks for the next page."""

    hits: tuple[Hit, ...]
    count: Count
    cursor: str | None
    partial: bool


class Clock:
    """Ends what a connection is doing when its time is up."""

    def __init__(self, connection: sqlite3.Connection, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self.partial = False
        connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _STEPS)

    def rows(self, connection: sqlite3.Connection, select: str, values: Any) -> Iterator[Any]:
        """Give rows until the time is up."""
        try:
            yield from connection.execute(select, values)
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
            self.partial = True


def search(
    connection: sqlite3.Connection,
    query: str,
    *,
    limit: int = PAGE,
    cursor: str | None = None,
    seconds: float = SECONDS,
) -> Page:
    """Find messages.

    Raises:
        QueryError: the query or the cursor is not understood.
    """
    tree = parse(query)
    before = read_cursor(cursor, 1)[0] if cursor else None
    condition = Compiler(connection).of_messages(tree)
    clock = Clock(connection, seconds)
    numbers = list(_found(connection, condition, clock, before=before, limit=limit + 1))
    count = _count(connection, condition, clock)
    connection.set_progress_handler(None, 0)
    codec = Codec(dict(connection.execute("SELECT id, bytes FROM dictionary ORDER BY rowid")))
    words = words_of(tree)
    hits = tuple([_hit(connection, number, codec, words) for number in numbers[:limit]])
    more = len(numbers) > limit
    return Page(hits, count, str(numbers[limit - 1]) if more else None, clock.partial)


def count_facets(
    connection: sqlite3.Connection, query: str, *, seconds: float = SECONDS
) -> dict[str, list[tuple[str, Count]]]:
    """Count the messages that a query finds by model, client, …: the values met most often.

    Raises:
        QueryError: the query is not understood.
    """
    condition = Compiler(connection).of_messages(parse(query))
    clock = Clock(connection, seconds)
    facets: dict[str, list[tuple[str, Count]]] = {}
    for kind in FACETS:
        select = "SELECT id, value FROM name WHERE kind=? ORDER BY id LIMIT ?"
        for number, value in connection.execute(select, (kind, _MOST_VALUES)).fetchall():
            narrowed = Condition(
                f"({condition.match}) AND names:n{number}",
                condition.where,
                condition.values,
                condition.only_of,
                condition.only_values,
                condition.since,
                condition.until,
            )
            count = _count(connection, narrowed, clock)
            if count.number:
                facets.setdefault(kind, []).append((value, count))
    connection.set_progress_handler(None, 0)
    return {kind: sorted(values, key=lambda one: -one[1].number) for kind, values in facets.items()}


def read_cursor(cursor: str, size: int) -> list[int]:
    """Read what a page gave for the next one.

    Raises:
        QueryError: no page gave it.
    """
    parts = cursor.split(".")
    if len(parts) != size or not all(part.lstrip("-").isdigit() for part in parts):
        raise QueryError(f"cursor {cursor!r} is none that a page gave")
    return [int(part) for part in parts]


def _found(
    connection: sqlite3.Connection,
    condition: Condition,
    clock: Clock,
    *,
    before: int | None,
    limit: int,
) -> Iterator[int]:
    """Give the numbers of messages, the highest first."""
    low, high = _bounds(connection, condition)
    if before is not None:
        high = min(high, before - 1)
    few = _few(connection, condition, clock)
    values: tuple[Any, ...]
    if few is not None:
        select = f"SELECT m.id FROM {_FROM} WHERE fts MATCH ? AND fts.rowid = ?{condition.sql()}"
        for number in few:
            if limit and low <= number <= high:
                values = (condition.match, number, *condition.values)
                for row in clock.rows(connection, select, values):
                    limit -= 1
                    yield row[0]
        return
    source, column = (_FROM, "m.id") if condition.where else ("fts", "rowid")
    select = (
        f"SELECT {column} FROM {source} WHERE fts MATCH ? AND fts.rowid BETWEEN ? AND ?"
        f"{condition.sql()} ORDER BY fts.rowid DESC LIMIT ?"
    )
    values = (condition.match, low, high, *condition.values, limit)
    for row in clock.rows(connection, select, values):
        yield row[0]


def _count(connection: sqlite3.Connection, condition: Condition, clock: Clock) -> Count:
    found = _found(connection, condition, clock, before=None, limit=MOST_COUNTED + 1)
    was_partial, clock.partial = clock.partial, False
    number = sum(1 for _ in found)
    exact = number <= MOST_COUNTED and not clock.partial
    clock.partial |= was_partial
    return Count(min(number, MOST_COUNTED), exact)


def _bounds(connection: sqlite3.Connection, condition: Condition) -> tuple[int, int]:
    """Give the numbers between which messages of the days that are meant lie."""
    low, high = 0, 1 << 62
    if condition.since is not None:
        select = "SELECT min(first) FROM span WHERE day >= ?"
        found = connection.execute(select, (condition.since // DAY,)).fetchone()[0]
        low = high if found is None else found
    if condition.until is not None:
        select = "SELECT max(last) FROM span WHERE day <= ?"
        high = connection.execute(select, (condition.until // DAY,)).fetchone()[0] or 0
    return low, high


def _few(connection: sqlite3.Connection, condition: Condition, clock: Clock) -> list[int] | None:
    """Give all messages of the conversations that are meant, if they are few, the newest first."""
    if not condition.only_of:
        return None
    select = (
        "SELECT m.id FROM conversation c CROSS JOIN record r ON r.conversation = c.id"
        " CROSS JOIN message m ON m.record = r.id"
        f" WHERE {' AND '.join(condition.only_of)} LIMIT {_FEW + 1}"
    )
    found = [row[0] for row in clock.rows(connection, select, condition.only_values)]
    return sorted(found, reverse=True) if len(found) <= _FEW and not clock.partial else None


def _hit(connection: sqlite3.Connection, number: int, codec: Codec, words: list[Any]) -> Hit:
    select = """
      SELECT m.body, c.uuid, c.title, r.uuid, r.time, role.value, model.value, client.value,
        (SELECT count(*) FROM (SELECT 1 FROM also WHERE message = m.id LIMIT 1000))
      FROM message m JOIN record r ON r.id = m.record LEFT JOIN conversation c ON c.id = r.conversation
      LEFT JOIN name role ON role.id = m.role LEFT JOIN name model ON model.id = r.model
      LEFT JOIN name client ON client.id = r.client WHERE m.id = ?"""
    row = connection.execute(select, (number,)).fetchone()
    body, conversation, title, record, moment, role, model, client, others = row
    return Hit(
        conversation=None if conversation is None else unpack(conversation),
        title=title,
        record=unpack(record),
        time=moment,
        role=role,
        model=model,
        client=client,
        snippet=snippet(texts_of(codec.unpack(body)), words),
        others=others,
    )
