"""Clients that leave: where they do, how they do, and what is kept."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.oracle import judge
from tests.support.process import descriptors, wait_until_still
from tests.support.provider import (
    DONE,
    FakeProvider,
    Received,
    Wire,
    answer,
    chat_answer,
    chat_chunk,
    chat_stream,
)
from tests.support.proxy import Proxy, one_model, wait_for
from tests.support.traffic import (
    Call,
    ask_all,
    chat_head,
    chat_request,
    keep_asking,
    mixed,
    new_call,
    open_line,
    read_to_end,
    read_until,
)

PLACES = ("before the body is complete", "before the first byte", "in the middle", "after the end")
WAYS = ("fin", "rst", "half-close")
_EVENT = chat_chunk({"role": "assistant", "content": "one"})
_numbers = itertools.count()


@dataclass
class Room:
    """One proxy and its provider, used by every case of the matrix, warmed up."""

    provider: FakeProvider
    proxy: Proxy
    descriptors: int


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A proxy that has answered once: its segment is open and a provider connection idle."""
    with FakeProvider(answer(chat_answer())) as provider:
        proxy = Proxy(tmp_path_factory.mktemp("room") / "home", one_model(provider.base)).start()
        with proxy:
            proxy.chat()
            proxy.health()
            yield Room(provider, proxy, _settled(proxy))


def _settled(proxy: Proxy) -> int:
    """Count descriptors when no client is connected any more."""
    return wait_until_still(lambda: descriptors(proxy.pid))


def _leave(sock: socket.socket, how: str) -> None:
    if how == "half-close":
        sock.shutdown(socket.SHUT_WR)
        return
    if how == "rst":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _script(where: str, *, stream: bool) -> Callable[[Received, Wire], Any]:
    """Answer up to a place, then wait for the proxy to hang up."""

    async def script(request: Received, wire: Wire) -> None:
        body = chat_answer("half of this")
        if where != PLACES[1]:
            if stream:
                await wire.head(200, [("content-type", "text/event-stream")])
                await wire.chunk(_EVENT)
                await wire.chunk(DONE if where == PLACES[3] else _EVENT[:30])
            else:
                await wire.head(200, [("content-type", "application/json")], length=len(body))
                await wire.chunk(body if where == PLACES[3] else body[:40])
        if stream or where != PLACES[3]:
            await wire.until_client_leaves()

    return script


def _find(proxy: Proxy, text: str) -> list[dict[str, Any]]:
    return [
        record for record in proxy.records() if record["request"]["messages"][0]["content"] == text
    ]


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("where", PLACES)
def test_a_client_that_leaves_is_recorded_and_forgotten(
    room: Room, where: str, how: str, stream: bool
) -> None:
    """Wherever and however a client leaves: one record that says so, the provider let go, nothing leaked."""
    proxy, provider = room.proxy, room.provider
    text = f"case {next(_numbers)}"
    provider.script = _script(where, stream=stream)
    asked = len(provider.requests)
    before = len(proxy.records())
    sock = proxy.connect()
    extra = "expect: 100-continue\r\n" if where == PLACES[0] else ""
    request = chat_request(proxy.port, stream=stream, text=text, extra=extra)
    if where == PLACES[0]:
        sock.sendall(request[:-5])
        read_until(sock, b"100 Continue")
    else:
        sock.sendall(request)
        wait_for(lambda: len(provider.requests) > asked, what="the provider gets the request")
    if where == PLACES[2]:
        read_until(sock, _EVENT[:30] if stream else b"chatcmpl-1")
    elif where == PLACES[3]:
        read_until(sock, b"[DONE]" if stream else b'"finish_reason"')
    _leave(sock, how)

    if where != PLACES[0] and (stream or where != PLACES[3]):
        assert provider.requests[-1].client_left.wait(5), "the provider's connection stays open"
    if how == "half-close":
        assert not read_to_end(sock).endswith(b"0\r\n\r\n")
        sock.close()
    wait_for(lambda: proxy.health()["active"] == 0, what="no exchange is active")
    wait_for(lambda: descriptors(proxy.pid) <= room.descriptors, what="descriptors are flat")

    provider.script = answer(chat_answer())
    assert proxy.chat().status == 200
    records = _find(proxy, text)
    assert len(proxy.records()) == before + 1 + len(records)
    if where == PLACES[0]:
        assert records == []
        assert len(provider.requests) == asked + 1
        return
    (record,) = records
    _check_record(record, provider.requests[asked], where=where, stream=stream)


def _check_record(record: dict[str, Any], request: Received, *, where: str, stream: bool) -> None:
    if where == PLACES[3]:
        assert (record["outcome"], record["error"]) == ("completed", None)
        return
    assert record["outcome"] == "client_disconnected"
    assert (record["error"]["kind"], record["error"]["at"]) == ("disconnect", "client")
    if where == PLACES[1]:
        assert record["response"] is None
        assert record["status"] is None
        return
    assert record["status"] == 200
    assert base64.b64decode(record["raw"]["response"]) == bytes(request.sent)
    if stream:
        assert record["response"]["choices"][0]["message"]["content"] == "one"
        assert record["response"]["choices"][0]["finish_reason"] is None


def test_a_client_that_leaves_while_we_still_connect_is_recorded(
    start_proxy: Callable[..., Proxy],
) -> None:
    """A client that leaves before there is a connection to the provider is a record, and no late request."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with contextlib.ExitStack() as fillers:
            for _ in range(3):  # a full backlog: connecting takes as long as it likes
                filler = fillers.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            proxy = start_proxy(one_model(f"http://127.0.0.1:{full.getsockname()[1]}/v1"))
            sock = proxy.connect()
            sock.sendall(chat_request(proxy.port, stream=True))
            wait_for(lambda: proxy.health()["active"] == 1)
            _leave(sock, "fin")
            assert proxy.record()["outcome"] == "client_disconnected"
            assert proxy.health()["active"] == 0


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_drain_reads_the_answer_to_its_end(
    provider: FakeProvider, start_proxy: Callable[..., Proxy], how: str
) -> None:
    """With onClientDisconnect=drain the provider is read to its end and the record holds the whole answer."""
    client_is_gone = threading.Event()
    events = chat_stream("one ", "two ", "three")

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        await wire.chunk(events[0])
        await asyncio.to_thread(client_is_gone.wait, 20)
        for event in events[1:]:
            await wire.chunk(event)
        await wire.end()

    provider.script = script
    proxy = start_proxy(one_model(provider.base, onClientDisconnect="drain"))
    sock = proxy.connect()
    sock.sendall(chat_request(proxy.port, stream=True))
    read_until(sock, events[0])
    with_client = descriptors(proxy.pid)
    _leave(sock, how)
    wait_for(lambda: descriptors(proxy.pid) < with_client, what="the proxy has let the client go")
    client_is_gone.set()
    record = proxy.record()
    assert (record["outcome"], record["error"]) == ("completed", None)
    assert record["response"]["choices"][0]["message"]["content"] == "one two three"
    assert not provider.requests[0].client_left.is_set()
    assert proxy.health()["active"] == 0


def test_drain_after_a_stall_still_waits_for_the_provider(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """A client that stopped reading and then left is no longer a reason to end the answer as stalled."""
    filler = chat_chunk({"content": "x" * 60_000})

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        for _ in range(400):  # more than all buffers on the way hold
            await wire.chunk(filler)
        for _ in range(5):  # longer in all than the idle deadline, never idle
            await asyncio.sleep(0.4)
            await wire.chunk(filler)
        await wire.chunk(DONE)
        await wire.end()

    provider.script = script
    timeouts = {"writeStall": 60, "idle": 1}
    proxy = start_proxy(one_model(provider.base, onClientDisconnect="drain", timeouts=timeouts))
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", proxy.port))
    sock.sendall(chat_request(proxy.port, stream=True))
    read_until(sock, b"HTTP/1.1 200")
    assert wait_until_still(lambda: len(provider.requests[0].sent)) < 400 * len(filler)
    _leave(sock, "rst")
    record = proxy.record()
    assert (record["outcome"], record["error"]) == ("completed", None)
    assert record["response"]["blob"]["bytes"] == len(provider.requests[0].sent)


async def _cancel_at_random(proxy: Proxy, calls: list[Call], *, seed: int, times: int) -> None:
    chance = random.Random(seed)
    for _ in range(times):
        line = await open_line(proxy.port)
        call = new_call(chance.choice(("paced", "paced", "plain", "burst", "large")))
        calls.append(call)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(line.ask(call), chance.uniform(0, 0.03))
        await line.leave()


def test_cancel_churn_leaves_nothing_behind(provider: FakeProvider, proxy: Proxy) -> None:
    """After 20 workers cancelled 1,600 requests at random: flat descriptors, one record each, and it serves."""
    provider.script = mixed
    calls: list[Call] = []
    asyncio.run(keep_asking(proxy.port, calls, seed=0, until=lambda: len(calls) >= 20))
    before = _settled(proxy)

    async def churn() -> None:
        await asyncio.gather(
            *(_cancel_at_random(proxy, calls, seed=seed, times=80) for seed in range(20))
        )

    asyncio.run(churn())
    wait_for(lambda: proxy.health()["active"] == 0, what="no exchange is active")
    # idle connections to the provider may stay for the next requests, at most one for each worker
    wait_for(lambda: descriptors(proxy.pid) <= before + 20, what="descriptors are flat")
    reached = {request.json()["metadata"]["marker"] for request in provider.requests}
    after = [new_call("burst") for _ in range(20)]

    asyncio.run(ask_all(proxy.port, after))
    assert all(call.acknowledged for call in after)
    proxy.stop()
    verdict = judge(proxy.home, [*calls, *after], provider.requests)
    assert not verdict.problems, str(verdict)
    assert not reached - set(verdict.records), "the provider was asked, but there is no record"
    outcomes = {record["outcome"] for record in verdict.records.values()}
    assert outcomes >= {"completed", "client_disconnected"}


def test_an_unfinished_request_is_no_exchange(provider: FakeProvider, proxy: Proxy) -> None:
    """A head without its body, however much is announced, leaves neither record nor request behind."""
    for length in (10, 1_000_000):
        sock = proxy.connect()
        sock.sendall(chat_head(proxy.port, length=length) + b"{")
        sock.close()
    assert proxy.chat().status == 200
    assert len(proxy.records(1)) == 1
    assert len(provider.requests) == 1
