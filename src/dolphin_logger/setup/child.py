"""A client's process in the foreground: it has the terminal, we wait and give its exit code.

It shares our process group, so Ctrl-C, Ctrl-Z and a change of the window's size reach it as if it had
been started by the shell; signals that reach only us are passed on. It knows no clients.
Invariant: we never end before the child does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

from dolphin_logger.errors import DolphinError

_FOR_THE_GROUP = ("SIGINT", "SIGQUIT")  # the terminal sends them to the child as well
_FOR_US = ("SIGTERM", "SIGHUP")


def run_child(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end; 128 + the number of the signal that ended it.

    Raises:
        DolphinError: it cannot be started.
    """
    children: list[subprocess.Popen[bytes]] = []
    with _signals(children):
        try:
            child = subprocess.Popen(command, env=dict(environ))  # noqa: S603 - what the user asked for
        except OSError as error:
            reason = error.strerror or str(error)
            raise DolphinError(f"{command[0]}: cannot be started: {reason}") from error
        children.append(child)
        code = child.wait()
    return 128 - code if code < 0 else code


@contextlib.contextmanager
def _signals(children: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Live through the signals of the terminal, and pass on those that are for us alone."""

    def stay(_number: int, _frame: FrameType | None) -> None:
        pass

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for child in children:
            with contextlib.suppress(OSError):
                child.send_signal(number)

    before: dict[int, Any] = {}
    for names, act in ((_FOR_THE_GROUP, stay), (_FOR_US, pass_on)):
        for name in names:
            number = getattr(signal, name, None)  # Windows has not all of them
            if number is not None:
                before[number] = signal.signal(number, act)
    try:
        yield
    finally:
        for number, act in before.items():
            signal.signal(number, act)


def clean_environ(
    variables: Mapping[str, str], removed: Sequence[str], environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Give the environment with a plan's changes."""
    return {name: text for name, text in environ.items() if name not in removed} | dict(variables)
