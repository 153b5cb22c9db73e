"""`dolphin-logger serve`: the composition root. It makes the parts, hands them in and runs them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import click

from dolphin_logger import config as configuration
from dolphin_logger import providers
from dolphin_logger._version import __version__
from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.running import reachable
from dolphin_logger.cli.upkeep import Upkeep
from dolphin_logger.config import Config
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home, open_private_file
from dolphin_logger.journal.writer import Journal

Ready = Callable[[str, Callable[[], object]], None]
_PRIVACY = """\
What this program keeps, and what it does not:
  Every request and answer that passes through is written to this machine's disk, in full,
  readable by you alone, under {logs}.
  Nothing leaves this machine but the requests that you make, to the providers in config.json, and what
  you confirm in `upload`.
  API keys are never written to a record. No telemetry, no update check.
  `dolphin-logger pause` stops recording; a request with the header `x-no-log: true` is not kept.
"""


@click.command()
@click.option("--host", help="Address to listen on [127.0.0.1].")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on [5001]; 0 takes a free one."
)
@click.option("--no-ui", is_flag=True, help="Serve no web page (there is none yet).")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.option("--passthrough", multiple=True, hidden=True, metavar="PROVIDER[=BASE]")
@click.option("--attached", is_flag=True, hidden=True)
def serve(
    host: str | None,
    port: int | None,
    *,
    no_ui: bool,
    verbose: bool,
    passthrough: tuple[str, ...],
    attached: bool,
) -> None:
    """Start the recording proxy and serve until Ctrl-C."""
    # hidden: what `run` starts. `--passthrough` adds an entry `*` that sends the caller's own
    # credentials to that provider; `--attached` writes the address to stdout, ends with stdin
    del no_ui
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # names every request of vendor clients
    extra = tuple(_passing(text) for text in passthrough)
    run_proxy(own_home(), host=host, port=port, extra=extra, ready=_attach if attached else None)


def run_proxy(
    home: Home,
    *,
    host: str | None,
    port: int | None,
    extra: tuple[configuration.ModelEntry, ...] = (),
    ready: Ready | None = None,
) -> None:
    """Compose and run one proxy until it is told to end.

    `ready` is called in the event loop when requests are accepted, with the base URL and with a
    function that ends the proxy and may be called from any thread. `extra` entries join
    those of config.json.
    """
    from dolphin_logger.proxy import server as serving
    from dolphin_logger.proxy.app import create_app

    home.prepare()
    first_start = not home.config.exists()
    if first_start:
        configuration.create_template(home.config)

    def read_config() -> Config:
        config = configuration.load(home.config, env=os.environ, known_providers=providers.known())
        added = [replace(entry, timeouts=config.timeouts) for entry in extra]
        # of two entries `*` the first counts: the file's, but for a gateway that the caller has
        gateways = [entry for entry in added if entry.api_base]
        config = replace(
            config,
            models=(*gateways, *config.models, *(each for each in added if not each.api_base)),
            host=host or config.host,
            port=config.port if port is None else port,
        )
        serving.check_exposure(config)
        return config

    config = read_config()
    sockets = serving.bind(config.host, config.port)
    real_port = sockets[0].getsockname()[1]
    journal = Journal(home)
    app = create_app(config, journal, port=real_port, find_provider=providers.find)
    url = f"http://{reachable(config.host)}:{real_port}"
    server = serving.Server(app, sockets, config=config)

    def announce(stop: Callable[[], object]) -> None:
        _print_banner(config, home, url=url, first_start=first_start)
        if ready is not None:
            ready(url, stop)

    with _registered(home, host=config.host, port=real_port, url=url), Upkeep(home):
        serving.run_loop(server.run(reload=read_config, ready=announce))
    click.echo(f"dolphin-logger: stopped; {journal.records} records written", err=True)


def _passing(text: str) -> configuration.ModelEntry:
    """Make the entry that `PROVIDER` or `PROVIDER=BASE` stands for."""
    provider, _, base = text.partition("=")
    if provider not in providers.known():
        raise click.UsageError(f"--passthrough: unknown provider {provider!r}")
    secret = configuration.Secret(configuration.PASSTHROUGH)
    return configuration.ModelEntry(provider, "*", api_base=base or None, api_key=secret)


def _attach(url: str, stop: Callable[[], object]) -> None:
    """Tell whoever started this process where it serves, and end when that one is gone."""
    click.echo(json.dumps({"url": url}))

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        stop()

    threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def _registered(home: Home, *, host: str, port: int, url: str) -> Iterator[None]:
    """Let `status` and `stop` find this process while it runs."""
    path = home.run / f"proxy-{os.getpid()}.json"
    path.unlink(missing_ok=True)
    facts = {
        "pid": os.getpid(),
        "host": host,
        "port": port,
        "url": url,
        "started": format_time(time.time_ns()),
        "version": __version__,
    }
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(open_private_file(part), "w") as file:
        json.dump(facts, file)
    part.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _print_banner(config: Config, home: Home, *, url: str, first_start: bool) -> None:
    """Say what is served, where it lies and what to do next, on stderr."""
    lines = [f"dolphin-logger {__version__}", ""]
    lines += [f"  proxy    {url}/v1   (set this as the base URL of your client)"]
    lines += [f"  config   {home.config}", f"  records  {home.logs}/*.jsonl", ""]
    width = max((len(entry.model) for entry in config.models), default=0)
    lines += [f"  model    {entry.model:<{width}}  {_describe(entry)}" for entry in config.models]
    lines += [f"  skipped  {skipped.reason}" for skipped in config.skipped]
    if not config.models:
        lines.append("  no usable model: requests will be refused until config.json has one")
    lines += [f"  warning  {warning}" for warning in config.warnings]
    if home.pause_switch.exists():
        lines.append("  PAUSED   nothing is recorded until `dolphin-logger resume`")
    if first_start:
        lines += ["", _PRIVACY.format(logs=home.logs)]
    lines += ["", "  Ctrl-C stops.  `dolphin-logger tail -f` shows what is recorded."]
    from dolphin_logger.cli.output import neutralise

    click.echo(neutralise("\n".join(lines), keep_newlines=True), err=True)


def _describe(entry: configuration.ModelEntry) -> str:
    provider = providers.PROVIDERS.get(entry.provider)
    base = entry.api_base or getattr(provider, "default_base", None) or "built in, offline"
    refusal = getattr(provider, "refusal", None)
    note = f"  ({refusal})" if refusal else ""
    return f"{entry.provider}  {entry.provider_model or entry.model}  {base}{note}"
