"""Wired: which proxy serves a client, asked of the proxies that run on a home.

It asks over HTTP on loopback and reads config.json; it changes nothing. Invariant: a proxy is used
only when the client's requests would go where they went without it.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from dolphin_logger import config as configuration
from dolphin_logger import providers
from dolphin_logger.cli.running import health, listens, reachable, running_proxies
from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError, RequestError
from dolphin_logger.journal.home import Home
from dolphin_logger.setup._api import Circumstances, Client
from dolphin_logger.setup.upstream import serves

_ASK_SECONDS = 2.0
_SETTLE_SECONDS = 2.0
_POLL_SECONDS = 0.02
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client needs of a proxy: vendors that it passes on to, and where those are."""

    upstreams: Mapping[str, str | None]
    given: Circumstances

    def at(self, base: str) -> Circumstances:
        """Give the circumstances with the address of a proxy."""
        return replace(self.given, base=base)


def find_serving(home: Home, wanted: Wanted) -> str | None:
    """Find a running proxy that serves what is wanted; its address."""
    if any(base is not None for base in wanted.upstreams.values()):
        return None  # where a running one sends requests cannot be seen from here
    for proxy in running_proxies(home):
        if proxy.health is None:
            continue
        listed = _models(proxy.url)
        if all(serves(listed, vendor) for vendor in wanted.upstreams) and (
            wanted.given.model is None or _lists(proxy.url, wanted.given.model)
        ):
            return proxy.url
    return None


def lasting_url(home: Home) -> str:
    """Give the address of the proxy by config.json, which the next start has as well.

    Raises:
        ConfigError: config.json cannot be read, or lets the port be any.
    """
    config = read_config(home)
    if config.port == 0:
        raise ConfigError(f"{home.config}: port is 0, any free one: set a number for what lasts")
    return f"http://{reachable(config.host)}:{config.port}"


def running_url(home: Home) -> str | None:
    """Give the address of a proxy that runs on a home and answers."""
    return next((proxy.url for proxy in running_proxies(home) if proxy.health is not None), None)


def is_ours(home: Home) -> Callable[[str], bool]:
    """Make the question whether an address is one of a proxy of ours, running or not."""
    port = read_config(home).port

    def ask(base: str) -> bool:
        parts = urlsplit(base)
        if parts.hostname not in _LOOPBACK:
            return False
        if health(f"http://{parts.netloc}") is not None:
            return True
        return parts.port == port and not listens(parts.hostname, port)  # ours when it runs

    return ask


def choose_model(client: Client, home: Home, name: str) -> ModelEntry:
    """Find the entry of config.json that a model's name means for a client.

    Raises:
        DolphinError: there is none, or it does not serve the client's language.
    """
    from dolphin_logger.proxy.destination import choose_dialect
    from dolphin_logger.proxy.routing import Routes

    config = read_config(home)
    if not home.config.exists():
        cure = "`dolphin-logger init` creates it, with the built-in model `demo`"
        raise ConfigError(f"{home.config}: there is none yet, and so no model {name!r}; {cure}")
    try:
        entry = Routes(config).by_name(name)
    except RequestError as error:
        if not (config.skipped or config.warnings):
            raise
        raise ConfigError(
            f"{error}; `dolphin-logger config validate` says what is wrong"
        ) from error
    choose_dialect(entry, providers.find(entry.provider), dialect=client.dialect)
    return entry


def read_config(home: Home) -> configuration.Config:
    """Read the configuration; the defaults where there is none yet.

    Raises:
        ConfigError: it cannot be read.
    """
    if not home.config.exists():
        return configuration.Config(home.config)
    return configuration.load(home.config, env=os.environ, known_providers=providers.known())


def settled(url: str) -> None:
    """Wait until a proxy has no open request, so that all is recorded; others may keep some open."""
    end = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < end:
        if not (health(url) or {}).get("active"):
            return
        time.sleep(_POLL_SECONDS)


def _models(url: str) -> list[dict[str, Any]]:
    answer = _ask(url, "/v1/models")
    listed = answer.get("data") if isinstance(answer, dict) else None
    return (
        [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    )


def _lists(url: str, model: str) -> bool:
    from urllib.parse import quote

    answer = _ask(url, "/v1/models/" + quote(model, safe=""))
    return isinstance(answer, dict) and "id" in answer


def _ask(url: str, path: str) -> Any:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(
        address.hostname or "127.0.0.1", address.port, timeout=_ASK_SECONDS
    )
    try:
        connection.request("GET", path, headers={"Host": f"127.0.0.1:{address.port}"})
        return json.loads(connection.getresponse().read(1 << 24))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
