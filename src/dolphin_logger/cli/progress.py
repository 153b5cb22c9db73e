"""Progress: a bar for a person, once something has taken two seconds; nothing for anybody else."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import click

from dolphin_logger.cli.output import for_person

_QUIET_SECONDS = 2.0


@contextlib.contextmanager
def progress(label: str, *, length: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many of `length` (bytes, files) are through since it was last told."""
    if not for_person() or not sys.stderr.isatty():
        yield lambda _: None
        return
    with contextlib.ExitStack() as stack:
        yield _Bar(label, length=length, stack=stack).advance


class _Bar:
    """A bar that appears late; the stack takes it off again."""

    def __init__(self, label: str, *, length: int, stack: contextlib.ExitStack) -> None:
        self._bar = click.progressbar(length=length, label=label, file=sys.stderr)
        self._stack = stack
        self._started = time.monotonic()
        self._shown = False
        self._unsaid = 0

    def advance(self, count: int) -> None:
        """Take note of some more, and show them when it is time."""
        self._unsaid += count
        if not self._shown:
            if time.monotonic() - self._started < _QUIET_SECONDS:
                return
            self._shown = True
            self._stack.enter_context(self._bar)
        self._bar.update(self._unsaid)
        self._unsaid = 0
