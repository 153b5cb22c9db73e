"""`dolphin-logger stop`: end the proxies of this home, and wait until their open answers are through."""

from __future__ import annotations

import time

import click

from dolphin_logger.cli.homes import homes_in_use
from dolphin_logger.cli.output import note, say
from dolphin_logger.cli.running import RunningProxy, health, is_alive, running_proxies, terminate
from dolphin_logger.errors import DolphinError

_WAIT_SECONDS = 35.0  # the proxy itself gives open answers 30 s
_POLL_SECONDS = 0.05
_SAY_AFTER_SECONDS = 1.0


@click.command(help="End the running proxies, after their open answers (up to 35 s).")
def stop() -> None:
    """Send SIGTERM to each and wait."""
    proxies = [proxy for home in homes_in_use() for proxy in running_proxies(home)]
    if not proxies:
        say("nothing is running")
        return
    for proxy in proxies:
        terminate(proxy.pid)
    left = _wait(proxies)
    for proxy in proxies:
        if proxy not in left:
            proxy.file.unlink(missing_ok=True)
            say(f"stopped {proxy.url} (pid {proxy.pid})")
    if left:
        pids = " ".join(str(proxy.pid) for proxy in left)
        raise DolphinError(
            f"still running after {_WAIT_SECONDS:.0f} s: pid {pids}; cure: kill -9 {pids}"
        )


def _wait(proxies: list[RunningProxy]) -> list[RunningProxy]:
    """Wait for all to end, and say after a second for what; return those that did not."""
    started = time.monotonic()
    said = False
    while left := [proxy for proxy in proxies if is_alive(proxy.pid)]:
        waited = time.monotonic() - started
        if waited > _WAIT_SECONDS:
            break
        if waited > _SAY_AFTER_SECONDS and not said:
            said = True
            for proxy in left:
                active = (health(proxy.url) or proxy.health or {}).get("active", "some")
                note(f"waiting for pid {proxy.pid}: {active} open requests")
        time.sleep(_POLL_SECONDS)
    return left
