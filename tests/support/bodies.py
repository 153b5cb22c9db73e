"""A provider that reads a request's body itself, as it comes: slowly, in part, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from typing import Any

from tests.support.provider import FakeProvider, Received, Wire

ANSWER = b'{"text":"hello"}'


class Reader:
    """A script that reads a body itself, as it comes, and then answers."""

    def __init__(self, *, status: int = 200, read: int | None = None) -> None:
        self.body = bytearray()
        self.digest = hashlib.sha256()
        self.size = 0
        self.may_read = threading.Event()
        self.may_read.set()
        self.ended = threading.Event()
        self._status = status
        self._read = read  # bytes after which to answer; None reads all

    async def __call__(self, request: Received, wire: Wire) -> None:
        await asyncio.to_thread(self.may_read.wait)
        if request.header("transfer-encoding"):
            await self._read_chunks(wire)
        else:
            length = int(request.header("x-length") or 0)
            while self.size < length and not self._enough():
                self._take(await wire.reader.read(min(1 << 18, length - self.size)))
        self.ended.set()
        await wire.head(self._status, [("content-type", "application/json")], length=len(ANSWER))
        await wire.chunk(ANSWER)

    async def _read_chunks(self, wire: Wire) -> None:
        while not self._enough() and (size := int(await wire.reader.readline(), 16)):
            self._take((await wire.reader.readexactly(size + 2))[:-2])
        if not self._enough():
            await wire.reader.readline()

    def _enough(self) -> bool:
        return self._read is not None and self.size >= self._read

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionError
        self.size += len(data)
        self.digest.update(data)
        if self.size < 1 << 20:
            self.body += data


class Streaming(FakeProvider):
    """A provider that leaves the body to its script: it hides the length from the server's own reader."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hidden = _HiddenLength(reader)
        await super()._accept(hidden, writer)  # type: ignore[arg-type]


class _HiddenLength:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    async def readuntil(self, separator: bytes) -> bytes:
        found = await self._reader.readuntil(separator)
        return found.replace(b"content-length:", b"x-length:")
