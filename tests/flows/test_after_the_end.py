"""What happens around an answer's end: silence behind it, and breaks of what is not recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.support.provider import DONE, FakeProvider, Received, Wire, chat_stream
from tests.support.proxy import Proxy, one_model, wait_for

EVENTS = [("content-type", "text/event-stream")]


def test_provider_that_keeps_silent_behind_its_last_event_does_not_hold_the_client_for_ever(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """After `[DONE]` the idle deadline still runs: the exchange is complete, the connection ends."""
    proxy = start_proxy(one_model(provider.base, entry={"timeouts": {"idle": 0.5}}))

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, EVENTS)
        await wire.chunk(b"".join(chat_stream("whole")))
        await wire.until_client_leaves()

    provider.script = script
    body = b'{"model":"m","stream":true,"messages":[]}'
    with proxy.connect() as sock:
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            % (proxy.port, len(body), body)
        )
        received = b""
        while piece := sock.recv(65536):
            received += piece

    assert DONE in received
    assert not received.endswith(b"0\r\n\r\n")
    assert provider.requests[0].client_left.wait(5)
    assert proxy.record()["outcome"] == "completed"
    wait_for(lambda: proxy.health()["active"] == 0)


def test_break_of_an_unrecorded_stream_looks_like_that_of_a_recorded_one(
    provider: FakeProvider, proxy: Proxy
) -> None:
    """Suppression changes nothing that the client sees: the error event comes all the same."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, EVENTS)
        await wire.chunk(b"".join(chat_stream("half")[:2]))
        await asyncio.sleep(0)
        wire.reset()

    provider.script = script
    seen = []
    for header in (b"", b"x-no-log: true\r\n"):
        body = b'{"model":"m","stream":true,"messages":[]}'
        with proxy.connect() as sock:
            sock.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n%s"
                b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                % (proxy.port, header, len(body), body)
            )
            received = b""
            while piece := sock.recv(65536):
                received += piece
        seen.append(received.partition(b"\r\n\r\n")[2])

    assert seen[0] == seen[1]
    assert b'"code":"truncated"' in seen[0]
    assert [record["outcome"] for record in proxy.records(1)] == ["provider_truncated"]
