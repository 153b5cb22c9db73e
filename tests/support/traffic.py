"""Traffic for the fault tests: a client and a provider that both keep books of their own.

Every request carries a marker, in its user message and in its `metadata`; the provider's script
answers by the marker's kind. The client speaks HTTP/1.1 over raw asyncio transports, fast enough to
see the last byte of an answer before the proxy can do anything else.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httptools
import orjson

from tests.support.provider import Received, Wire, chat_answer, chat_chunk, chat_stream

STREAMED = ("paced", "burst", "cut")
KINDS = ("plain", "chunked", "paced", "burst", "large", "failure", "limited", "cut", "unknown")
_numbers = itertools.count(1)


@dataclass
class Call:
    """One request of the client's, and what the client got: the client's journal."""

    marker: str
    kind: str
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    error: str | None = None

    @property
    def acknowledged(self) -> bool:
        """The client has the terminal event, or the last body byte where there is none."""
        if self.kind in STREAMED and self.status == 200:
            return b"data: [DONE]" in self.body
        return self.whole

    def request(self) -> bytes:
        """Build the request's body."""
        model = "unknown" if self.kind == "unknown" else "m"
        return orjson.dumps(
            {
                "model": model,
                "messages": [{"role": "user", "content": f"marker {self.marker}"}],
                "metadata": {"marker": self.marker, "kind": self.kind},
                "stream": self.kind in STREAMED,
            }
        )


def new_call(kind: str) -> Call:
    """Make a request with a marker that no other has."""
    return Call(marker=f"{kind}-{next(_numbers)}", kind=kind)


class Line(asyncio.Protocol):
    """One connection of the client's; one request at a time."""

    def __init__(self, on_acknowledged: Callable[[Call], None] | None = None) -> None:
        self._on_acknowledged = on_acknowledged
        self._call: Call | None = None
        self._told = False
        self._answered: asyncio.Future[None] | None = None
        self._parser: Any = None
        self._transport: Any = None
        self.closed = asyncio.get_running_loop().create_future()

    async def ask(self, call: Call) -> Call:
        """Send one request and wait until its answer is complete or the connection is gone."""
        body = call.request()
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\n"
            f"host: 127.0.0.1:{self._transport.get_extra_info('peername')[1]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._call, self._told = call, False
        self._parser = httptools.HttpResponseParser(self)
        self._answered = asyncio.get_running_loop().create_future()
        if self.closed.done():
            call.error = "closed"
            return call
        self._transport.write(head.encode() + body)
        await self._answered
        return call

    async def leave(self) -> None:
        """Close at once."""
        self._transport.abort()
        await self.closed

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._call is not None:
            self._parser.feed_data(data)
            self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
        if self._call is not None and not self._call.whole:
            self._call.error = str(exc or "closed")
        self._end()

    # --- httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        assert self._call is not None
        self._call.headers[name.decode().lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        assert self._call is not None
        self._call.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        assert self._call is not None
        self._call.body += data

    def on_message_complete(self) -> None:
        assert self._call is not None
        self._call.whole = True
        self._tell()
        self._end()

    def _tell(self) -> None:
        call = self._call
        if call is None or self._told or self._on_acknowledged is None or not call.acknowledged:
            return
        self._told = True
        self._on_acknowledged(call)

    def _end(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)


async def open_line(port: int, on_acknowledged: Callable[[Call], None] | None = None) -> Line:
    """Connect to the proxy."""
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: Line(on_acknowledged), "127.0.0.1", port)
    return line


async def ask_all(port: int, calls: list[Call]) -> None:
    """Ask one after another, each over a connection of its own."""
    for call in calls:
        line = await open_line(port)
        await line.ask(call)
        await line.leave()


async def keep_asking(
    port: int,
    calls: list[Call],
    *,
    seed: int,
    until: Callable[[], bool],
    told: Callable[[Call], None] | None = None,
) -> None:
    """Be one client: ask for one mixed answer after another until told to stop or cut off."""
    chance = random.Random(seed)
    while not until():
        try:
            line = await open_line(port, told)
        except OSError:
            return
        while not until() and not line.closed.done():
            call = new_call(chance.choice(KINDS))
            calls.append(call)
            await line.ask(call)
        await line.leave()


async def mixed(request: Received, wire: Wire) -> None:
    """Answer by the kind that the request names."""
    asked = request.json()["metadata"]
    marker, kind = asked["marker"], asked["kind"]
    json_type = [("content-type", "application/json"), ("x-request-id", marker)]
    stream_type = [("content-type", "text/event-stream"), ("x-request-id", marker)]
    if kind == "plain":
        body = chat_answer(f"plain {marker}")
        await wire.head(200, json_type, length=len(body))
        await wire.chunk(body)
    elif kind in ("chunked", "large"):
        body = chat_answer(f"{kind} {marker} " + "x" * (500_000 if kind == "large" else 3_000))
        await wire.head(200, json_type)
        for start in range(0, len(body), 100_000):
            await wire.chunk(body[start : start + 100_000])
        await wire.end()
    elif kind == "burst":
        await wire.head(200, stream_type)
        await wire.chunk(b"".join(chat_stream(*_words(marker, 40))))
        await wire.end()
    elif kind == "paced":
        await wire.head(200, stream_type)
        for event in chat_stream(*_words(marker, 8)):
            await wire.chunk(event)
            await asyncio.sleep(0.002)  # the pace is what this kind is
        await wire.end()
    elif kind == "cut":
        await wire.head(200, stream_type)
        await wire.chunk(b"".join(chat_chunk({"content": word}) for word in _words(marker, 3)))
        wire.close()
    else:
        status = 500 if kind == "failure" else 429
        body = orjson.dumps({"error": {"message": f"{kind} {marker}", "type": "server_error"}})
        await wire.head(status, json_type, length=len(body))
        await wire.chunk(body)


def _words(marker: str, count: int) -> list[str]:
    return [f"{marker}:{index} " for index in range(count)]


# --- raw sockets, where how a connection is opened or left is the matter


def chat_head(port: int, *, length: int, extra: str = "") -> bytes:
    """Build the head of a chat request for a raw connection."""
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        f"content-type: application/json\r\n{extra}content-length: {length}\r\n\r\n"
    ).encode()


def chat_request(port: int, *, stream: bool, text: str = "hi", extra: str = "") -> bytes:
    """Build a whole chat request for a raw connection."""
    body = orjson.dumps(
        {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream}
    )
    return chat_head(port, length=len(body), extra=extra) + body


def read_until(sock: socket.socket, what: bytes) -> bytes:
    """Read until some bytes have come; fail when the connection ends before."""
    data = b""
    while what not in data:
        piece = sock.recv(65536)
        assert piece, f"the connection ended before {what!r}: {data[-300:]!r}"
        data += piece
    return data


def read_to_end(sock: socket.socket) -> bytes:
    """Read until the other side closes."""
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data
