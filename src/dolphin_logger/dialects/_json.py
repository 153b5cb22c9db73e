"""What orjson refuses or rounds, read as exactly as Python can.

Decoders read each event with orjson, which is fast, but refuses lone surrogates and turns integers
beyond 64 bits into floats; the standard library takes both, and NaN, which is not JSON. This file
says when to look again, and does. It knows no dialect.
Invariant: nothing here raises on provider input, and a value that comes back can be written as
JSON again by the standard library (no NaN, no Infinity, nesting within what encoders take).
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

_DEEPEST: Final = 200  # orjson writes 254 levels, and the answer adds a few of its own
_DIGITS_ONLY: Final = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_LONG_NUMBER: Final = b"0" * 19
_INFINITE: Final = frozenset((float("inf"), float("-inf")))


class Reading(NamedTuple):
    """What one event holds; `exact` is False when the value is not all that the bytes said."""

    value: Any
    exact: bool


UNREADABLE: Final = Reading(None, exact=False)


def has_long_number(data: bytes) -> bool:
    """Say whether orjson may have rounded an integer (false alarms allowed)."""
    return _LONG_NUMBER in data.translate(_DIGITS_ONLY)


def read_slowly(data: bytes) -> Reading:
    """Read with the standard library: bad UTF-8, control characters and NaN are read, not exactly."""
    not_json: list[str] = []

    def parse_float(text: str) -> float | None:
        number = float(text)
        if number in _INFINITE:
            not_json.append(text)
            return None
        return number

    text = data.decode("utf-8", "replace")
    for strict in (True, False):
        try:
            value = json.loads(
                text, strict=strict, parse_constant=not_json.append, parse_float=parse_float
            )
        except (ValueError, RecursionError):
            continue
        if is_too_deep(value, data):
            return UNREADABLE
        return Reading(value, exact=strict and not not_json and text.encode() == data)
    return UNREADABLE


def is_too_deep(value: Any, data: bytes) -> bool:
    """Say whether a value is nested deeper than what can be written again; `data` is its JSON text."""
    if data.count(b"[") + data.count(b"{") <= _DEEPEST:
        return False
    level = [value]
    for _ in range(_DEEPEST + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return False
        level = below
    return True
