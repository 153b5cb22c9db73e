"""A provider on loopback: a real HTTP server whose every answer is a script that a test writes.

A script is a coroutine `async def script(request, wire)`; what it sends is what goes over the
socket, byte for byte, so a test decides framing, splits, pauses and breaks. The server keeps a
journal of its own: every request it received and every byte it sent, for comparison with the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass
class Received:
    """One request as it arrived, and what became of its answer."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    sent: bytearray = field(default_factory=bytearray)
    finished: threading.Event = field(default_factory=threading.Event)
    client_left: threading.Event = field(default_factory=threading.Event)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        return orjson.loads(self.body)


class Wire:
    """The provider's end of one connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Received
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._request = request
        self._chunked = False

    async def head(
        self,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (),
        *,
        length: int | None = None,
    ) -> None:
        """Send a head: chunked unless `length` is given."""
        lines = [f"HTTP/1.1 {status} Status"]
        lines += [f"{name}: {value}" for name, value in headers]
        if length is None:
            lines.append("transfer-encoding: chunked")
            self._chunked = True
        else:
            lines.append(f"content-length: {length}")
        await self.raw(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def chunk(self, data: bytes) -> None:
        """Send a piece of the body."""
        self._request.sent += data
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    async def end(self) -> None:
        """End the body."""
        if self._chunked:
            await self.raw(b"0\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()

    async def until_client_leaves(self) -> None:
        """Wait for the other side to close."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self._request.client_left.set()


Script = Callable[[Received, Wire], Awaitable[None]]


class FakeProvider:
    """Runs in a thread; `script` may be exchanged at any time. Use as a context manager."""

    def __init__(self, script: Script | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.script: Script = script or answer(b"{}")
        self.requests: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def base(self) -> str:
        """The value for `apiBase`."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> FakeProvider:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls, limit=2**20)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while request := await _read_request(reader):
                self.requests.append(request)
                try:
                    await self.script(request, Wire(reader, writer, request))
                finally:
                    request.finished.set()
                if writer.is_closing():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            with contextlib.suppress(Exception):
                writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    request = Received(method, target, headers, b"")
    request.body = await reader.readexactly(int(request.header("content-length") or 0))
    return request


# --- scripts


def answer(
    body: bytes,
    *,
    status: int = 200,
    headers: Iterable[tuple[str, str]] = (("content-type", "application/json"),),
) -> Script:
    """Answer with one plain body."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(status, headers, length=len(body))
        await wire.chunk(body)

    return script


def stream(pieces: Iterable[bytes], *, headers: Iterable[tuple[str, str]] = ()) -> Script:
    """Answer with a complete event stream in these pieces, each written to the socket by itself."""
    pieces = list(pieces)

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream"), *headers])
        for piece in pieces:
            await wire.chunk(piece)
            await asyncio.sleep(0)
        await wire.end()

    return script


def chat_chunk(delta: dict[str, Any], *, finish: str | None = None, index: int = 0) -> bytes:
    """Build one ordinary event of a streamed chat completion."""
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "m",
        "choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return b"data: %s\n\n" % orjson.dumps(chunk)


DONE = b"data: [DONE]\n\n"


def chat_stream(*words: str) -> list[bytes]:
    """Build the events of a streamed answer that says these words."""
    events = [chat_chunk({"role": "assistant", "content": ""})]
    events += [chat_chunk({"content": word}) for word in words]
    return [*events, chat_chunk({}, finish="stop"), DONE]


def chat_answer(text: str = "hello") -> bytes:
    """Build a plain chat completion."""
    return orjson.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        }
    )
