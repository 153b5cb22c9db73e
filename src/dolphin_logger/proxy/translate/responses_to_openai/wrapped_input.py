"""The free text of a custom tool, wrapped into the arguments of a function and taken out again.

Providers of chat completions know functions only, so the text travels as `{"input": "…"}`. It knows
JSON strings and no language. Invariant: what comes out does not depend on how the arguments were
split; arguments of any other form are the text themselves, so that nothing that the model wrote is lost.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

INPUT: Final = "input"  # the one argument

_BEGINNING: Final = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_SPECIAL: Final = re.compile(r'["\\]')
_LOW_SURROGATE: Final = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_UNICODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_LONGEST: Final = 6  # characters of an escape
_PLAIN: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ITSELF: Final = frozenset('"\\/')


def wrap_input(text: str) -> str:
    """Write the arguments that stand for a text."""
    return json.dumps({INPUT: text}, ensure_ascii=False)


class InputUnwrapper:
    """Takes a text out of arguments that arrive in pieces."""

    def __init__(self) -> None:
        self._waiting = ""
        self._take = self._begin

    def feed(self, piece: str) -> str:
        """Take the next piece; return what it adds to the text."""
        return self._take(piece)

    def finish(self) -> str:
        """Take the end; return what was held back."""
        waiting, self._waiting = self._waiting, ""
        if self._take != self._begin:
            found = _UNICODE.match(waiting)  # half of a pair, whose other half never came
            return chr(int(found[1], 16)) if found else ""
        try:
            value: Any = json.loads(waiting)
        except (ValueError, RecursionError):
            return waiting
        text = value.get(INPUT) if isinstance(value, dict) else None
        return text if isinstance(text, str) else waiting

    def _begin(self, piece: str) -> str:
        """Hold back until it is known what this is; another first argument is known at the end."""
        self._waiting += piece
        found = _BEGINNING.match(self._waiting)
        if found:
            rest, self._waiting = self._waiting[found.end() :], ""
            self._take = self._unescape
            return self._unescape(rest)
        start = self._waiting.lstrip()
        if not start or start[0] == "{":
            return ""
        text, self._waiting = self._waiting, ""
        self._take = _as_it_is
        return text

    def _unescape(self, piece: str) -> str:
        text = self._waiting + piece
        self._waiting = ""
        out: list[str] = []
        place = 0
        while found := _SPECIAL.search(text, place):
            out.append(text[place : found.start()])
            if found[0] == '"':
                self._take = _nothing
                return "".join(out)
            character, place = _read_escape(text, found.start())
            if not character:
                self._waiting = text[place:]
                return "".join(out)
            out.append(character)
        out.append(text[place:])
        return "".join(out)


def _read_escape(text: str, place: int) -> tuple[str, int]:
    """Read the escape at a place: its character and where it ends; no character if more must come."""
    escape = text[place : place + _LONGEST]
    if len(escape) < 2 or (escape[1] == "u" and len(escape) < _LONGEST):
        return "", place
    found = _UNICODE.match(escape)
    if not found:
        character = escape[1] if escape[1] in _ITSELF else _PLAIN.get(escape[1], escape[:2])
        return character, place + 2
    code = int(found[1], 16)
    end = place + _LONGEST
    if not 0xD800 <= code < 0xDC00:
        return chr(code), end
    following = text[end : end + _LONGEST]
    other = _LOW_SURROGATE.match(following)
    if other:
        low = int(other[1], 16)
        return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), end + _LONGEST
    if len(following) < _LONGEST and "\\u".startswith(following[:2]):
        return "", place
    return chr(code), end


def _as_it_is(piece: str) -> str:
    return piece


def _nothing(piece: str) -> str:
    """Leave out what follows the text: the end of the object."""
    del piece
    return ""
