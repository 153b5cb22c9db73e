"""Finding: the thread that an ID means, asked of the index.

Invariant: without a usable index there are no threads, and records are shown all the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from dolphin_logger.cli.asking import asking
from dolphin_logger.cli.threads.page import write_page
from dolphin_logger.conversation.thread import Fold, Thread, opens
from dolphin_logger.errors import RecordError
from dolphin_logger.index.told import Told, find_told
from dolphin_logger.journal.home import Home


@contextlib.contextmanager
def telling(home: Home, name: str) -> Iterator[Told | None]:
    """Find a conversation by its id or by that of one of its records; None: the index has none."""
    with asking(home) as (connection, _):
        yield find_told(connection, name)


def thread_named(told: Told) -> Thread:
    """Draw what was asked for: all of it, or what begins beside the line with the record asked for."""
    return told.thread(through=told.record)


def is_thread(told: Told) -> bool:
    """Say whether an id means more than one turn: a conversation, or what begins with a record beside it."""
    if len(told.entries) < 2:
        return False
    return told.record is None or opens(told.entries, told.record)


def page_of(told: Told) -> str:
    """Write an HTML page of what was asked for."""

    def open_fold(fold: Fold) -> Thread | None:
        return None if fold.kind == "side" else told.thread(through=fold.record)

    return "\n".join(write_page(thread_named(told), open_fold=open_fold)) + "\n"


def no_thread(home: Home, name: str) -> RecordError:
    """Make the error for an id that the index does not know."""
    return RecordError(
        f"no conversation {name!r} in the index of {home.path}: `dolphin-logger ls` lists them"
    )
