"""Messages and histories in the index: each text once, each history one number.

A node is a message behind a node; its id is made of both, so that the longest part of a history that
is known is found without reading it. It knows rows, not records' languages.
Invariant: a node is there only when the messages of all nodes before it are.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from dolphin_logger.index.absence import Absence
from dolphin_logger.index.contents import Codec, facets_of, texts_of, to_json, train
from dolphin_logger.index.folding import MOST_TEXT, fold
from dolphin_logger.index.names import ALL, Names, as_words

_MOST_HELD: Final = 200_000
_NEAR: Final = 4
_TRAINING: Final = (
    2_000,
    100_000,
)  # messages that have to be there for the first and second dictionary
_SAMPLES: Final = 3_000
_LONGEST_SAMPLE: Final = 8_000
_PAIR = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class Origin:
    """The record in which a message is seen: its number, its day, and the names it has."""

    record: int
    day: int
    names: tuple[int, ...]


class Messages:
    """Keeps messages and nodes. For the writer."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names
        rows = connection.execute("SELECT id, bytes FROM dictionary ORDER BY rowid")
        dictionaries = dict(rows.fetchall())
        self.codec = Codec(dictionaries)
        self._dictionaries = len(dictionaries)
        self._numbers: dict[int, int] = {}
        self._nodes: set[int] = set()
        newest = connection.execute("SELECT max(id) FROM message").fetchone()[0]
        self._next = (newest or 0) + 1
        self._absent = Absence(from_nothing=newest is None)
        self._days: dict[int, tuple[int, int]] = {}

    def known_depth(self, path: Sequence[int]) -> int:
        """Say how many nodes of a history, of which all before a known one are known, are there."""
        size = len(path)
        low, high = 0, max(0, size - _NEAR)
        for depth in range(size, high, -1):  # a turn adds few
            if self._is_node(path[depth - 1]):
                return depth
        while low < high:
            middle = (low + high) // 2
            if self._is_node(path[middle]):
                low = middle + 1
            else:
                high = middle
        return low

    def put(self, key: int, kept: Mapping[str, Any], origin: Origin) -> tuple[int, bool]:
        """Keep a message, if it is new; give its number and whether it was."""
        known = self.number(key)
        if known is not None:
            return known, False
        number = self._next
        self._next += 1
        facets = facets_of(kept)
        role = self._names.number("role", str(kept["role"]))
        body = self.codec.pack(kept)
        insert = "INSERT INTO message VALUES(?, ?, ?, ?, ?)"
        self._connection.execute(insert, (number, key, role, origin.record, body))
        names = self._names.numbers(facets)
        self._connection.execute(
            "INSERT INTO fts(rowid, text, names) VALUES(?, ?, ?)",
            (number, text_of(kept), names_of(origin.names, names)),
        )
        self._days[origin.day] = (self._days.get(origin.day, (number, number))[0], number)
        self._numbers[key] = number
        self._absent.add(key)
        made = self._dictionaries
        if made < len(_TRAINING) and number >= _TRAINING[made]:
            self._train()
        return number, True

    def number(self, key: int) -> int | None:
        """Give the number of a message."""
        known = self._numbers.get(key)
        if known is None and self._absent.is_sure(key):
            return None
        if known is None:
            row = self._connection.execute("SELECT id FROM message WHERE key=?", (key,)).fetchone()
            if row is None:
                return None
            known = self._numbers[key] = row[0]
        return known

    def append(self, node: int, parent: int, message: int) -> None:
        """Keep a node."""
        values = (node, parent, message)
        self._connection.execute("INSERT OR IGNORE INTO node VALUES(?, ?, ?)", values)
        self._nodes.add(node)
        self._absent.add(node)

    def share(self, messages: Iterable[int], record: int) -> None:
        """Note that messages which came in another record first are in this one too."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO also SELECT id, ?2 FROM message WHERE id=?1 AND record<>?2",
            [(message, record) for message in messages],
        )

    def flush(self) -> None:
        """Write what is held back, and make room."""
        self._connection.executemany(
            "INSERT INTO span VALUES(?, ?, ?) ON CONFLICT(day) DO UPDATE"
            " SET first=min(first, excluded.first), last=max(last, excluded.last)",
            [(day, *ends) for day, ends in self._days.items()],
        )
        self._days.clear()
        if len(self._nodes) > _MOST_HELD:
            self._nodes.clear()
        if len(self._numbers) > _MOST_HELD:
            self._numbers.clear()

    def _is_node(self, node: int) -> bool:
        if node in self._nodes:
            return True
        if self._absent.is_sure(node):
            return False
        found = self._connection.execute("SELECT 1 FROM node WHERE id=?", (node,)).fetchone()
        if found is None:
            return False
        self._nodes.add(node)
        return True

    def _train(self) -> None:
        """Make a dictionary of what is there; write what came before the first one again with it."""
        stride = max(1, self._next // _SAMPLES)
        select = "SELECT id, body FROM message WHERE id % ? = 0"
        rows = self._connection.execute(select, (stride,)).fetchall()
        contents = [(number, self.codec.unpack(body)) for number, body in rows]
        samples = [to_json(content)[:_LONGEST_SAMPLE] for _, content in contents]
        dictionary = train(samples)
        self._dictionaries += 1
        if dictionary is None:
            return
        insert = "INSERT INTO dictionary VALUES(?, ?)"
        self._connection.execute(insert, (self.codec.take(dictionary), dictionary))
        if stride == 1:
            update = "UPDATE message SET body=? WHERE id=?"
            again = [(self.codec.pack(content), number) for number, content in contents]
            self._connection.executemany(update, again)


def path_of(root: int, keys: Iterable[int]) -> list[int]:
    """Give the ids of the nodes of a history, one a message."""
    path = []
    node = root
    pack = _PAIR.pack
    for key in keys:
        digest = blake2b(pack(node, key), digest_size=8).digest()
        node = int.from_bytes(digest, "little", signed=True)
        path.append(node)
    return path


def text_of(content: Mapping[str, Any]) -> str:
    """Give the text that is searched in a message."""
    texts: list[str] = []
    room = MOST_TEXT
    for text in texts_of(content):
        texts.append(text[:room])
        room -= len(text)
        if room <= 0:
            break
    return fold("\n".join(texts))


def names_of(origin: Iterable[int], own: Iterable[int]) -> str:
    """Give the names of a message as words of the full-text index."""
    return as_words(sorted({ALL, *origin, *own}))
