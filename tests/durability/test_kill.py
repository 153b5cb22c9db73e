"""Kill -9 under load: what a client was told is complete is in the log."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable

import pytest

from tests.support.oracle import judge
from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy, one_model
from tests.support.traffic import KINDS, Call, keep_asking, mixed

ROUNDS = 33 if os.environ.get("DOLPHIN_LONG") else 1
KILLS = 30
STREAMS = 20


class _Trigger:
    """Kills the proxy inside the client's callback that sees the n-th acknowledgement."""

    def __init__(self, proxy: Proxy, *, after: int) -> None:
        self._proxy = proxy
        self._left = after
        self.fired = False

    def __call__(self, call: Call) -> None:
        self._left -= 1
        if self._left == 0:
            assert self._proxy.process is not None
            self._proxy.process.kill()
            self.fired = True


async def _load_until_killed(proxy: Proxy, calls: list[Call], *, seed: int) -> None:
    trigger = _Trigger(proxy, after=random.Random(seed).randint(1, 60))
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(
                keep_asking(
                    proxy.port,
                    calls,
                    seed=seed * STREAMS + worker,
                    until=lambda: trigger.fired,
                    told=trigger,
                )
                for worker in range(STREAMS)
            )
        )


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_acknowledged_exchange_is_lost_by_kill(
    provider: FakeProvider, start_proxy: Callable[..., Proxy], round_: int
) -> None:
    """Through 30 kills under 20 mixed streams, every exchange whose end a client saw is in the log, once."""
    provider.script = mixed
    calls: list[Call] = []
    for seed in range(round_ * KILLS, (round_ + 1) * KILLS):
        proxy = start_proxy(one_model(provider.base))
        asyncio.run(_load_until_killed(proxy, calls, seed=seed))
        proxy.kill()
    verdict = judge(proxy.home, calls, provider.requests)
    assert not verdict.problems, str(verdict)
    assert verdict.acknowledged >= KILLS * 5
    assert {call.kind for call in calls if call.acknowledged} == set(KINDS) - {"cut"}


def test_the_oracle_notices_what_it_is_for(provider: FakeProvider, proxy: Proxy) -> None:
    """A record taken away, doubled, damaged, changed or invented is found by the oracle."""
    provider.script = mixed
    calls: list[Call] = []
    asyncio.run(keep_asking(proxy.port, calls, seed=1, until=lambda: len(calls) >= 30))
    proxy.stop()
    (segment,) = proxy.segments()
    whole = segment.read_bytes()
    assert not judge(proxy.home, calls, provider.requests).problems
    lines = whole.splitlines(keepends=True)
    for broken in (
        b"".join(lines[1:]),
        whole + lines[0],
        whole.replace(b"marker", b"merker", 1),
        whole[:-1] + b" \n",
        lines[0][:40] + whole,
    ):
        segment.write_bytes(broken)
        assert judge(proxy.home, calls, provider.requests).problems
    segment.write_bytes(whole)
    assert judge(proxy.home, calls[1:], provider.requests).problems
    segment.write_bytes(whole + lines[0][:40])  # a torn tail is nobody's loss
    assert not judge(proxy.home, calls, provider.requests).problems
