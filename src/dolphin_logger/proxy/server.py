"""The running server: listening sockets, one clock, signals, an orderly end.

It knows the event loop and the App, not requests. The clock enforces every deadline of the proxy
(one sweep instead of a timer per request), tends the journal and looks at config.json.
Invariant: after SIGTERM nothing that a client was promised is lost, and the exit is 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

from dolphin_logger.config import Config
from dolphin_logger.errors import ConfigError, DolphinError
from dolphin_logger.proxy.app import App
from dolphin_logger.proxy.connection import ClientConnection
from dolphin_logger.proxy.guard import is_loopback

TICK_SECONDS = 0.25
TEND_TICKS = 2
WATCH_TICKS = 4
DRAIN_SECONDS = 30.0
FLUSH_SECONDS = 2.0
_BACKLOG = 2048

_log = logging.getLogger(__name__)


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind the listening sockets: the host, and for loopback also ::1 where there is one.

    Raises:
        DolphinError: the port is taken, or the address is not ours.
    """
    name = "127.0.0.1" if host == "localhost" else host
    first = _listen(name, port)
    sockets = [first]
    if name == "127.0.0.1":
        with contextlib.suppress(DolphinError):
            sockets.append(_listen("::1", first.getsockname()[1]))
    return sockets


class Server:
    """Runs one App on bound sockets until it is told to end."""

    def __init__(self, app: App, sockets: list[socket.socket], *, config: Config) -> None:
        self._app = app
        self._sockets = sockets
        self._config_path = config.path
        self._signature = _signature(self._config_path)
        self._reload: Callable[[], Config] | None = None
        self._ending = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ticks = 0

    async def run(
        self, *, reload: Callable[[], Config], ready: Callable[[Callable[[], object]], None]
    ) -> None:
        """Serve until SIGTERM or Ctrl-C; `reload` reads the configuration anew.

        `ready` is called when requests are accepted, with a function that ends the server and may
        be called from any thread.
        """
        loop = asyncio.get_running_loop()
        self._reload = reload
        self._listen_to_signals(loop)
        servers = [
            await loop.create_server(
                lambda: ClientConnection(self._app), sock=sock, backlog=_BACKLOG
            )
            for sock in self._sockets
        ]
        _calm_the_collector()
        clock = loop.create_task(self._clock())
        ready(functools.partial(loop.call_soon_threadsafe, self.stop))
        await self._ending.wait()
        for server in servers:
            server.close()
        await self._drain()
        clock.cancel()
        self._app.pool.close()
        self._app.desk.close()
        await loop.run_in_executor(None, self._app.journal.close)

    def stop(self) -> None:
        """End in order; called twice, end at once."""
        if self._ending.is_set():
            self._hurry.set()
        self._ending.set()

    def _listen_to_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        for name in ("SIGTERM", "SIGINT"):
            with contextlib.suppress(NotImplementedError):  # Windows has no signals in its loop
                loop.add_signal_handler(getattr(signal, name), self.stop)
        if hasattr(signal, "SIGHUP"):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(signal.SIGHUP, self._reload_config)

    async def _clock(self) -> None:
        """Enforce deadlines; whatever goes wrong in one sweep, the next one comes."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                self._sweep()
            except Exception:  # noqa: BLE001 - logged; a stopped clock would be worse
                _log.exception("a sweep of the clock failed")

    def _sweep(self) -> None:
        now = time.monotonic()
        self._ticks += 1
        for relay in tuple(self._app.desk.active):
            relay.tick(now)
        for connection in tuple(self._app.connections):
            connection.tick(now)
        self._app.pool.tick(now)
        if self._ticks % TEND_TICKS == 0:
            asyncio.get_running_loop().run_in_executor(None, self._app.journal.tend)
        if self._ticks % WATCH_TICKS == 0 and _signature(self._config_path) != self._signature:
            self._reload_config()

    def _reload_config(self) -> None:
        """Take a changed config.json; a broken one changes nothing but a message."""
        assert self._reload is not None
        self._signature = _signature(self._config_path)
        try:
            config = self._reload()
        except ConfigError as error:
            self._app.config_trouble = str(error)
            _log.error("%s; the old configuration stays", error)
            return
        self._app.reconfigure(config)
        for warning in config.warnings:
            _log.warning("%s", warning)
        _log.info("configuration reloaded: %d models", len(config.models))

    async def _drain(self) -> None:
        """Let open answers end, up to a limit; then end them visibly."""
        app = self._app
        for connection in tuple(app.connections):
            connection.close_when_idle()
        if app.desk.active:
            _log.info("waiting for %d open answers (again to stop at once)", len(app.desk.active))
        await self._wait(lambda: not app.desk.active, seconds=DRAIN_SECONDS)
        for relay in tuple(app.desk.active):
            relay.shut_down()
        self._hurry.clear()
        await self._wait(lambda: not app.connections, seconds=FLUSH_SECONDS)
        for connection in tuple(app.connections):
            connection.abort()

    async def _wait(self, done: Callable[[], bool], *, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done() and not self._hurry.is_set() and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def check_exposure(config: Config) -> None:
    """Refuse to be reachable from other machines without a token.

    Raises:
        ConfigError: `host` is not loopback and there is no `token`.
    """
    if not is_loopback(config.host) and config.token is None:
        raise ConfigError(
            f"host {config.host!r} is reachable from other machines: set a `token` in config.json"
            " (or DOLPHIN_LOGGER_TOKEN), or use 127.0.0.1"
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise DolphinError(f"cannot listen on {host}: {error.strerror}") from error
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except (OSError, OverflowError) as error:
        sock.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise DolphinError(
                f"port {port} on {host} is taken; is dolphin-logger already running"
                " (`dolphin-logger status`)? Choose another port with --port"
            ) from error
        raise DolphinError(f"cannot listen on {host} port {port}: {error}") from error
    return sock


def _signature(path: os.PathLike[str]) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, no object
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _calm_the_collector() -> None:
    """What is loaded now stays: do not scan it again and again while relaying."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
