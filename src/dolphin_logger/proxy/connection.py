"""One client connection: HTTP/1.1 requests in, answers out.

It knows framing, limits and deadlines, not paths, models or providers: the `Service` decides.
Why our own: the guard needs raw headers, deadlines on half-sent requests and a broken end for a
broken answer; see docs/decisions/0001-own-http.md.
Invariants: one answer at a time, in order of the requests; a body that was cut never ends cleanly.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from typing import Any, Protocol, cast

import httptools
import orjson

from dolphin_logger.proxy.request import Answer, Request
from dolphin_logger.proxy.responder import Responder

HEADER_BYTES = 64 * 1024
HEADER_FIELDS = 100
HEADER_SECONDS = 10.0
BODY_IDLE_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 75.0
LINGER_SECONDS = 2.0
WRITE_BUFFER_BYTES = 256 * 1024
PIPELINED_BYTES = 64 * 1024 * 1024

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NEVER = float("inf")


class Upload(Protocol):
    """Who takes a body piece by piece."""

    def attach(self, client: ClientConnection) -> None:
        """Take the connection whose reading is to be held and released."""
        ...

    def feed(self, data: bytes) -> None:
        """Take a piece of the body."""
        ...

    def complete(self) -> None:
        """The body is complete."""
        ...

    def too_large(self) -> None:
        """The body is longer than its limit."""
        ...


class Service(Protocol):
    """What stands behind the connections."""

    def admit(self, request: Request) -> Answer | None:
        """Judge a request by its head; a returned answer refuses it before its body is read."""
        ...

    def body_limit(self, request: Request) -> int:
        """Say how many bytes of body this request may have, and note whether it is an upload."""
        ...

    def serve(self, request: Request, responder: Responder) -> None:
        """Answer a complete request, now or later; one over its limit comes without body, `too_large`."""
        ...

    def begin_upload(self, request: Request, responder: Responder) -> Upload:
        """Take a request at its head: one whose body is to be passed on as it comes."""
        ...

    def opened(self, connection: ClientConnection) -> None:
        """Note a new connection."""
        ...

    def closed(self, connection: ClientConnection) -> None:
        """Note that a connection is gone."""
        ...


class ClientConnection(asyncio.Protocol):
    """The protocol object of one accepted connection."""

    __slots__ = (
        "_body",
        "_body_size",
        "_expecting",
        "_head_size",
        "_limit",
        "_parser",
        "_parsing",
        "_queue",
        "_refused",
        "_service",
        "_taking",
        "_transport",
        "_upload",
        "closing",
        "deadline",
        "responder",
    )

    def __init__(self, service: Service) -> None:
        self._service = service
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._parsing: Request | None = None
        self._queue: deque[Request] = deque()
        self._body: list[bytes] = []
        self._body_size = 0
        self._head_size = 0
        self._limit = 0
        self._refused = False
        self._expecting = False  # a client waits for 100 Continue behind another's answer
        self._taking = False
        self._upload: Upload | None = None
        self.responder: Responder | None = None
        self.closing = False
        self.deadline = time.monotonic() + HEADER_SECONDS

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._service.opened(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came; whatever the client does wrong ends in an answer and a close."""
        if self._refused:
            return
        if self._parsing is None or not self._parsing.method:
            self._head_size += len(data)
            if self._head_size > HEADER_BYTES + WRITE_BUFFER_BYTES:
                self._refuse(_protocol_error(431, "request header fields are larger than 64 KiB"))
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refused = True  # already answered as an ordinary request; nothing more is read
        except httptools.HttpParserCallbackError as error:
            refusal = error.__context__
            if not isinstance(refusal, _Refusal):
                raise
            self._refuse(refusal.answer)
        except httptools.HttpParserError as error:
            self._refuse(_protocol_error(400, f"not a well-formed HTTP/1.1 request: {error}"))

    def eof_received(self) -> bool:
        """The client closed its side: no client of an LLM half-closes and waits."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever still produces an answer that nobody reads it."""
        self._transport = None
        self.deadline = _NEVER
        self._queue.clear()
        responder, self.responder = self.responder, None
        if responder is not None and not responder.done:
            responder.done = True
            if responder.consumer is not None:
                responder.consumer.client_gone()
        self._service.closed(self)

    def pause_writing(self) -> None:
        """The socket's buffer is full."""
        if self.responder is not None and self.responder.consumer is not None:
            self.responder.consumer.client_full()

    def resume_writing(self) -> None:
        """The socket's buffer has drained."""
        if self.responder is not None and self.responder.consumer is not None:
            self.responder.consumer.client_drained()

    # --- httptools callbacks

    def on_message_begin(self) -> None:
        """A request starts."""
        self._parsing = Request()
        self._expecting = False
        self._body = []
        self._body_size = 0
        self.deadline = time.monotonic() + HEADER_SECONDS

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        assert self._parsing is not None
        self._parsing.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field."""
        assert self._parsing is not None
        headers = self._parsing.headers
        headers.append((name.lower(), value))
        if len(headers) > HEADER_FIELDS:
            raise _Refusal(_protocol_error(431, f"more than {HEADER_FIELDS} header fields"))

    def on_headers_complete(self) -> None:
        """The head is complete: judge it before the body is read."""
        request = self._parsing
        assert request is not None
        parser = self._parser
        request.method = parser.get_method()
        request.http10 = parser.get_http_version() == "1.0"
        request.keep_alive = parser.should_keep_alive()
        self._head_size = 0
        size = len(request.target) + sum([len(n) + len(v) + 4 for n, v in request.headers])
        if size > HEADER_BYTES:
            message = f"request header fields of {size} bytes; at most {HEADER_BYTES}"
            raise _Refusal(_protocol_error(431, message))
        answer = self._service.admit(request)
        if answer is not None:
            raise _Refusal(answer)
        if parser.should_upgrade():
            self._judge_upgrade(request)
        self._limit = self._service.body_limit(request)
        length = request.header(b"content-length")
        if length is not None and int(length) > self._limit:
            request.too_large = True
            raise _Refusal(None)
        self.deadline = time.monotonic() + BODY_IDLE_SECONDS
        if self.responder is None:
            if request.uploads:
                self._begin_upload(request)
        else:
            self._limit = min(self._limit, PIPELINED_BYTES)  # it is kept until its turn comes
        expect = request.header(b"expect")
        if expect is not None and expect.lower() == b"100-continue" and not request.http10:
            self._expecting = self.responder is not None and self._upload is None
            if not self._expecting:
                self.send(_CONTINUE)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body_size += len(data)
        self.deadline = time.monotonic() + BODY_IDLE_SECONDS
        if self._upload is not None:
            if self._body_size > self._limit:
                self._upload.too_large()
            else:
                self._upload.feed(data)
            return
        self._body.append(data)
        if self._body_size > self._limit:
            assert self._parsing is not None
            self._parsing.too_large = True
            self._parsing.body = b"".join(self._body)[:HEADER_BYTES]
            raise _Refusal(None)

    def on_message_complete(self) -> None:
        """The request is complete: serve it, or queue it behind the one being answered."""
        request = self._parsing
        assert request is not None
        if self._upload is not None:
            upload, self._upload = self._upload, None
            self._parsing = None
            self.deadline = _NEVER
            upload.complete()
            return
        request.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        self._parsing = None
        self.deadline = _NEVER
        if self.responder is None:
            self._serve(request)
        else:
            self._queue.append(request)
            if self._transport is not None:
                self._transport.pause_reading()

    # --- for the responder and the server

    def send(self, data: bytes) -> None:
        """Write to the socket, if it is still there."""
        if self._transport is not None:
            self._transport.write(data)

    def answered(self, *, close: bool) -> None:
        """The current answer is complete: close, or take the next request."""
        self.responder = None
        transport = self._transport
        if transport is None:
            return
        if self._refused or self._upload is not None:
            # the rest of the request is discarded, so that the client can read this answer
            self._refused = True
            self._linger(transport)
        elif close or self.closing:
            transport.close()
            self.deadline = time.monotonic() + KEEP_ALIVE_SECONDS  # for what is still unread
        elif self._queue:
            self._take_queued(transport)
        elif self._parsing is None:
            self.deadline = time.monotonic() + KEEP_ALIVE_SECONDS
        elif self._expecting:
            self._expecting = False
            self.send(_CONTINUE)

    def break_off(self, *, reset: bool) -> None:
        """Close without the end that the framing needs; `reset` where the close itself is the end."""
        self.responder = None
        transport = self._transport
        if transport is None:
            return
        if reset:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.close()

    def hold(self) -> None:
        """Stop reading: what takes the body is slower than the client."""
        if self._transport is not None and not self._transport.is_closing():
            self.deadline = _NEVER
            self._transport.pause_reading()

    def release(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self.deadline = time.monotonic() + BODY_IDLE_SECONDS
            self._transport.resume_reading()

    def close_when_idle(self) -> None:
        """Shut down: close now if nothing is being answered, else after the answer."""
        self.closing = True
        if self.responder is None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def tick(self, now: float) -> None:
        """Enforce the deadlines of half-sent requests and idle connections."""
        if now < self.deadline:
            return
        self.deadline = _NEVER
        if self._refused or self._parsing is None:
            self.abort()
        elif self._parsing.method:
            message = f"no byte of the request body for {BODY_IDLE_SECONDS:.0f} s"
            self._refuse(_protocol_error(408, message))
        else:
            message = f"request header fields not complete after {HEADER_SECONDS:.0f} s"
            self._refuse(_protocol_error(408, message))

    def _take_queued(self, transport: asyncio.Transport) -> None:
        """Serve what waits, in a loop: an answer that is complete at once comes back to `answered`."""
        if self._taking:
            return
        self._taking = True
        while self._queue and self.responder is None and not transport.is_closing():
            transport.resume_reading()
            self._serve(self._queue.popleft())
        self._taking = False

    def _begin_upload(self, request: Request) -> None:
        """Let the service take the body as it comes; the answer may begin before it is complete."""
        self.responder = Responder(self, request)
        self._upload = self._service.begin_upload(request, self.responder)
        self._upload.attach(self)

    def _serve(self, request: Request) -> None:
        self.responder = Responder(self, request)
        self._service.serve(request, self.responder)

    def _refuse(self, answer: Answer | None) -> None:
        """Answer without reading on; None leaves the words to the service (a body too large)."""
        self._refused = True
        request, self._parsing = self._parsing or Request(), None
        self._queue.clear()
        self._body = []
        self.closing = True
        request.keep_alive = False
        if self.responder is not None:
            self.deadline = _NEVER  # the answer under way takes its time before the close
            if self._upload is not None:
                self.abort()  # its own body will never be complete
            return
        self.responder = Responder(self, request)
        if answer is None:
            self._service.serve(request, self.responder)
        else:
            status, body, headers = answer
            self.responder.reply(status, body, headers)

    def _linger(self, transport: asyncio.Transport) -> None:
        """Say that the answer is complete, but read on and discard: a close would destroy it."""
        if transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
        transport.resume_reading()  # an upload may have been held
        self.deadline = time.monotonic() + LINGER_SECONDS

    def _judge_upgrade(self, request: Request) -> None:
        """Refuse WebSockets at once, so that clients fall back; ignore other upgrades (RFC 9110 7.8)."""
        if (request.header(b"upgrade") or b"").lower() == b"websocket":
            raise _Refusal(_protocol_error(426, "WebSocket is not served here; use HTTP/1.1"))
        request.keep_alive = False


class _Refusal(Exception):  # noqa: N818 - not an error: the way out of a parser callback
    """Leaves a parser callback; never leaves this file."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__()
        self.answer = answer


def _protocol_error(status: int, message: str) -> Answer:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return status, orjson.dumps({"error": error}), [(b"content-type", b"application/json")]
