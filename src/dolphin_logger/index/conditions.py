"""Conditions: the tree of a query as SQL.

What stands in the full-text index (words, and names as words) becomes one MATCH, which SQLite answers
by walking along lists; facts of conversations become a comparison of columns. It knows tables, and
the tree; it runs only the look-up of names.
Invariant: nothing that a person wrote is part of the SQL but as a parameter.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any, Final

from dolphin_logger.index.folding import phrase
from dolphin_logger.index.names import ALL
from dolphin_logger.index.query import All, Fact, Named, Node, Not, Words
from dolphin_logger.index.query import Any as Either

EVERY: Final = f"names:n{ALL}"
_NOTHING: Final = "names:n0"
_A_MESSAGE: Final = "m.id IN (SELECT rowid FROM fts WHERE fts MATCH ?)"
_IN_CONVERSATION: Final = """c.id IN (SELECT r.conversation FROM fts CROSS JOIN message m ON m.id = fts.rowid
  JOIN record r ON r.id = m.record WHERE fts MATCH ?)"""
_COLUMNS: Final = {
    "session": "c.session",
    "rating": "c.rating",
    "cost": "c.cost",
    "tokens": "(c.input + c.output)",
    "time": "r.time",
}


@dataclass(slots=True)
class Condition:
    """What must hold of a message (m), its record (r) and its conversation (c).

    Attributes:
        match: an expression of FTS5 that each message must match.
        where: further conditions in SQL; `values` are their parameters.
        only_of: conditions on c alone, which are in `where` too; `only_values` are their parameters.
        since, until: bounds of r.time in UNIX microseconds, which are in `where` too.
    """

    match: str = EVERY
    where: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    only_of: list[str] = field(default_factory=list)
    only_values: list[Any] = field(default_factory=list)
    since: float | None = None
    until: float | None = None

    def sql(self) -> str:
        """Write the further conditions, to be put behind others."""
        return "".join(f" AND {one}" for one in self.where)


class Compiler:
    """Turns a query into a condition."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._text = _A_MESSAGE

    def of_messages(self, node: Node) -> Condition:
        """Give the condition on messages."""
        condition = Condition()
        terms = node.terms if isinstance(node, All) else (node,)
        matches = [term for term in terms if _is_text(term)]
        if matches:
            condition.match = self._match(All(tuple(matches)))
        for term in terms:
            if _is_text(term):
                continue
            condition.where.append(self._sql(term, condition.values))
            if _is_of_conversation(term):
                condition.only_of.append(self._sql(term, condition.only_values))
            elif isinstance(term, Fact) and isinstance(term.value, float):
                _bound(condition, term.operator, term.value)
        return condition

    def of_conversations(self, node: Node) -> Condition:
        """Give the condition on conversations: words and parts of messages need one message each.

        Only `where` and `values` are used, and `match`, when it is not EVERY, for all words together.
        """
        condition = Condition()
        self._text = _IN_CONVERSATION
        terms = node.terms if isinstance(node, All) else (node,)
        in_messages = []
        for term in terms:
            names = self._names_sql(term, condition.values)
            if names is not None:
                condition.where.append(names)
            elif _is_text(term):
                in_messages.append(term)
            else:
                condition.where.append(
                    self._sql(term, condition.values).replace("r.time", "c.last")
                )
        if in_messages:
            condition.match = self._match(All(tuple(in_messages)))
        return condition

    def _names_sql(self, node: Node, values: list[Any]) -> str | None:
        """Write a term on names, which a conversation has in a column; None when it is another."""
        if isinstance(node, Not):
            inner = self._names_sql(node.term, values)
            return None if inner is None else f"NOT {inner}"
        if not isinstance(node, Named) or node.kind == "role":
            return None
        numbers = self.numbers(node)
        values += [f",{number}," for number in numbers]
        return f"({' OR '.join(['instr(c.names, ?) > 0'] * len(numbers)) or '0'})"

    def _match(self, node: Node) -> str:
        """Write what the full-text index can answer as a whole."""
        if isinstance(node, Words):
            found = phrase(node.text, begins=node.begins)
            return f"text:{found}" if found else _NOTHING
        if isinstance(node, Named):
            numbers = self.numbers(node)
            return (
                f"({' OR '.join(f'names:n{number}' for number in numbers)})"
                if numbers
                else _NOTHING
            )
        if isinstance(node, Not):
            return f"({EVERY} NOT {self._match(node.term)})"
        assert isinstance(node, All | Either)
        if isinstance(node, Either):
            return f"({' OR '.join(map(self._match, node.terms))})"
        without = [term.term for term in node.terms if isinstance(term, Not)]
        needed = [self._match(term) for term in node.terms if not isinstance(term, Not)]
        written = " AND ".join(needed or [EVERY])
        for term in without:
            written = f"({written}) NOT {self._match(term)}"
        return f"({written})"

    def _sql(self, node: Node, values: list[Any]) -> str:
        """Write a term that is not for the full-text index alone."""
        if isinstance(node, Fact):
            return _compare(node, values)
        if isinstance(node, Not):
            return f"ifnull(NOT {self._sql(node.term, values)}, 1)"
        if isinstance(node, All | Either):
            joint = " OR " if isinstance(node, Either) else " AND "
            return f"({joint.join([self._sql(term, values) for term in node.terms])})"
        values.append(self._match(node))
        return self._text

    def numbers(self, name: Named) -> list[int]:
        """Look up the numbers of the names that are meant."""
        select = "SELECT id FROM name WHERE kind=? AND lower(value) GLOB ? LIMIT 1000"
        pattern = _glob(name.value.lower())
        return [row[0] for row in self._connection.execute(select, (name.kind, pattern))]


def _is_text(node: Node) -> bool:
    if isinstance(node, Not):
        return _is_text(node.term)
    if isinstance(node, All | Either):
        return all(map(_is_text, node.terms))
    return not isinstance(node, Fact)


def _is_of_conversation(node: Node) -> bool:
    if isinstance(node, Not):
        return _is_of_conversation(node.term)
    if isinstance(node, All | Either):
        return all(map(_is_of_conversation, node.terms))
    return isinstance(node, Fact) and node.key != "time"


def _bound(condition: Condition, operator: str, value: float) -> None:
    if operator == "<":
        condition.until = min(value, condition.until or value)
    else:
        condition.since = max(value, condition.since or value)


def _compare(fact: Fact, values: list[Any]) -> str:
    if fact.key == "tag":
        values.append(_glob(str(fact.value)))
        return "EXISTS (SELECT 1 FROM json_each(c.tags) tag WHERE tag.value GLOB ?)"
    column = _COLUMNS[fact.key]
    if fact.operator == "is null":
        return f"{column} IS NULL"
    if fact.operator == "like":
        values.append(_glob(str(fact.value)))
        return f"{column} GLOB ?"
    values.append(fact.value)
    return f"{column} {fact.operator} ?"


def _glob(text: str) -> str:
    """Write a text for GLOB, in which only `*` means something."""
    return text.replace("[", "[[]").replace("?", "[?]")
