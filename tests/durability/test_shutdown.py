"""The ends of a process, and what may happen to its folder while it runs."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from dolphin_logger.exchange import Exchange, new_id
from dolphin_logger.journal import writer
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.writer import Journal
from tests.support.oracle import judge, read_lines
from tests.support.provider import FakeProvider, Received, Wire, answer, chat_answer, chat_chunk
from tests.support.proxy import Proxy, one_model, wait_for
from tests.support.traffic import Call, chat_request, keep_asking, mixed, read_to_end, read_until

STREAMS = 20


class _After:
    """Does something once, at the n-th acknowledged answer."""

    def __init__(self, count: int, act: Callable[[], None]) -> None:
        self._left = count
        self._act = act
        self.done = False

    def __call__(self, call: Call) -> None:
        self._left -= 1
        if self._left == 0:
            self._act()
            self.done = True


def _signal(proxy: Proxy, number: int) -> Callable[[], None]:
    assert proxy.process is not None
    process = proxy.process
    return lambda: process.send_signal(number)


def _exit_code(proxy: Proxy) -> int:
    """Wait for a process that was told to end."""
    assert proxy.process is not None
    proxy.process.wait(10)
    return proxy.stop()


async def _load(
    port: int, calls: list[Call], *, after: _After | None, until: Callable[[], bool], seed: int
) -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(
                keep_asking(port, calls, seed=seed + worker, until=until, told=after)
                for worker in range(STREAMS)
            )
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_loses_nothing(
    provider: FakeProvider, proxy: Proxy, number: int
) -> None:
    """After SIGTERM or Ctrl-C every answer under way reaches its end, the log is complete and the exit is 0."""
    provider.script = mixed
    calls: list[Call] = []
    after = _After(60, _signal(proxy, number))
    asyncio.run(_load(proxy.port, calls, after=after, until=lambda: after.done, seed=0))
    assert _exit_code(proxy) == 0
    verdict = judge(proxy.home, calls, provider.requests)
    assert not verdict.problems, str(verdict)
    assert verdict.torn == 0
    asked = {call.marker: call for call in calls}
    for request in provider.requests:
        marker = request.json()["metadata"]["marker"]
        assert marker in verdict.records
        assert asked[marker].kind == "cut" or asked[marker].whole, f"{marker} was not drained"
    assert not list((proxy.home / "run").glob("proxy-*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(provider: FakeProvider, proxy: Proxy, number: int) -> None:
    """Asked twice, the proxy ends open answers visibly, records them as `shutdown` and exits with 0."""

    async def script(request: Received, wire: Wire) -> None:
        if request.json()["stream"]:
            await wire.head(200, [("content-type", "text/event-stream")])
            await wire.chunk(chat_chunk({"content": "half"}))
        await wire.until_client_leaves()

    provider.script = script
    with proxy.connect() as streamed, proxy.connect() as plain:
        streamed.sendall(chat_request(proxy.port, stream=True))
        plain.sendall(chat_request(proxy.port, stream=False))
        read_until(streamed, b"half")
        wait_for(lambda: len(provider.requests) == 2)
        _signal(proxy, number)()
        wait_for(lambda: "waiting for 2 open answers" in proxy.output())
        with pytest.raises(ConnectionRefusedError):
            proxy.connect()
        _signal(proxy, number)()
        assert _exit_code(proxy) == 0
        assert not read_to_end(streamed).endswith(b"0\r\n\r\n")
        assert read_to_end(plain).startswith(b"HTTP/1.1 503")
    records = proxy.records()
    assert [record["outcome"] for record in records] == ["shutdown", "shutdown"]
    assert [record["error"]["kind"] for record in records] == ["shutdown", "shutdown"]
    (partial,) = [record["response"] for record in records if record["stream"]]
    assert partial["choices"][0]["message"]["content"] == "half"
    assert all(request.client_left.wait(5) for request in provider.requests)


def test_two_processes_share_a_home(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """Two proxies on one home under load: every exchange once, each in a segment of its own process."""
    provider.script = mixed
    first, second = (start_proxy(one_model(provider.base)) for _ in range(2))
    calls: dict[int, list[Call]] = {first.port: [], second.port: []}

    async def both() -> None:
        await asyncio.gather(
            *(
                _load(
                    port, asked, after=None, until=lambda asked=asked: len(asked) >= 300, seed=port
                )
                for port, asked in calls.items()
            )
        )

    asyncio.run(both())
    assert (first.stop(), second.stop()) == (0, 0)
    verdict = judge(first.home, [*calls[first.port], *calls[second.port]], provider.requests)
    assert not verdict.problems, str(verdict)
    assert len(verdict.records) == sum(map(len, calls.values()))
    homes: dict[Path, set[str]] = {}
    for path, record in read_lines(first.home)[0]:
        homes.setdefault(path, set()).add(record["request"]["metadata"]["marker"])
    expected = [{call.marker for call in asked} for asked in calls.values()]
    assert sorted(homes.values(), key=min) == sorted(expected, key=min)


def test_a_killed_process_does_not_harm_another(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """When one of two proxies on a home is killed, the other goes on and both logs are good."""
    provider.script = mixed
    victim, other = (start_proxy(one_model(provider.base)) for _ in range(2))
    lost: list[Call] = []
    kept: list[Call] = []
    after = _After(50, _signal(victim, signal.SIGKILL))

    async def both() -> None:
        await asyncio.gather(
            _load(victim.port, lost, after=after, until=lambda: after.done, seed=0),
            _load(
                other.port,
                kept,
                after=None,
                until=lambda: after.done and len(kept) >= 300,
                seed=1000,
            ),
        )

    asyncio.run(both())
    victim.kill()
    assert other.stop() == 0
    verdict = judge(other.home, [*lost, *kept], provider.requests)
    assert not verdict.problems, str(verdict)
    assert {call.marker for call in kept} <= set(verdict.records)


@pytest.mark.parametrize("how", ["removed", "renamed", "the whole home"])
def test_a_log_folder_that_goes_away_is_noticed(
    provider: FakeProvider, start_proxy: Callable[..., Proxy], tmp_path: Path, how: str
) -> None:
    """Removed or renamed, the folder comes back, private, and holds what is asked after that was noticed."""
    provider.script = answer(chat_answer())
    home = tmp_path / "elsewhere" / "home"
    proxy = start_proxy(one_model(provider.base), home=home)
    log = (home / "stderr.txt").open("rb")
    proxy.chat()
    proxy.records(1)
    if how == "removed":
        shutil.rmtree(home / "logs")
    elif how == "renamed":
        (home / "logs").rename(tmp_path / "old logs")
    else:
        shutil.rmtree(home)
    with log:
        seen: list[bytes] = []
        wait_for(lambda: seen.append(log.read()) or b"removed or replaced" in b"".join(seen))
    assert proxy.chat(user="later").status == 200
    record = proxy.record()
    assert record["request"]["user"] == "later"
    assert (home / "logs").stat().st_mode & 0o777 == 0o700
    assert home.stat().st_mode & 0o777 == 0o700
    assert proxy.health()["recording"] == "on"


def make_exchange(text: str = "hi") -> Exchange:
    """Make an exchange as the relay would."""
    now = time.time_ns()
    request = b'{"messages":[{"role":"user","content":"%s"}]}' % text.encode()
    return Exchange(
        id=new_id(now),
        time_ns=now,
        dialect="openai.chat",
        path="/v1/chat/completions",
        request=request,
    )


def test_each_day_has_its_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At midnight UTC, and when the clock is set back, another segment follows; none is opened again."""
    now = [86_399.0]
    clock = types.SimpleNamespace(
        time=lambda: now[0],
        gmtime=lambda *seconds: time.gmtime(*seconds or now),
        strftime=time.strftime,
    )
    monkeypatch.setattr(writer, "time", clock)
    home = Home(tmp_path / "home")
    home.prepare()
    journal = Journal(home)
    for moment in (86_399.0, 86_400.0, 86_401.0, 10.0):
        now[0] = moment
        assert journal.append(make_exchange())
    journal.close()
    counts = sorted(
        (path.name[:10], len(path.read_bytes().splitlines())) for path in home.logs.iterdir()
    )
    assert counts == [("1970-01-01", 1), ("1970-01-01", 1), ("1970-01-02", 2)]
    records, problems, torn = read_lines(home.path)
    assert (len(records), problems, torn) == (4, [], 0)


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    """A segment that has reached its size is closed; sequence numbers go on in the next one."""
    home = Home(tmp_path / "home")
    home.prepare()
    journal = Journal(home, segment_bytes=4096)
    for number in range(100):
        journal.append(make_exchange(f"{number} " + "x" * 500))
    journal.close()
    records, problems, torn = read_lines(home.path)
    assert (problems, torn) == ([], 0)
    assert sorted(record["seq"] for _, record in records) == list(range(1, 101))
    sizes = [path.stat().st_size for path in home.logs.iterdir()]
    assert len(sizes) > 10
    assert max(sizes) < 4096 + 2048
