"""Gemini's two stream formats: bytes in, JSON objects out, in any split.

With `alt=sse` Gemini sends server-sent events, but reports an error in the middle as bare lines of
JSON; without it, one JSON array comes piece by piece. This file knows where one object ends, not
what it says. Invariants: the objects do not depend on where the stream was cut into chunks; each
byte is looked at a fixed number of times; an object beyond the limit costs no memory.

Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent and the
line buffer of the google-genai SDK.
"""

from __future__ import annotations

import re
from typing import Final

from dolphin_logger.sse import DEFAULT_LIMIT, EventSplitter

_FIELDS: Final = (b"data", b"event", b"id", b"retry")
_OUTSIDE_STRINGS: Final = re.compile(rb'["{}]')
_IN_STRING: Final = re.compile(rb'["\\]')
_BETWEEN: Final = b" \t\r\n[],"


class ObjectSplitter:
    """Cuts the objects out of a JSON array, or out of bare lines.

    Attributes:
        exact: False when something else than an array's punctuation stood between them.
        closed: True when the array has ended.
    """

    __slots__ = (
        "_depth",
        "_escaped",
        "_in_string",
        "_limit",
        "_lost",
        "_object",
        "closed",
        "exact",
    )

    def __init__(self, *, limit: int = DEFAULT_LIMIT) -> None:
        self.exact = True
        self.closed = False
        self._limit = limit
        self._object = bytearray()
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._lost = False  # the current object is beyond the limit

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes; return the objects that they complete."""
        found: list[bytes] = []
        start = place = 0
        while place < len(chunk):
            if not self._depth:
                start = place = self._begin(chunk, place)
                continue
            place = self._advance(chunk, place)
            if not self._depth:
                self._keep(chunk[start:place])
                found.append(bytes(self._object))
                self._object.clear()
                start = place
        if self._depth:
            self._keep(chunk[start:])
        return [data for data in found if data]

    def finish(self) -> bytes:
        """End the stream; return the object that was cut."""
        return bytes(self._object)

    def _begin(self, chunk: bytes, place: int) -> int:
        """Find the next object's beginning; the place after the chunk when there is none."""
        brace = chunk.find(b"{", place)
        end = len(chunk) if brace < 0 else brace
        between = chunk[place:end]
        self.closed |= b"]" in between
        self.exact &= not between.strip(_BETWEEN) and not (self.closed and brace >= 0)
        if brace >= 0:
            self._depth = 1
            self._lost = False
            self._keep(b"{")
            return brace + 1
        return end

    def _advance(self, chunk: bytes, place: int) -> int:
        """Go on to behind the next byte that matters."""
        if self._escaped:
            self._escaped = False
            return place + 1
        match = (_IN_STRING if self._in_string else _OUTSIDE_STRINGS).search(chunk, place)
        if match is None:
            return len(chunk)
        byte = match[0]
        if byte == b'"':
            self._in_string = not self._in_string
        elif byte == b"\\":
            self._escaped = True
        else:
            self._depth += 1 if byte == b"{" else -1
        return match.end()

    def _keep(self, part: bytes) -> None:
        if len(self._object) + len(part) > self._limit:
            self.exact = False
            self._lost = True
            self._object.clear()
        if not self._lost:
            self._object += part


class LineKeepingSplitter(EventSplitter):
    """Cuts a stream into events, and keeps the lines that belong to no event."""

    __slots__ = ("_lines",)

    def __init__(self, *, limit: int = DEFAULT_LIMIT) -> None:
        super().__init__(limit=limit)
        self._lines: list[bytes] = []

    def take_lines(self) -> list[bytes]:
        """Hand out, once, the lines that are no field of an event."""
        lines, self._lines = self._lines, []
        return lines

    def _end_line(self, line: bytes) -> None:
        whole = bytes(self._line) + line if self._line else line
        super()._end_line(line)
        if whole.partition(b":")[0] not in _FIELDS and not whole.startswith(b":"):
            self._lines.append(whole)
