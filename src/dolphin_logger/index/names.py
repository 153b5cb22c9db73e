"""Names: models, clients, tools, roles and the like, each with a number, once.

The number stands in rows, and as a word in the full-text index, so that `model:` and `tool:` are
answered from there like words. Invariant: a name keeps its number for the life of an index file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

ALL: Final = 1  # a name that every message has
LONGEST: Final = 200  # characters


class Names:
    """Gives names numbers. For the writer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        rows = connection.execute("SELECT kind, value, id FROM name")
        self._numbers = {(kind, value): number for kind, value, number in rows}

    def number(self, kind: str, value: str | None) -> int | None:
        """Give the number of a name; None has none."""
        if value is None:
            return None
        name = (kind, value)
        known = self._numbers.get(name)
        if known is None:
            name = (kind, clean(value))
            known = self._numbers.get(name)
        if known is None:
            insert = "INSERT INTO name(kind, value) VALUES(?, ?)"
            known = self._connection.execute(insert, name).lastrowid
            assert known is not None
            self._numbers[name] = known
        return known

    def numbers(self, pairs: Iterable[tuple[str, str]]) -> list[int]:
        """Give the numbers of names, in order."""
        return sorted({number for pair in pairs if (number := self.number(*pair)) is not None})


def clean(value: str) -> str:
    """Cut a name to what is kept; names are chosen by clients and models."""
    return value[:LONGEST].encode("utf-8", "replace").decode().replace("\x00", " ")


def as_words(numbers: Iterable[int]) -> str:
    """Write numbers as words of the full-text index."""
    return " ".join([f"n{number}" for number in numbers])
