"""Locks between processes: on a segment while it is written, on a home while its files change place.

The kernel takes them back when a process ends, however it ends. It knows descriptors, not records.
Where the system has no such locks (Windows), a segment counts as open until it is a day old.
Invariant: of the processes that seal, erase, expire or copy on one home, one is at work at a time.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.home import Home, make_private_folder

if sys.platform != "win32":
    import fcntl

_POLL_SECONDS = 0.05
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class BusyError(JournalError):
    """Another process is changing the files of this home."""


def try_lock(descriptor: int) -> bool:
    """Take the lock on an open file until it is closed; say whether it was free."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: what is old enough is closed
        return True
    return True


def is_open(path: Path) -> bool:
    """Say whether a living process still writes a segment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def upkeep(home: Home, *, patience: float) -> Iterator[None]:
    """Be the only process that changes closed files of a home; wait some seconds for another.

    Raises:
        BusyError: another one is still at it.
        JournalError: the lock file cannot be made.
    """
    make_private_folder(home.run)
    path = home.run / "upkeep.lock"
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise JournalError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        deadline = time.monotonic() + patience
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise BusyError(
                    f"{home.path}: another process is sealing, erasing or copying; try again later"
                )
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
