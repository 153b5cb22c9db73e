"""Targets: which records a command means by an ID.

The one place that turns what a person wrote into records.
"""

from __future__ import annotations

from dolphin_logger.errors import RecordError
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import StoredRecord, find, newest


def records_named(home: Home, name: str) -> list[StoredRecord]:
    """Give the records behind an id or the last 8 characters of it, the earliest first.

    Raises:
        RecordError: unknown, ambiguous, or shorter than 8 characters.
    """
    return [find(home, name)]


def record_named(home: Home, name: str) -> StoredRecord:
    """Give the record on which a label sits that is about all of them.

    Raises:
        RecordError: as above.
    """
    return records_named(home, name)[0]


def newest_record(home: Home) -> StoredRecord:
    """Give the record that was made last.

    Raises:
        RecordError: there is none.
    """
    for item in newest(home, count=1):
        if isinstance(item, StoredRecord):
            return item
    raise RecordError(f"no records in {home.logs} yet: start `dolphin-logger` and send a request")
