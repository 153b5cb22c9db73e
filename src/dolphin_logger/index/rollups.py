"""Roll-ups: what was recorded by day, model, client, provider and outcome, from sums that are kept.

It reads a table whose size is that of the days, not of the records. Days are those of UTC.
Invariant: a sum of which nothing is known is None, and of how many it is not known is said beside it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

GROUPS: Final = ("day", "model", "client", "provider", "outcome")
TOKENS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")


@dataclass(slots=True)
class Sums:
    """What was added up. `cost` in millionths of a dollar, an estimate; `unpriced`: of how many unknown."""

    requests: int = 0
    errors: int = 0
    cost: int = 0
    unpriced: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKENS, 0))
    unknown: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKENS, 0))

    def known(self, token: str) -> int | None:
        """Give the tokens of a kind; None when they are not known of any request."""
        return self.tokens[token] if self.unknown[token] < self.requests else None

    @property
    def known_cost(self) -> int | None:
        """The cost, as far as it is known; None when it is of no request."""
        return self.cost if self.unpriced < self.requests else None


@dataclass(slots=True)
class Rollup:
    """All of it, and by each group's names."""

    total: Sums = field(default_factory=Sums)
    by: dict[str, dict[str, Sums]] = field(
        default_factory=lambda: {name: defaultdict(Sums) for name in GROUPS}
    )


def roll_up(connection: sqlite3.Connection) -> Rollup:
    """Add up everything."""
    rollup = Rollup()
    columns = ", ".join((*TOKENS, *[f"{token}_unknown" for token in TOKENS]))
    select = f"""SELECT day, m.value, c.value, p.value, o.value, requests, errors, cost, unpriced, {columns}
      FROM rollup_day LEFT JOIN name m ON m.id = model LEFT JOIN name c ON c.id = client
      LEFT JOIN name p ON p.id = provider LEFT JOIN name o ON o.id = outcome ORDER BY day"""
    for day, *rest in connection.execute(select):
        keys = [f"{datetime.fromtimestamp(day * 86400, UTC):%Y-%m-%d}", *rest[:4]]
        requests, errors, cost, unpriced = rest[4:8]
        counts = dict(zip(TOKENS, rest[8:13], strict=True))
        unknown = rest[13:]
        for sums in _sums_of(rollup, keys):
            sums.requests += requests
            sums.errors += errors
            sums.cost += cost
            sums.unpriced += unpriced
            for token, not_known in zip(TOKENS, unknown, strict=True):
                sums.tokens[token] += counts[token]
                sums.unknown[token] += not_known
    return rollup


def _sums_of(rollup: Rollup, keys: list[str | None]) -> Iterator[Sums]:
    yield rollup.total
    for group, key in zip(GROUPS, keys, strict=True):
        yield rollup.by[group][key or "unknown"]
