"""Connections to providers: HTTP/1.1 out, answers in, as callbacks.

It knows sockets, TLS and framing, not clients, dialects or records. Redirects are not followed,
nothing is decompressed, no field is added, no request is sent twice.
Invariants: a body that was cut is reported as a failure, never as an end; a connection goes back to
the pool only after a complete answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

import httptools

from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.request import Headers

_HEADER_BYTES = 256 * 1024
_INTERIM = range(100, 200)


class Origin(NamedTuple):
    """Whom a connection is for; `ca` is a file of certificates to trust instead of the system's."""

    scheme: str
    host: str
    port: int
    ca: str | None = None


class Receiver(Protocol):
    """Who takes the answer. After `ended` or `failed` nothing more is called."""

    def answered(self, status: int, headers: Headers, length: int | None) -> None:
        """The head of the answer; `length` is the body's, None when it is not known."""
        ...

    def received(self, pieces: list[bytes], *, last: bool) -> None:
        """Pieces of the body, as framed; `last` when they complete it.

        Called after `answered` even without pieces, when the head came alone.
        """
        ...

    def ended(self) -> None:
        """The answer is complete."""
        ...

    def failed(self, error: ProviderError) -> None:
        """The answer did not come, or broke off."""
        ...

    def provider_full(self) -> None:
        """The provider does not take the request's body fast enough."""
        ...

    def provider_drained(self) -> None:
        """The provider takes more of the request's body."""
        ...


class Source(Protocol):
    """Where an answer comes from, as its receiver sees it."""

    def pause(self) -> None:
        """Stop producing until `resume`."""
        ...

    def resume(self) -> None:
        """Go on producing."""
        ...

    def abort(self) -> None:
        """Drop the answer; the receiver hears no more."""
        ...


class UpstreamConnection(asyncio.Protocol):
    """One connection to one provider; serves one request at a time."""

    __slots__ = (
        "_fresh",
        "_head_size",
        "_headers",
        "_length",
        "_on_idle",
        "_parser",
        "_pieces",
        "_receiver",
        "_remaining",
        "_reusable",
        "_state",
        "_transport",
        "idle_since",
        "origin",
        "sending",
    )

    def __init__(self, origin: Origin, on_idle: Callable[[UpstreamConnection], None]) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self.sending = False  # the request's body is not complete
        self._on_idle = on_idle
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._receiver: Receiver | None = None
        self._headers: Headers = []
        self._pieces: list[bytes] = []
        self._head_size = 0
        self._length: int | None = None
        self._remaining: int | None = None
        self._reusable = False
        self._fresh = False  # a head was handed on, and nothing since
        self._state = "idle"  # head, body, done

    @property
    def open(self) -> bool:
        """Whether a request could be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: list[bytes], *, receiver: Receiver) -> None:
        """Send one request and give its answer to `receiver`."""
        assert self._transport is not None
        self._receiver = receiver
        self._parser = httptools.HttpResponseParser(self)
        self._headers = []
        self._head_size = 0
        self._length = self._remaining = None
        self._state = "head"
        self._transport.writelines(data)

    def write(self, data: bytes) -> None:
        """Send more of the request's body."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    # --- Source

    def pause(self) -> None:
        """Stop reading: the provider feels it through TCP."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once."""
        self._receiver = None
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connected transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse, then hand on what one read brought as one batch."""
        if self._receiver is None:
            self.abort()  # bytes that nobody asked for: never reuse this connection
            return
        if self._state == "head":
            self._head_size += len(data)
            if self._head_size > _HEADER_BYTES:
                self._fail("protocol", "the provider's header fields are larger than 256 KiB")
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._state != "done":
                self._fail("protocol", "the provider switched protocols")
                return
        except httptools.HttpParserError as error:
            if self._state != "done":
                self._flush(last=False)
                message = f"the provider's answer is not well-formed HTTP/1.1: {error}"
                self._fail("protocol", message)
                return
            self._reusable = False
        self._flush(last=self._state == "done")
        if self._state == "done":
            self._complete()

    def pause_writing(self) -> None:
        """The socket's buffer is full."""
        if self._receiver is not None:
            self._receiver.provider_full()

    def resume_writing(self) -> None:
        """The socket's buffer has drained."""
        if self._receiver is not None:
            self._receiver.provider_drained()

    def eof_received(self) -> bool:
        """The provider has closed its side; `connection_lost` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """A close ends an answer without framing, and breaks any other."""
        self._transport = None
        receiver = self._receiver
        if receiver is None:
            return
        if (
            self._state == "body"
            and self._length is None
            and exc is None
            and not self._is_chunked()
        ):
            self._receiver = None
            receiver.received([], last=True)
            receiver.ended()
            return
        if self._state == "head":
            kind, what = "connection_lost", "closed the connection before it answered"
        else:
            kind, what = "truncated", "broke off in the middle of its answer"
        self._fail(kind, f"the provider {what}" + (f" ({exc})" if exc else ""))

    # --- httptools callbacks

    def on_message_begin(self) -> None:
        """More behind a complete answer, which nobody asked for: never reuse this connection."""
        if self._state == "done":
            self._reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field, or trailer field (dropped)."""
        if self._state == "head":
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        status = self._parser.get_status_code()
        if status in _INTERIM or self._state == "done":
            return
        chunked = self._is_chunked()
        for name, value in self._headers:
            if name == b"content-length" and not chunked:
                self._length = self._remaining = int(value)
        self._state = "body"
        assert self._receiver is not None
        self._fresh = True
        self._receiver.answered(status, self._headers, self._length)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._state == "done":
            return
        self._pieces.append(data)
        if self._remaining is not None:
            self._remaining -= len(data)

    def on_message_complete(self) -> None:
        """The answer is complete, unless it was an interim one."""
        if self._state == "body":
            self._state = "done"
            self._reusable = self._parser.should_keep_alive()  # true only inside this callback
        else:
            self._headers = []

    # ---

    def _is_chunked(self) -> bool:
        return any(
            name == b"transfer-encoding" and value.lower().endswith(b"chunked")
            for name, value in self._headers
        )

    def _flush(self, *, last: bool) -> None:
        pieces = self._pieces
        if (pieces or last or self._fresh) and self._receiver is not None:
            self._pieces = []
            self._fresh = False
            self._receiver.received(pieces, last=last)

    def _complete(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        if self.open and self._reusable and not self.sending:
            self._state = "idle"
            self.resume()  # its last client may have been full: a paused connection would never answer again
            self._on_idle(self)
        elif self._transport is not None:
            self._transport.close()
        receiver.ended()

    def _fail(self, kind: str, message: str) -> None:
        receiver, self._receiver = self._receiver, None
        if self._transport is not None:
            self._transport.abort()
        if receiver is not None:
            receiver.failed(ProviderError(message, status=502, kind=kind))
