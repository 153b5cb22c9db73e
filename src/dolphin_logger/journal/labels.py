"""Labels in their files: written at once and for good, read by everyone, with what came since.

    labels/YYYY-MM-DD_<uuid>.jsonl

It knows the ledger and the word Label, not what a label does to a record.
Invariant: no file of labels is ever changed, but for the text about a record that was removed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dolphin_logger.errors import LabelError
from dolphin_logger.exchange import new_id
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.ledger import BadEntry, LedgerReader, LedgerWriter
from dolphin_logger.journal.tombstones import removed_ids
from dolphin_logger.label import Label, Labels, check, read_label

USER = "user"  # the person at this machine


class LabelWriter:
    """Writes the labels of one process."""

    def __init__(self, home: Home, *, by: str = USER) -> None:
        self._ledger = LedgerWriter(home.labels)
        self._by = by

    def write(self, record: str, kind: str, value: Any = None, message: int | None = None) -> Label:
        """Write one label; it is on the disk when this returns.

        Raises:
            LabelError: kind, value and message do not fit together.
            JournalError: it cannot be written.
        """
        check(kind, value, message=message)
        now = time.time_ns()
        label = Label(new_id(now), format_time(now), self._by, record, kind, value, message)
        return replace(label, place=self._ledger.append(label.to_json()))

    def close(self) -> None:
        """Close the file."""
        self._ledger.close()


class LabelFollower:
    """Gives the labels of a home, and later those that were added since, by any process."""

    def __init__(self, home: Home) -> None:
        self._reader = LedgerReader(home.labels)

    def more(self) -> Iterator[Label | BadEntry]:
        """Give what was added since the last look; a damaged line once, with its place."""
        for entry in self._reader.more():
            if isinstance(entry, BadEntry):
                yield entry
                continue
            try:
                yield read_label(entry.fields, place=(entry.file.name, entry.offset))
            except LabelError as error:
                yield BadEntry(entry.file, entry.offset, str(error))


def read_labels(home: Home) -> Labels:
    """Read every label of a home; damaged ones and those of removed records are passed over."""
    labels = Labels()
    removed = removed_ids(home)
    for label in LabelFollower(home).more():
        if isinstance(label, Label) and label.record not in removed:
            labels.add(label)
    return labels
