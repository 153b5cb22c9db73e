"""Targets: which records a command means by an ID.

The one place that turns what a person wrote into records.
"""

from __future__ import annotations

from dolphin_logger.errors import IndexingError, RecordError
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import (
    StoredRecord,
    every_segment,
    find,
    newest,
    read_segment,
)
from dolphin_logger.journal.sealed import segment_name


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


def conversation_named(home: Home, name: str) -> list[StoredRecord]:
    """Give all records of the conversation that an id names; none where it names a record of one.

    The id of a conversation is that of its first record. An index that cannot be used knows none.
    """
    from dolphin_logger.cli.asking import asking
    from dolphin_logger.index.told import find_told, segments_of

    try:
        with asking(home) as (connection, _):
            told = find_told(connection, name)
            if told is None or told.record is not None:
                return []
            wanted = segments_of(connection, [entry.record for entry in told.entries])
    except IndexingError:
        return []
    paths = {segment_name(path): path for path in every_segment(home)}
    return [
        item
        for name_, ids in wanted.items()
        for item in (read_segment(paths[name_]) if name_ in paths else ())
        if isinstance(item, StoredRecord) and item.id in ids
    ]


def newest_record(home: Home) -> StoredRecord:
    """Give the record that was made last.

    Raises:
        RecordError: there is none.
    """
    for item in newest(home, count=1):
        if isinstance(item, StoredRecord):
            return item
    raise RecordError(f"no records in {home.logs} yet: start `dolphin-logger` and send a request")
