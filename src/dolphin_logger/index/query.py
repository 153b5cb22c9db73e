"""The query language: what a person writes, as a tree. Pure; it knows neither tables nor records.

    words "exact phrase" begin* -without  key:value  one or other  (grouping)

Terms side by side must all hold. Invariant: what is not understood is an error that names the term and
says what would be; nothing is passed over in silence.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from dolphin_logger.errors import QueryError

KEYS: Final = {
    "model": "name, * for any end",
    "client": "name, * for any end",
    "provider": "name, * for any end",
    "session": "id that the client sent, * for any end",
    "tool": "name of a tool that was called, * for any end",
    "role": "user, assistant, system, tool, …",
    "rating": "1 to 5, or none; >=4",
    "tag": "tag, * for any end",
    "has": "call, result, error, image, file, reasoning, refusal",
    "outcome": "completed, provider_error, …",
    "before": "day, 2026-11-22, or month, year",
    "after": "day (included), month, year",
    "cost": "dollars of a conversation, >0.5",
    "tokens": "tokens of a conversation, >=10000",
}
_NAMES: Final = ("model", "client", "provider", "tool", "role", "has", "outcome")
_NUMBERS: Final = {"rating": 1, "cost": 1_000_000, "tokens": 1}  # factor from what is written
_LONGEST: Final = 2_000  # characters
_MOST_TERMS: Final = 64
_TOKEN: Final = re.compile(
    r"\s*(?P<minus>-(?=[^\s-]))?(?:(?P<open>\()|(?P<close>\))|(?P<bare>[A-Za-z_]+:)(?=[\s()]|$)|"
    r'(?:(?P<key>[A-Za-z_]+):(?!/))?(?P<value>"[^"]*(?:"\*?|$)|[^\s()"]+)|(?P<other>\S))'
)
_NUMBER: Final = re.compile(r"(>=|<=|>|<|=)?\$?([0-9]+(?:\.[0-9]+)?)([kKmM]?)")
_DAY: Final = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")


@dataclass(frozen=True, slots=True)
class Words:
    """Words in a row; `begins`: the last one need only begin so."""

    text: str
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A model, client, provider, tool, role, outcome or kind of part; `*` stands for any end."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something of the whole conversation: session, tag, rating, cost, tokens; a time of a record.

    `operator` is one of `=`, `<`, `<=`, `>`, `>=`, `is null`, `like` (with `*`).
    """

    key: str
    operator: str
    value: str | float | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    term: Node


@dataclass(frozen=True, slots=True)
class All:
    """What must hold together; nothing at all always holds."""

    terms: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """Of what one must hold."""

    terms: tuple[Node, ...]


Node: TypeAlias = Words | Named | Fact | Not | All | Any


def parse(text: str) -> Node:
    """Read a query.

    Raises:
        QueryError: a term is not understood.
    """
    if len(text) > _LONGEST:
        raise QueryError(f"a query of {len(text)} characters is too long: at most {_LONGEST}")
    tokens = [match for match in _TOKEN.finditer(text) if match[0].strip()]
    if len(tokens) > _MOST_TERMS:
        raise QueryError(f"a query of {len(tokens)} terms is too long: at most {_MOST_TERMS}")
    node, rest = _read_either(tokens, depth=0)
    if rest:
        raise QueryError(f"{rest[0][0].strip()!r} closes what was not opened")
    return node


def words_of(node: Node) -> list[Words]:
    """List the words that a text must have to be found, for showing where they are."""
    if isinstance(node, Words):
        return [node]
    if isinstance(node, All | Any):
        return [words for term in node.terms for words in words_of(term)]
    return []


def _read_either(tokens: list[re.Match[str]], *, depth: int) -> tuple[Node, list[re.Match[str]]]:
    choices: list[Node] = []
    terms: list[Node] = []
    pending = False
    while tokens and not tokens[0]["close"]:
        token, tokens = tokens[0], tokens[1:]
        if token["value"] in ("or", "OR") and not token["key"] and not token["minus"]:
            if not terms:
                raise QueryError(f"{token['value']!r} needs a term before it")
            choices.append(_together(terms))
            terms, pending = [], True
            continue
        pending = False
        if token["open"]:
            term, tokens = _read_either(tokens, depth=depth + 1)
            if not tokens:
                raise QueryError("'(' is not closed")
            tokens = tokens[1:]
        else:
            term = _read_term(token)
        terms.append(Not(term) if token["minus"] else term)
    if pending:
        raise QueryError("'or' needs a term after it")
    if tokens and not depth:
        return _together(terms), tokens
    last = _together(terms)
    return (Any((*choices, last)) if choices else last), tokens


def _together(terms: list[Node]) -> Node:
    return terms[0] if len(terms) == 1 else All(tuple(terms))


def _read_term(token: re.Match[str]) -> Node:
    key, value = token["key"], token["value"]
    if token["bare"]:
        meant = KEYS.get(token["bare"][:-1].lower())
        if meant is None:
            return Words(token["bare"])
        raise QueryError(f"{token['bare']!r} needs a value: {meant}")
    if value is None:
        raise QueryError(f"{token[0].strip()!r} is not understood")
    if key is None or value.startswith(":"):
        return _read_words(token[0].strip().removeprefix("-") if key else value)
    if key.lower() not in KEYS:
        near = difflib.get_close_matches(key.lower(), KEYS, 1)
        hint = f"did you mean {near[0]}:? " if near else ""
        raise QueryError(
            f"unknown term {key}:{value}; {hint}known: {', '.join(f'{name}:' for name in KEYS)};"
            f' to look for the text, write "{key} {value.strip(chr(34))}"'
        )
    return _read_keyed(key.lower(), value.strip('"'))


def _read_words(value: str) -> Words:
    begins = value.endswith("*")
    text = value.rstrip("*").strip('"')
    if not any(map(str.isalnum, text)):
        raise QueryError(f"{value!r} has no letter and no digit to look for")
    return Words(text, begins)


def _read_keyed(key: str, value: str) -> Node:
    if not value:
        raise QueryError(f"{key}: needs a value: {KEYS[key]}")
    if key in _NAMES:
        return Named(key, value)
    if key in _NUMBERS:
        return _read_number(key, value)
    if key in ("before", "after"):
        return Fact("time", "<" if key == "before" else ">=", _read_day(key, value))
    return Fact(key, "like" if "*" in value else "=", value)


def _read_number(key: str, value: str) -> Fact:
    if value == "none":
        return Fact(key, "is null")
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise QueryError(f"{key}:{value}: expected {KEYS[key]}")
    scale = {"": 1, "k": 1_000, "m": 1_000_000}[match[3].lower()]
    return Fact(key, match[1] or "=", float(match[2]) * scale * _NUMBERS[key])


def _read_day(key: str, value: str) -> float:
    """Give the beginning of a day, month or year, here, in UNIX microseconds."""
    match = _DAY.fullmatch(value)
    try:
        if match is None:
            raise ValueError(value)
        moment = datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1)).astimezone()
    except (ValueError, OverflowError) as error:
        raise QueryError(f"{key}:{value}: expected {KEYS[key]}") from error
    return moment.timestamp() * 1e6
