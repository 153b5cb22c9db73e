"""Fields of what other programs wrote: read by type, never trusted.

It knows JSON values, no program. Invariant: a value of another type than the one asked for is
unknown (None, or empty), and nothing raises.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from dolphin_logger.importers._api import SETTLED_SECONDS, Buffer, Content, Unknown

LINE_LIMIT = 64 * 1024 * 1024  # bytes; a longer line is kept in the archive and not decoded
_LATEST = 4_102_444_800  # seconds; a time beyond the year 2100 is none
_MILLISECONDS = 100_000_000_000  # a number of seconds above this is one of milliseconds


def parse(text: bytes) -> Any:
    """Parse JSON, lone surrogates and long integers too; None when it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None


def json_text(value: Any) -> bytes:
    """Write a value as JSON; lone surrogates and long integers too."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Line:
    """A line that holds an object: its number from 0, where it begins, what it says."""

    number: int
    offset: int
    fields: dict[str, Any]


def read_lines(content: Content) -> Iterator[Line | Unknown]:
    """Read a file of JSON lines; the end of one that is being written is passed over."""
    for number, offset, text in _cut(content.data):
        fields = parse(text) if text is not None else None
        if isinstance(fields, dict):
            yield Line(number, offset, fields)
        elif text is None:
            yield Unknown("too long")
        elif offset + len(text) < len(content.data) or content.idle >= SETTLED_SECONDS:
            yield Unknown("not JSON" if fields is None else "no object")


def _cut(data: Buffer) -> Iterator[tuple[int, int, bytes | None]]:
    """Cut a file: number, offset and bytes of each line (None: too long)."""
    start = number = 0
    size = len(data)
    while start < size:
        end = data.find(b"\n", start)
        end = size if end < 0 else end
        if end - start > LINE_LIMIT:
            yield number, start, None
        else:
            line = data[start:end]
            if line.strip():
                yield number, start, line
        start = end + 1
        number += 1


def line_at(data: Buffer, offset: int) -> Mapping[str, Any]:
    """Parse the line that begins at an offset."""
    end = data.find(b"\n", offset)
    return as_object(parse(data[offset : len(data) if end < 0 else end]))


def as_object(value: Any) -> dict[str, Any]:
    """Give an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Give a list, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str | None:
    """Give a text that is not empty."""
    return value if isinstance(value, str) and value else None


def text_of(fields: Mapping[str, Any], *keys: str) -> str | None:
    """Give the first of some fields that is a text and not empty."""
    for key in keys:
        if text := as_text(fields.get(key)):
            return text
    return None


def kind_of(value: Any) -> str:
    """Name a sort of thing for the count of unknown ones: short, whatever was written."""
    return value[:40] if isinstance(value, str) and value.isprintable() else type(value).__name__


def moment(value: Any) -> int | None:
    """Read a time as UNIX nanoseconds: RFC 3339 text, or seconds or milliseconds since 1970."""
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
            seconds = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if value > _MILLISECONDS else value
    else:
        return None
    return int(seconds * 1_000_000) * 1000 if _is_time(seconds) else None


def _is_time(seconds: float) -> bool:
    return math.isfinite(seconds) and 0 < seconds < _LATEST
