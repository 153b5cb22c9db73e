"""A provider's answer as something to await: for vendor clients whose transport we are.

It turns the callbacks of a Receiver into a LocalAnswer with an async iterator, with back-pressure.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from dolphin_logger.errors import ProviderError
from dolphin_logger.providers._api import LocalAnswer
from dolphin_logger.proxy.pool import Pool
from dolphin_logger.proxy.request import Headers
from dolphin_logger.proxy.upstream import Origin, UpstreamConnection

_WAITING = 64 * 1024  # bytes taken from the provider ahead of the reader


async def send(
    pool: Pool, origin: Origin, data: list[bytes], *, connect_seconds: float
) -> LocalAnswer:
    """Send one request and return its answer when the head is there.

    Raises:
        ProviderError: no connection, no answer, or none that is HTTP.
    """
    connection = pool.take(origin) or await pool.connect(origin, seconds=connect_seconds)
    answer = _Awaited(connection)
    connection.send(data, receiver=answer)
    try:
        status, headers = await answer.head
    except asyncio.CancelledError:
        connection.abort()
        raise
    return LocalAnswer(status, tuple(headers), answer.chunks())


class _Awaited:
    """Receives one answer for one reader."""

    def __init__(self, connection: UpstreamConnection) -> None:
        self._loop = asyncio.get_running_loop()
        self.head: asyncio.Future[tuple[int, Headers]] = self._loop.create_future()
        self._connection = connection
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._done = False
        self._error: ProviderError | None = None

    def answered(self, status: int, headers: Headers, length: int | None) -> None:
        """The head is there."""
        del length
        if not self.head.done():
            self.head.set_result((status, headers))

    def received(self, pieces: list[bytes], *, last: bool) -> None:
        """Keep pieces for the reader; let the provider wait when there are too many."""
        del last
        self._waiting.extend(piece for piece in pieces if piece)
        self._size += sum(len(piece) for piece in pieces)
        if self._size > _WAITING:
            self._connection.pause()
        self._changed.set()

    def ended(self) -> None:
        """The answer is complete."""
        self._done = True
        self._changed.set()

    def failed(self, error: ProviderError) -> None:
        """The answer did not come, or broke off."""
        if self.head.done():
            self._error = error
            self._done = True
            self._changed.set()
        else:
            self.head.set_exception(error)

    def provider_full(self) -> None:
        """The whole request has been handed over: nothing to hold."""

    def provider_drained(self) -> None:
        """Nothing was held."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body; leaving early closes the connection.

        Raises:
            ProviderError: the answer broke off.
        """
        try:
            while True:
                while self._waiting:
                    piece = self._waiting.popleft()
                    self._size -= len(piece)
                    if self._size <= _WAITING // 2:
                        self._connection.resume()
                    yield piece
                if self._done:
                    break
                self._changed.clear()
                await self._changed.wait()
        finally:
            if not self._done:
                self._connection.abort()
        if self._error is not None:
            raise self._error
