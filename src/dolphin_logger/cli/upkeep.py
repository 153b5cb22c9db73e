"""Upkeep: sealing and retention of a home, once an hour, in a process of its own beside the proxy.

A process and not a thread: compressing a gigabyte must not take the interpreter or the memory of the
proxy. It runs at the lowest priority, and may be killed at any moment.
Invariant: it ends with the proxy, and whatever happens to it does not happen to the proxy.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

from dolphin_logger.journal.home import Home

FIRST_SECONDS = 60.0  # after the start, which many do for a few requests only
EVERY_SECONDS = 3600.0
_ENDING_SECONDS = 5.0
_NICE = 19

_log = logging.getLogger(__name__)


class Upkeep:
    """Runs `seal --background` from time to time while its `with` block lasts."""

    def __init__(
        self, home: Home, *, first: float = FIRST_SECONDS, every: float = EVERY_SECONDS
    ) -> None:
        self._home = home
        self._first = first
        self._every = every
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(_ENDING_SECONDS)

    def _run(self) -> None:
        pause = self._first
        while not self._ending.wait(pause):
            pause = self._every
            try:
                self._run_once()
            except OSError as error:
                _log.warning("segments are not sealed this hour: %s", error)

    def _run_once(self) -> None:
        """Start one pass and wait for it; end it with the proxy: it is safe to kill."""
        environment = {**os.environ, "DOLPHIN_LOGGER_HOME": str(self._home.path)}
        command = [sys.executable, "-m", "dolphin_logger", "seal", "--background"]
        with subprocess.Popen(  # noqa: S603 -- our own program
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as process:
            _lower_priority(process.pid)
            while process.poll() is None:
                if self._ending.wait(0.5):
                    process.kill()


def _lower_priority(pid: int) -> None:
    if hasattr(os, "setpriority"):
        try:
            os.setpriority(os.PRIO_PROCESS, pid, _NICE)
        except OSError:
            return  # it has ended already
