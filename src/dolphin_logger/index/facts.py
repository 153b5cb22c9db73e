"""Facts: what is counted of conversations and of days.

A conversation's facts are made anew from its records whenever one of them changes, so that they
cannot drift; a day's are added up. It knows rows, not what was said.
Invariants: unknown stays unknown, and how often is counted; an imported record counts no usage.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

APPROXIMATE: Final = 1  # flags of a record: its time is a guess
IMPORTED: Final = 2  # another program's session, brought in
REPLAY: Final = 4  # it asks again what another record asked
DAY: Final = 86_400_000_000  # microseconds
_TOKENS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")
_KEYS: Final = ("day", "client", "model", "provider", "outcome")
_SUMS: Final = (
    "requests",
    "errors",
    "cost",
    "unpriced",
    *_TOKENS,
    *(f"{t}_unknown" for t in _TOKENS),
)
_TURN: Final = "relation NOT IN ('side', 'duplicate')"
_OF_CONVERSATION: Final = f"""
UPDATE conversation SET (first, last, turns, input, output, cost, unpriced) = (
  SELECT min(time), max(time), sum({_TURN}), sum(input), sum(output), sum(cost),
    sum(cost IS NULL AND flags & {IMPORTED} = 0)
  FROM record WHERE conversation = ?1) WHERE id = ?1"""
_NAMES: Final = """
SELECT DISTINCT value FROM (
  SELECT model value FROM record WHERE conversation=?1 UNION SELECT provider_model FROM record WHERE conversation=?1
  UNION SELECT client FROM record WHERE conversation=?1 UNION SELECT provider FROM record WHERE conversation=?1
  UNION SELECT outcome FROM record WHERE conversation=?1)
WHERE value IS NOT NULL"""


def refresh_conversations(connection: sqlite3.Connection, touched: Iterable[int]) -> None:
    """Make the facts of conversations anew; one without records goes."""
    for number in touched:
        connection.execute(_OF_CONVERSATION, (number,))
        names = {row[0] for row in connection.execute(_NAMES, (number,))}
        select = "SELECT first, names FROM conversation WHERE id=?"
        row = connection.execute(select, (number,)).fetchone()
        if row is None:
            continue
        if row[0] is None:
            connection.execute("DELETE FROM conversation WHERE id=?", (number,))
            continue
        joined = join_numbers(names | split_numbers(row[1]))
        connection.execute("UPDATE conversation SET names=? WHERE id=?", (joined, number))
        refresh_marks(connection, number)


def refresh_marks(connection: sqlite3.Connection, conversation: int) -> None:
    """Make anew what people said of a conversation: of its earliest record, else of a later one."""
    rows = connection.execute(
        "SELECT m.rating, m.verdict, m.tags, r.uuid = c.uuid FROM record r"
        " JOIN conversation c ON c.id = r.conversation JOIN marked m ON m.record = r.uuid"
        " WHERE r.conversation = ? ORDER BY 4, r.time, r.id",
        (conversation,),
    ).fetchall()
    rating = verdict = None
    tags: dict[str, None] = {}
    for row in rows:
        rating = row[0] if row[0] is not None else rating
        verdict = row[1] or verdict
        tags |= dict.fromkeys(orjson.loads(row[2]))
    update = "UPDATE conversation SET rating=?, verdict=?, tags=? WHERE id=?"
    values = (rating, verdict, orjson.dumps(sorted(tags)).decode(), conversation)
    connection.execute(update, values)


class Days:
    """Adds up records by day, client, model, provider and outcome, until `flush`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sums: dict[tuple[int, ...], list[int]] = {}

    def count(self, row: Mapping[str, Any], *, failed: bool, sign: int) -> None:
        """Add a record, by the columns of its row (`sign` 1), or take it off (-1)."""
        if row["flags"] & IMPORTED:
            return
        key = (row["time"] // DAY, *[row[name] or 0 for name in _KEYS[1:]])
        tokens = [row[name] for name in _TOKENS]
        values = [1, failed, row["cost"] or 0, row["cost"] is None]
        values += [count or 0 for count in tokens] + [count is None for count in tokens]
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = [0] * len(values)
        self._sums[key] = [one + sign * more for one, more in zip(sums, values, strict=True)]

    def flush(self) -> None:
        """Write what was added up."""
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)
        holes = ", ".join("?" * (len(_KEYS) + len(_SUMS)))
        self._connection.executemany(
            f"INSERT INTO rollup_day({', '.join((*_KEYS, *_SUMS))}) VALUES({holes})"
            f" ON CONFLICT({', '.join(_KEYS)}) DO UPDATE SET {added}",
            [(*key, *sums) for key, sums in self._sums.items()],
        )
        self._connection.execute("DELETE FROM rollup_day WHERE requests = 0")
        self._sums.clear()


def join_numbers(numbers: Iterable[int]) -> str:
    """Write numbers so that each can be looked for between commas."""
    return f",{','.join(map(str, sorted(numbers)))}," if numbers else ""


def split_numbers(text: Any) -> set[int]:
    """Read what `join_numbers` wrote."""
    return {int(number) for number in (text or "").split(",") if number}
