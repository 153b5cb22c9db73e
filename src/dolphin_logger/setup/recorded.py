"""What was recorded of one run: the records that carry its tag.

It reads the journal from where it ended before the run. It knows records, not processes.
"""

from __future__ import annotations

from dataclasses import dataclass

from dolphin_logger.journal.follower import Follower
from dolphin_logger.journal.reader import StoredRecord


@dataclass(frozen=True, slots=True)
class Recorded:
    """Counts of a run; `newest` is the id of the last record that has an answer, else of the last."""

    exchanges: int = 0
    sessions: int = 0
    failed: int = 0
    newest: str | None = None


def count_run(since: Follower, *, run: str) -> Recorded:
    """Count what a follower finds of a run."""
    sessions = set()
    exchanges = failed = 0
    newest = answered = None
    for item in since.more():
        if not isinstance(item, StoredRecord):
            continue
        client = item.fields.get("client") or {}
        if (client.get("tags") or {}).get("run") != run:
            continue
        exchanges += 1
        newest = item.id
        if item.fields["outcome"] == "completed":
            answered = item.id
        else:
            failed += 1
        if client.get("session"):
            sessions.add(client["session"])
    return Recorded(exchanges, len(sessions), failed, answered or newest)
