"""Events and errors as JSON: read exactly, written compactly.

It knows no dialect. It adds to `_json` which of its two ways to read an event needs.
Invariant: nothing here raises on what somebody else sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import orjson

from dolphin_logger.dialects._json import (
    UNREADABLE,
    Reading,
    has_long_number,
    is_too_deep,
    read_slowly,
)


def read(data: bytes) -> Reading:
    """Read one JSON text as exactly as Python can; fast where orjson is exact."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return read_slowly(data)
    if has_long_number(data):
        return read_slowly(data)
    return UNREADABLE if is_too_deep(value, data) else Reading(value, exact=True)


def add_known(*counts: int | None) -> int | None:
    """Add up the counts that are known; None when none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def error_text(error: object) -> str:
    """Say in words what an error value says: its message, or all of it."""
    message = error.get("message") if isinstance(error, Mapping) else error
    return message if isinstance(message, str) and message else json.dumps(error)


def to_json(value: object) -> bytes:
    """Write a value of ours as compact ASCII JSON."""
    return json.dumps(value, separators=(",", ":")).encode()
