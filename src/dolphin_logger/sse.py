"""Server-sent events: bytes in, events out, in any split.

It works on bytes, because U+2028, U+2029 and U+0085 end no line here and a chunk may end inside a
character. It knows no JSON, no dialect and no connection.
Invariant: the events do not depend on where the stream was cut into chunks; each byte is looked at
a fixed number of times; an event beyond the limit costs no memory and comes out marked `oversize`.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream,
except that `finish` hands out a last event that lacks its blank line, which some providers send.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DEFAULT_LIMIT: Final = 16 * 1024 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UNFINISHED_COMMENT: Final = b":"


class Event(NamedTuple):
    """One event.

    Attributes:
        event: its name; `message` when the stream gave none.
        data: its `data` lines joined by LF, undecoded.
        id: its own `id` line; None when it had none.
        oversize: True when it was larger than the limit; `data` is then empty.
    """

    event: str = "message"
    data: bytes = b""
    id: str | None = None
    oversize: bool = False


class EventSplitter:
    """Cuts one stream into events; `limit` bounds the bytes of one event's lines, without comments."""

    __slots__ = (
        "_after_cr",
        "_data",
        "_event",
        "_head",
        "_id",
        "_limit",
        "_line",
        "_size",
        "_started",
    )

    def __init__(self, *, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._head = b""  # what could still become a byte order mark
        self._started = False
        self._after_cr = False
        self._line = bytearray()  # a line that has not ended
        self._size = 0  # bytes in the ended lines of the current event; over the limit: it is lost
        self._data: list[bytes] = []
        self._event = ""
        self._id: str | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes; return the events that they complete."""
        if not self._started:
            chunk = self._head + chunk
            if len(chunk) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(chunk):
                self._head = chunk
                return []
            self._started = True
            chunk = chunk.removeprefix(_BYTE_ORDER_MARK)
        if not chunk:
            return []
        if self._after_cr or b"\r" in chunk:
            chunk = self._normalise(chunk)
        events: list[Event] = []
        if self._line or self._size:
            chunk = self._complete(chunk, events=events)
        if chunk:
            self._split(chunk, events=events)
        return events

    def finish(self) -> list[Event]:
        """End the stream; return the event that was not followed by a blank line, if there is one."""
        events: list[Event] = []
        if not self._started:
            self._started = True
            self._line += self._head
        if self._line:
            self._end_line(b"")
        self._dispatch(events)
        return events

    def _normalise(self, chunk: bytes) -> bytes:
        """Turn CRLF and CR into LF; a CR at the end counts at once, an LF after it not again."""
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _complete(self, chunk: bytes, *, events: list[Event]) -> bytes:
        """Carry on with an event that an earlier chunk began; return what follows it."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line = chunk[start:end]
            start = end + 1
            if line or self._line:
                self._end_line(line)
            else:
                self._dispatch(events)
                return chunk[start:]
        self._keep(chunk[start:])
        return b""

    def _split(self, chunk: bytes, *, events: list[Event]) -> None:
        """Cut a chunk that begins with an event; most pieces are one `data` line."""
        pieces = chunk.split(b"\n\n")
        rest = pieces.pop()
        small = len(chunk) <= self._limit
        for piece in pieces:
            if small and piece.startswith(b"data: ") and b"\n" not in piece:
                events.append(Event("message", piece[6:]))
                continue
            for line in piece.split(b"\n"):
                if line:
                    self._end_line(line)
                else:
                    self._dispatch(events)
            self._dispatch(events)
        *lines, open_line = rest.split(b"\n")
        for line in lines:
            if line:
                self._end_line(line)
            else:
                self._dispatch(events)
        self._keep(open_line)

    def _keep(self, part: bytes) -> None:
        """Hold the beginning of a line, unless it is a comment or beyond the limit."""
        if not part:
            return
        self._line += part
        if self._line.startswith(b":"):
            self._line[:] = _UNFINISHED_COMMENT
        elif self._size + len(self._line) > self._limit:
            self._lose()
            self._line[:] = _UNFINISHED_COMMENT

    def _lose(self) -> None:
        self._size = self._limit + 1
        self._data.clear()

    def _end_line(self, line: bytes) -> None:
        """Take a whole line that is not blank."""
        if self._line:
            line = bytes(self._line) + line
            self._line.clear()
        if line.startswith(b":"):
            return
        self._size += len(line)
        if self._size > self._limit:
            self._lose()
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _dispatch(self, events: list[Event]) -> None:
        """Take a blank line: the event is complete, or there was none."""
        if not self._size:
            return
        if self._size > self._limit:
            events.append(Event(self._event or "message", b"", self._id, oversize=True))
        elif self._data:
            events.append(Event(self._event or "message", b"\n".join(self._data), self._id))
        self._size = 0
        self._data = []
        self._event = ""
        self._id = None
