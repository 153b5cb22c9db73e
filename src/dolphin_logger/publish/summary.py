"""Summary: what a dataset card tells of rows, as counts that can be added up.

Each contribution carries its own; the card is written from the sum of all. It knows rows as JSON
values, and no repository. Invariant: counts only: nothing in it was said by anybody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

EDGES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_MOST_NAMES: Final = 40  # of tools, models: the card shows the most frequent
_MOST_READ: Final = 10_000  # names of one kind in what somebody gave
_MOST: Final = 10**12
_ANY: Final = re.compile(r".+", re.DOTALL)
_EDGE: Final = re.compile("|".join(map(str, EDGES)))
_FORMS: Final = {"turns": _EDGE, "tokens": _EDGE, "months": re.compile(r"[12]\d{3}-[01]\d")}


@dataclass(slots=True)
class Summary:
    """Counts over rows.

    Attributes:
        rows: by export. conversations: how many there are in all.
        turns, tokens: how many rows lie below each edge: `4` counts those from 4 to 7 (tokens in
            thousands). models, providers, clients, tools: rows in which each occurs.
        months: rows by `YYYY-MM`. findings: replaced spans by rule.
    """

    rows: Counter[str] = field(default_factory=Counter)
    conversations: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)

    def add(self, other: Summary) -> None:
        """Take in the counts of another."""
        self.conversations += other.conversations
        for one in fields(self):
            if one.name != "conversations":
                getattr(self, one.name).update(getattr(other, one.name))

    def to_json(self) -> dict[str, Any]:
        """Write it, in an order that does not depend on how it came about."""
        written: dict[str, Any] = {"conversations": self.conversations}
        for one in fields(self):
            if one.name != "conversations":
                written[one.name] = dict(sorted(getattr(self, one.name).items()))
        return written


def read_summary(values: Mapping[str, Any]) -> Summary:
    """Read what `to_json` wrote; what is odd in a stranger's is left out."""
    found = Summary()
    count = values.get("conversations")
    found.conversations = int(count or 0) if _is_count(count) else 0
    for one in fields(Summary):
        counts = values.get(one.name)
        if one.name != "conversations" and isinstance(counts, dict):
            counter = getattr(found, one.name)
            for name, number in list(counts.items())[:_MOST_READ]:
                if (
                    _is_count(number)
                    and len(name) <= 200
                    and _FORMS.get(one.name, _ANY).fullmatch(name)
                ):
                    counter[name] += number
    return found


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 < value <= _MOST


def summarise(export: str, rows: Iterable[Mapping[str, Any]]) -> Summary:
    """Count the rows of one export; conversations are counted by the caller, who knows them all."""
    found = Summary()
    for row in rows:
        found.rows[export] += 1
        _count_row(found, row)
    return found


def _count_row(found: Summary, row: Mapping[str, Any]) -> None:
    messages = [
        message
        for name in ("messages", "prompt", "completion", "chosen", "conversations")
        for message in _list(row.get(name))
        if isinstance(message, dict)
    ]
    answers = sum(message.get("role", message.get("from")) in _MODELS for message in messages)
    if answers:
        found.turns[_edge(answers)] += 1
    called = {name for message in messages for name in _called(message)}
    found.tools.update(sorted(called))
    metadata = row.get("metadata")
    if not isinstance(metadata, dict):
        return
    for name in ("models", "providers"):
        getattr(found, name).update({one for one in _list(metadata.get(name)) if _is_name(one)})
    if _is_name(metadata.get("client")):
        found.clients[metadata["client"]] += 1
    tokens = _tokens(metadata.get("tokens"))
    if tokens:
        found.tokens[_edge(max(1, tokens // 1000))] += 1
    month = _month(metadata.get("time"))
    if month:
        found.months[month] += 1


_MODELS: Final = ("assistant", "gpt", "function_call", "model")


def _called(message: Mapping[str, Any]) -> Iterable[str]:
    for call in _list(message.get("tool_calls")):
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if _is_name(name):
            yield str(name)


def _tokens(value: Any) -> int:
    if isinstance(value, dict):
        value = sum(
            number for name, number in value.items() if name in _COUNTED and isinstance(number, int)
        )
    return value if isinstance(value, int) else 0


_COUNTED: Final = ("input_tokens", "output_tokens", "input", "output")


def _month(value: Any) -> str | None:
    if isinstance(value, list | dict):
        values = list(value.values()) if isinstance(value, dict) else value
        value = values[0] if values else None
    return value[:7] if isinstance(value, str) and len(value) >= 7 else None


def _edge(number: int) -> str:
    return str(max(edge for edge in EDGES if edge <= max(1, number)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200


def most(counts: Counter[str]) -> list[tuple[str, int]]:
    """Give the most frequent names, the most frequent first; of equal ones by their names."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_NAMES]


def in_order(counts: Counter[str]) -> list[tuple[str, int]]:
    """Give counts by edge or month, in their order, with the empty places between numbers."""
    if not all(name.isdigit() for name in counts):
        return sorted(counts.items())
    edges = [edge for edge in EDGES if counts]
    low, high = min(map(int, counts), default=1), max(map(int, counts), default=0)
    return [(str(edge), counts.get(str(edge), 0)) for edge in edges if low <= edge <= high]
