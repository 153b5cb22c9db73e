"""In which line of a JSON text a value stands.

Walks the text with the standard library's string scanner, only when there is something to report.
It does not validate: the text has been parsed before.
Invariant: every path of the parsed value is found, and a repeated key is found each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json import decoder

Path = tuple[str | int, ...]
_NEXT = re.compile(r'[^\s,:"{}\[\]]+|[,:"{}\[\]]')


@dataclass(slots=True)
class _Container:
    """An open object or array: `here` is the current key or index; `fresh`, that it comes next."""

    is_object: bool
    here: str | int
    fresh: bool = True
    keys: set[str | int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key (of an object) or an element (of an array) begins."""

    path: Path
    line: int
    repeated: bool


def walk(text: str) -> Iterator[Place]:
    """Yield the place of every key and every element, in the order of the text."""
    stack: list[_Container] = []
    at = counted = 0
    line = 1
    while match := _NEXT.search(text, at):
        start, at, symbol = match.start(), match.end(), match[0]
        top = stack[-1] if stack else None
        word = ""
        if symbol == '"':
            word, at = _scan_string(text, at)
        if top and top.fresh and symbol not in ",]}":
            if top.is_object:
                top.here = word
            line += text.count("\n", counted, start)
            counted = start
            yield Place(tuple(outer.here for outer in stack), line, top.here in top.keys)
            top.keys.add(top.here)
            top.fresh = False
        if symbol in "{[":
            stack.append(_Container(symbol == "{", "" if symbol == "{" else 0))
        elif symbol in "}]":
            stack.pop()
        elif symbol == "," and top:
            top.fresh = True
            if isinstance(top.here, int):
                top.here += 1


def _scan_string(text: str, start: int) -> tuple[str, int]:
    scanned: tuple[str, int] = decoder.scanstring(text, start)  # type: ignore[attr-defined]  # public in json.decoder, absent from its stub
    return scanned


def line_of(text: str, path: Path) -> int | None:
    """Find the line (from 1) of a path, or of the nearest part of it that is there.

    Of a repeated key the last one counts, as in the parsed value.
    """
    lines = {place.path: place.line for place in walk(text)}
    return next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), None)
