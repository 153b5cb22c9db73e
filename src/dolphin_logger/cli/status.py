"""`dolphin-logger status`: what runs, whether it records, and where everything lies."""

from __future__ import annotations

from typing import Any

import click

from dolphin_logger.cli.homes import home_to_read, homes_in_use
from dolphin_logger.cli.output import neutralise, paint, say, say_json
from dolphin_logger.cli.running import RunningProxy, running_proxies
from dolphin_logger.cli.summary import local_time
from dolphin_logger.journal.reader import StoredRecord, newest

_COUNTS = ("records", "suppressed", "dropped", "waiting", "active")


@click.command(help="Say what is running, whether it records, and where everything lies.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def status(*, json_: bool) -> None:
    """Print the state of the home and of each proxy on it."""
    home = home_to_read()
    proxies = [proxy for each in homes_in_use() for proxy in running_proxies(each)]
    latest = next((item for item in newest(home, count=1) if isinstance(item, StoredRecord)), None)
    size = sum(path.stat().st_size for path in home.logs.glob("*") if path.is_file())
    paused = home.pause_switch.exists()
    if json_:
        facts = {"home": str(home.path), "log_bytes": size, "paused": paused}
        facts["newest"] = (
            None if latest is None else {"id": latest.id, "time": latest.fields["time"]}
        )
        say_json(facts | {"proxies": [_as_json(proxy) for proxy in proxies]})
        return
    _say("home", str(home.path))
    _say("logs", f"{size:,} bytes")
    _say(
        "newest", "no record yet" if latest is None else f"{local_time(latest.fields)}  {latest.id}"
    )
    if paused:
        _say("recording", "paused; `dolphin-logger resume` ends this")
    if not proxies:
        _say("running", "nothing; `dolphin-logger` starts the proxy")
    for proxy in proxies:
        _say_proxy(proxy)


def _as_json(proxy: RunningProxy) -> dict[str, Any]:
    facts = {"pid": proxy.pid, "url": proxy.url, "started": proxy.started, "version": proxy.version}
    return facts | {"health": proxy.health}


def _say_proxy(proxy: RunningProxy) -> None:
    since = local_time({"time": proxy.started})
    _say("running", f"{proxy.url}  pid {proxy.pid}, version {proxy.version}, since {since}")
    if proxy.health is None:
        _say("", "gives no answer within 1 s: starting, ending or stuck")
        return
    health = proxy.health
    _say("", f"{health['status']}: {health.get('message', '')}")
    _say("", f"recording {health.get('recording', 'unknown')}")
    counts = ", ".join(f"{name} {health[name]}" for name in _COUNTS if name in health)
    if counts:
        _say("", counts)
    if health.get("config_error"):
        _say("", f"config.json cannot be used, the one before it is: {health['config_error']}")
    if health.get("skipped"):
        _say("", f"skipped models: {health['skipped']}; see `dolphin-logger config validate`")


def _say(name: str, text: str) -> None:
    say(f"{paint(f'{name:<11}', bold=True)}{neutralise(text)}")
