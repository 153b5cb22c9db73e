"""Real small disks that fill up: traffic goes on, what is lost is counted, what comes back is whole."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.support.oracle import read_lines
from tests.support.process import MIB
from tests.support.provider import FakeProvider, Received, Wire, answer, chat_answer
from tests.support.proxy import Proxy, one_model, wait_for

pytestmark = pytest.mark.root


def test_a_full_disk_stops_neither_traffic_nor_later_records(
    provider: FakeProvider,
    start_proxy: Callable[..., Proxy],
    tmp_path: Path,
    small_disk: Callable[[Path, int], Path],
) -> None:
    """On a full disk traffic goes on and /health says degraded; with space again every record comes, none torn."""
    home = tmp_path / "home"
    ballast = small_disk(home / "logs", 2 * MIB)
    provider.script = answer(chat_answer("x" * 20_000))
    proxy = start_proxy(one_model(provider.base), home=home)
    for number in range(60):
        assert proxy.chat(user=str(number)).status == 200
    health = proxy.health()
    assert health["recording"] == "degraded"
    assert health["waiting"] > 50
    assert (health["records"] + health["waiting"], health["dropped"]) == (60, 0)
    assert "records cannot be written" in proxy.output()
    ballast.unlink()
    wait_for(lambda: proxy.health()["recording"] == "on", what="recording is on again")
    assert proxy.health()["waiting"] == 0
    assert proxy.chat(user="60").status == 200
    assert proxy.stop() == 0
    records, problems, torn = read_lines(home)
    assert (problems, torn) == ([], 0)
    assert [int(record["request"]["user"]) for _, record in records] == list(range(61))


def test_what_no_longer_fits_into_memory_is_counted(
    provider: FakeProvider,
    start_proxy: Callable[..., Proxy],
    tmp_path: Path,
    small_disk: Callable[[Path, int], Path],
) -> None:
    """While the disk is full at most 64 MiB wait, the newest; each that falls out is counted as dropped."""
    home = tmp_path / "home"
    ballast = small_disk(home / "logs", 96 * MIB)
    provider.script = answer(chat_answer("x" * (7 * MIB)))
    proxy = start_proxy(one_model(provider.base), home=home)
    for number in range(12):
        assert proxy.chat(user=str(number)).status == 200
    health = proxy.health()
    assert (health["waiting"], health["dropped"], health["records"]) == (9, 3, 0)
    ballast.unlink()
    wait_for(lambda: proxy.health()["waiting"] == 0, what="nothing waits any more")
    assert proxy.health()["dropped"] == 3
    proxy.stop()
    records, problems, torn = read_lines(home)
    assert (problems, torn) == ([], 0)
    assert [record["request"]["user"] for _, record in records] == [
        str(number) for number in range(3, 12)
    ]


def test_records_that_wait_at_the_end_are_reported(
    provider: FakeProvider,
    start_proxy: Callable[..., Proxy],
    tmp_path: Path,
    small_disk: Callable[[Path, int], Path],
) -> None:
    """A process that ends while its disk is full says how many records are lost."""
    home = tmp_path / "home"
    ballast = small_disk(home / "logs", MIB)
    provider.script = answer(chat_answer("x" * 100_000))
    proxy = start_proxy(one_model(provider.base), home=home)
    for _ in range(3):
        assert proxy.chat().status == 200
    assert proxy.stop() == 0
    assert "3 records could not be written and are lost" in proxy.output()
    ballast.unlink()
    assert read_lines(home) == ([], [], 0)


@pytest.mark.parametrize("freed", [False, True], ids=["stays full", "has space again"])
def test_a_large_answer_is_whole_or_said_to_be_lost(
    provider: FakeProvider,
    start_proxy: Callable[..., Proxy],
    tmp_path: Path,
    small_disk: Callable[[Path, int], Path],
    freed: bool,
) -> None:
    """An answer whose blob met a full disk reaches the client; its record says `blob`, never half of it."""
    home = tmp_path / "home"
    ballast = small_disk(home / "blobs", 32 * MIB)
    go_on = threading.Event()
    first, second = b'"' + b"a" * (4 * MIB), b"b" * (12 * MIB) + b'"'

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(
            200, [("content-type", "application/json")], length=len(first) + len(second)
        )
        await wire.chunk(first)
        await asyncio.to_thread(go_on.wait, 20)
        await wire.chunk(second)

    provider.script = script
    proxy = start_proxy(one_model(provider.base), home=home)
    with proxy.connect() as sock:
        body = orjson.dumps({"model": "m", "messages": []})
        sock.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-length: %d\r\n\r\n%s"
            % (proxy.port, len(body), body)
        )
        got = 0
        while got < len(first):
            got += len(sock.recv(MIB))
        if freed:
            ballast.unlink()
        go_on.set()
        while got < len(first) + len(second):
            piece = sock.recv(MIB)
            assert piece
            got += len(piece)
    record = proxy.record()
    assert record["status"] == 200
    assert record["response"] is None
    assert record["error"]["kind"] == "blob"
    assert [path.name for path in (home / "blobs").iterdir()] == ([] if freed else ["ballast"])


def test_no_folder_for_blobs_is_no_reason_to_break_an_answer(
    provider: FakeProvider, start_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    """When blobs/ cannot be made at all, large requests and answers pass, and their records say what is lost."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "blobs").write_text("a file where the folder should be")
    provider.script = answer(chat_answer("x" * (2 * MIB)))
    proxy = start_proxy(one_model(provider.base), home=home)
    assert proxy.chat(user="u" * (9 * MIB)).status == 200
    record = proxy.record()
    assert record["error"]["kind"] == "blob"
    assert record["request"] == {
        "blob": None,
        "lost": True,
        "bytes": len(provider.requests[0].body),
    }
