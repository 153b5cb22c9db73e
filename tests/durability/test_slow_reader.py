"""A client that does not read: the provider waits, the proxy's memory does not grow."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.process import MIB, forget_peak, peak, resident, wait_until_still
from tests.support.provider import (
    DONE,
    FakeProvider,
    Received,
    Wire,
    answer,
    chat_answer,
    chat_chunk,
)
from tests.support.proxy import Proxy, one_model, wait_for
from tests.support.traffic import chat_request, read_to_end, read_until

PUSHED = 1024 * MIB
READ = (1024 if os.environ.get("DOLPHIN_LONG") else 96) * MIB
_PIECE = 64 * 1024


class Flood:
    """A provider's script that pushes and pushes, and says how far it got."""

    def __init__(self, total: int, *, stream: bool) -> None:
        self.stream = stream
        self.pushed = 0
        self._event = (
            chat_chunk({"content": "x" * _PIECE}) if stream else b'"' + b"x" * (_PIECE - 2) + b","
        )
        self._count = total // len(self._event)
        self.total = self._count * len(self._event) + (len(DONE) if stream else 0)
        self.digest = hashlib.sha256()

    async def __call__(self, request: Received, wire: Wire) -> None:
        kind = "text/event-stream" if self.stream else "application/json"
        await wire.head(200, [("content-type", kind)], length=self.total)
        for _ in range(self._count):
            await self._push(wire, self._event)
        if self.stream:
            await self._push(wire, DONE)

    async def _push(self, wire: Wire, data: bytes) -> None:
        self.digest.update(data)
        await wire.raw(data)
        self.pushed += len(data)


@contextmanager
def _slow_client(proxy: Proxy, *, stream: bool) -> Iterator[socket.socket]:
    """Ask, read the head, and nothing more."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(60)
        sock.connect(("127.0.0.1", proxy.port))
        sock.sendall(chat_request(proxy.port, stream=stream))
        assert read_until(sock, b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        yield sock


def _warm_up(provider: FakeProvider, proxy: Proxy, *, stream: bool) -> None:
    """Let caches, buffers and the allocator grow to their usual size, with an answer like the tested ones."""
    for _ in range(3):
        flood = Flood(24 * MIB, stream=stream)
        provider.script = flood
        with _slow_client(proxy, stream=stream) as sock:
            _count_rest(sock, flood.total - 65536)
        proxy.records(1)
    wait_for(lambda: proxy.health()["active"] == 0)


def _count_rest(sock: socket.socket, at_least: int) -> int:
    """Read and drop until that many bytes have come, or the end."""
    got = 0
    buffer = bytearray(MIB)
    while got < at_least and (size := sock.recv_into(buffer)):
        got += size
    return got


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])
def test_a_client_that_does_not_read_stops_the_provider(
    provider: FakeProvider,
    proxy: Proxy,
    stream: bool,
    record_property: Callable[[str, object], None],
) -> None:
    """While the provider wants to push 1 GB to a client that does not read, memory grows by at most 8 MiB."""
    _warm_up(provider, proxy, stream=stream)
    before = resident(proxy.pid)
    forget_peak(proxy.pid)
    flood = Flood(PUSHED, stream=stream)
    provider.script = flood
    with _slow_client(proxy, stream=stream):
        stopped_at = wait_until_still(lambda: flood.pushed)
        grown = peak(proxy.pid) - before
        record_property("pushed_bytes", stopped_at)
        record_property("grown_bytes", grown)
        assert 0 < stopped_at < 64 * MIB
        assert grown <= 8 * MIB
    assert provider.requests[-1].finished.wait(5), (
        "the provider still pushes although the client has left"
    )
    assert flood.pushed < 64 * MIB
    wait_for(lambda: proxy.records()[-1]["outcome"] == "client_disconnected")


def test_a_client_that_never_reads_is_cut_off(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """After timeouts.writeStall without a byte read, both ends are closed and the record says write_stall."""
    provider.script = Flood(PUSHED, stream=True)
    proxy = start_proxy(one_model(provider.base, timeouts={"writeStall": 0.5, "idle": 60}))
    with _slow_client(proxy, stream=True) as sock:
        record = proxy.record()
        assert record["outcome"] == "timeout"
        assert (record["error"]["kind"], record["error"]["at"]) == ("write_stall", "client")
        assert provider.requests[0].finished.wait(5)
        assert not read_to_end(sock).endswith(b"0\r\n\r\n")
    assert proxy.health()["active"] == 0


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])
def test_a_large_answer_passes_in_bounded_memory_and_is_a_blob(
    provider: FakeProvider,
    proxy: Proxy,
    stream: bool,
    record_property: Callable[[str, object], None],
) -> None:
    """An answer far over 8 MiB, read in fits and starts, arrives whole, lies in blobs/ and is never in memory."""
    _warm_up(provider, proxy, stream=stream)
    before = resident(proxy.pid)
    forget_peak(proxy.pid)
    flood = Flood(READ, stream=stream)
    provider.script = flood
    with _slow_client(proxy, stream=stream) as sock:
        got = 0
        for _ in range(3):
            wait_until_still(lambda: flood.pushed)
            got += _count_rest(sock, 4 * MIB)
        got += _count_rest(sock, flood.total - got - 65536)
        wait_for(lambda: proxy.health()["active"] == 0)
    grown = peak(proxy.pid) - before
    record_property("grown_bytes", grown)
    record = proxy.records()[-1]
    assert record["outcome"] == "completed"
    blob = record["response"]["blob"]
    assert (blob["sha256"], blob["bytes"]) == (flood.digest.hexdigest(), flood.total)
    assert _sha256(proxy.home / "blobs" / blob["sha256"]) == blob["sha256"]
    assert grown <= 16 * MIB


def test_a_full_client_does_not_spoil_the_provider_connection(
    provider: FakeProvider, proxy: Proxy
) -> None:
    """A connection to the provider that was paused while its answer ended serves the next request."""
    served = 0
    for size in range(
        MIB, 16 * MIB, 150 * 1024
    ):  # some of them fill the client with their last piece
        provider.script = answer(b'"' + b"x" * size + b'"')
        with _slow_client(proxy, stream=False):
            if not _is_taken(provider, proxy):
                break  # answers of this size no longer fit between the two
            provider.script = answer(chat_answer())
            assert proxy.chat().status == 200
            served += 1
    assert served > 2


def _is_taken(provider: FakeProvider, proxy: Proxy) -> bool:
    """Say whether the proxy has taken the whole answer although its client does not read."""
    try:
        wait_for(lambda: proxy.health()["active"] == 0, seconds=0.5)
    except AssertionError:
        return False
    return provider.requests[-1].finished.is_set()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
