"""The answer to one request: framing on the client's side.

It knows HTTP/1.1 framing and writes to whatever carries it, not paths or providers.
Invariants: a head goes out with the first bytes behind it; a body that was cut never ends cleanly.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Protocol

from dolphin_logger.proxy.request import Request

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class Carrier(Protocol):
    """The connection under an answer."""

    closing: bool

    def send(self, data: bytes) -> None:
        """Write to the socket, if it is still there."""
        ...

    def answered(self, *, close: bool) -> None:
        """Take note that the answer is complete."""
        ...

    def break_off(self, *, reset: bool) -> None:
        """Close without the end that the framing needs."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Consumer(Protocol):
    """Who produces the answer and wants to know about the client's end of the line."""

    def client_gone(self) -> None:
        """The client has left before the answer was finished."""
        ...

    def client_full(self) -> None:
        """The client does not read fast enough: stop producing."""
        ...

    def client_drained(self) -> None:
        """The client reads again."""
        ...


class Responder:
    """The answer to one request. `start`, then `write` any number of times, then one ending."""

    __slots__ = (
        "_chunked",
        "_close",
        "_head",
        "connection",
        "consumer",
        "done",
        "request",
        "started",
    )

    def __init__(self, connection: Carrier, request: Request) -> None:
        self.connection = connection
        self.request = request
        self.consumer: Consumer | None = None
        self.started = False
        self.done = False
        self._chunked = False
        self._head = b""
        self._close = not request.keep_alive

    def start(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], *, length: int | None
    ) -> None:
        """Prepare status and header fields; `length` is the body's, None when it is not known.

        They go out with the next `write` or ending, as one write to the socket.
        """
        self.started = True
        lines = [b"HTTP/1.1 %d %s" % (status, _REASONS.get(status, b"Unknown"))]
        lines += [b"%s: %s" % field for field in headers]
        if length is not None:
            lines.append(b"content-length: %d" % length)
        elif self.request.http10:
            self._close = True
        elif status >= 200 and status not in (204, 304):
            lines.append(b"transfer-encoding: chunked")
            self._chunked = True
        if self._close or self.connection.closing:
            self._close = True
            lines.append(b"connection: close")
        elif self.request.http10:
            lines.append(b"connection: keep-alive")
        lines.append(b"\r\n")
        self._head = b"\r\n".join(lines)

    def write(self, pieces: list[bytes]) -> None:
        """Send pieces of the body, keeping their boundaries as chunks; none sends the head alone."""
        if self.done:
            return
        if self._chunked:
            pieces = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]
        if self._head:
            pieces = [self._head, *pieces]
            self._head = b""
        self.connection.send(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def finish(self) -> None:
        """End the body properly."""
        if self.done:
            return
        self.done = True
        self.consumer = None  # nobody listens any more; and no cycle is left to collect
        end = b"0\r\n\r\n" if self._chunked else b""
        if end or self._head:
            self.connection.send(self._head + end)
        self.connection.answered(close=self._close)

    def break_off(self) -> None:
        """End the body so that the client cannot take it for complete; what was sent still arrives."""
        if self.done:
            return
        if self._head:
            self.write([])
        self.done = True
        self.consumer = None
        self.connection.break_off(reset=self.request.http10)

    def reply(self, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Send a whole small answer; HEAD gets no body."""
        self.start(status, headers, length=len(body))
        if self.request.method != b"HEAD":
            self.write([body])
        self.finish()
