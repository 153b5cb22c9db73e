"""What a recipe's query finds: conversations, by the index.

It knows the index, which is brought up to date first. Invariant: all that is found, or an error; what
was found does not depend on how fresh the index was.
"""

from __future__ import annotations

import contextlib
from typing import Final

from dolphin_logger.curate.survey import Survey
from dolphin_logger.errors import DatasetError
from dolphin_logger.index.conversations import list_conversations
from dolphin_logger.index.freshness import catch_up
from dolphin_logger.index.schema import index_path, open_to_read
from dolphin_logger.journal.home import Home

_PAGE: Final = 1_000
_SECONDS: Final = 3_600.0


def conversations_found(home: Home, query: str, survey: Survey) -> frozenset[str] | None:
    """Give the ids of the conversations that a query finds, as the survey has them; None without one.

    Raises:
        QueryError: the query is not understood.
        IndexingError: the index cannot be used.
        DatasetError: too much is found to be looked through.
    """
    if not query:
        return None
    left = catch_up(home, seconds=_SECONDS)
    if left.behind_bytes:
        raise DatasetError(
            "selection.query: the index is not up to date; run `dolphin-logger index rebuild`"
        )
    found: set[str] = set()
    cursor: str | None = None
    with contextlib.closing(open_to_read(index_path(home))) as connection:
        while True:
            page = list_conversations(
                connection, query, limit=_PAGE, cursor=cursor, seconds=_SECONDS
            )
            if page.partial:
                raise DatasetError(
                    f"selection.query: {query!r} is in too many messages; use words that are in fewer"
                )
            for one in page.conversations:
                first = survey.get(one.id)
                found.add(first.conversation if first else one.id)
            cursor = page.cursor
            if cursor is None:
                return frozenset(found)
