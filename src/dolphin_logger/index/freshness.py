"""Freshness: the index kept up with the journal, and how far behind it is; its making anew.

Whoever wants to read catches up first, for a second at most, if nobody else is at it. The proxy is
never waited for, nor does it wait. It knows files and the lock, not what is in them.
Invariants: one process writes at a time; `rebuild` changes the index in one step, at its end.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dolphin_logger.errors import IndexingError
from dolphin_logger.index.ingest import Ingest, Progress
from dolphin_logger.index.pending import backlog, files_of
from dolphin_logger.index.schema import index_path, lock_path, open_to_read, open_to_write
from dolphin_logger.journal.home import Home, make_private_folder
from dolphin_logger.journal.locks import try_lock

PATIENCE: Final = 1.0  # seconds that a reader gives to catching up
_POLL: Final = 0.02
_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far behind an index is: bytes of the journal that it has not read, and in how many segments."""

    behind_bytes: int
    behind_segments: int


def catch_up(home: Home, *, seconds: float = PATIENCE) -> Freshness:
    """Bring the index up to date for some seconds at most, and say what is left.

    Raises:
        IndexingError: it cannot be written, or is damaged.
    """
    deadline = time.monotonic() + seconds
    while True:
        with _lock(home) as is_ours:
            if is_ours:
                with _writing(index_path(home)) as connection:
                    Ingest(connection, home).catch_up(seconds=seconds, progress=_silent)
        left = behind(home)
        if is_ours or time.monotonic() >= deadline or not left.behind_bytes:
            return left
        time.sleep(_POLL)


def behind(home: Home) -> Freshness:
    """Say how far behind the index is."""
    known: dict[str, tuple[int, int]] = {}
    if index_path(home).exists():
        with contextlib.closing(open_to_read(index_path(home))) as connection:
            rows = connection.execute("SELECT name, read, seen FROM segment")
            known = {name: (read, seen) for name, read, seen in rows}
    waiting = backlog(files_of(home), known)
    return Freshness(sum(one.size - one.read for one in waiting), len(waiting))


def rebuild(home: Home, *, progress: Progress) -> None:
    """Make the index anew beside the old one, which answers until then, and put it in its place.

    Raises:
        IndexingError: another process is writing it, or the disk is full.
    """
    with _lock(home) as is_ours:
        if not is_ours:
            raise IndexingError(
                f"{lock_path(home)}: another process is writing the index; try again later"
            )
        path = index_path(home)
        for left in path.parent.glob("index.new.sqlite*"):
            left.unlink()
        new, made = path.with_name("index.new.sqlite"), path.with_name("index.new.sqlite.made")
        with _writing(made) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            Ingest(connection, home).catch_up(seconds=None, progress=progress)
            connection.execute("INSERT INTO fts(fts) VALUES('optimize')")
            new.touch(mode=0o600)
            connection.execute("VACUUM INTO ?", (str(new),))  # without the pages that nothing uses
        for left in path.parent.glob(f"{made.name}*"):
            left.unlink()
        with new.open("rb") as file:
            os.fsync(file.fileno())
        _put_in_place(new, path)


def _put_in_place(new: Path, path: Path) -> None:
    """Swap the files. The old one's log goes first: it must not be taken for the new one's."""
    if path.exists():
        with contextlib.suppress(IndexingError, sqlite3.Error), _writing(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for left in path.parent.glob("index.v*.sqlite*"):
        if left != path:
            left.unlink()
    new.replace(path)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an index to write; what SQLite has against it becomes an error of ours."""
    try:
        with contextlib.closing(open_to_write(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise IndexingError(
            f"{path}: {error}; `dolphin-logger index rebuild` makes it anew"
        ) from error


@contextlib.contextmanager
def _lock(home: Home) -> Iterator[bool]:
    """Hold the lock of the one who writes, if it is free."""
    make_private_folder(home.cache)
    path = lock_path(home)
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise IndexingError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        yield try_lock(descriptor)
    finally:
        os.close(descriptor)


def _silent(_count: int) -> None:
    """Tell nobody."""
