"""Asking: the index opened for a question, as fresh as a second allows.

It says on stderr when the answer does not hold everything yet.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from dolphin_logger.cli.output import note
from dolphin_logger.index.freshness import Freshness, catch_up
from dolphin_logger.index.schema import index_path, open_to_read
from dolphin_logger.journal.home import Home

_MIB = 1 << 20


@contextlib.contextmanager
def asking(home: Home) -> Iterator[tuple[sqlite3.Connection, Freshness]]:
    """Catch up, then open the index; give it with how far behind it is.

    Raises:
        IndexingError: it cannot be used.
    """
    left = catch_up(home)
    if left.behind_bytes:
        note(
            f"the index is {left.behind_bytes / _MIB:,.1f} MiB behind: what is newer is missing here;"
            " ask again, or see `dolphin-logger index status`"
        )
    with contextlib.closing(open_to_read(index_path(home))) as connection:
        yield connection, left


def lag(left: Freshness) -> dict[str, int]:
    """Write how far behind the index is, for JSON."""
    return {"bytes": left.behind_bytes, "segments": left.behind_segments}
