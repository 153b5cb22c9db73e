"""Tombstones: which records were removed, for ever, without any of their text.

    tombstones/YYYY-MM-DD_<uuid>.jsonl

A tombstone hides a record from every reader from the moment it is written; a second line says that
its text is gone from the disk. It knows ids and hashes, not segments.
Invariant: a tombstone is never taken away, neither by retention nor by a restart.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dolphin_logger.exchange import new_id
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.ledger import Entry, LedgerReader, LedgerWriter

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One removed record.

    Attributes:
        record: its id.
        sha256: the hash of its content (see `content_hash`): the same words under another id are
            removed too, for whoever publishes.
        blobs: names of the blobs that it referred to.
    """

    record: str
    sha256: str
    blobs: tuple[str, ...] = ()


def content_hash(fields: Mapping[str, Any]) -> str:
    """Hash what was said in a record: SHA-256 of `[request, response]` as canonical JSON.

    Canonical: sorted keys, no spaces, ASCII. What nests too deeply to be written stands for itself alone.
    """
    said = [fields.get("request"), fields.get("response")]
    try:
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        text = str(fields.get("id"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_tombstones(home: Home, tombstones: Iterable[Tombstone]) -> None:
    """Hide records from every reader.

    Raises:
        JournalError: it cannot be written; none of them holds.
    """
    ledger = LedgerWriter(home.tombstones)
    ledger.append(*(_line_of(stone) for stone in tombstones))
    ledger.close()


def write_erased(home: Home, records: Collection[str]) -> None:
    """Note that no text of these records is left."""
    ledger = LedgerWriter(home.tombstones)
    ledger.append({**_head(), "erased": sorted(records)})
    ledger.close()


def _line_of(stone: Tombstone) -> dict[str, Any]:
    facts = {"record": stone.record, "sha256": stone.sha256, "blobs": list(stone.blobs)}
    return {**_head(), **facts}


def _head() -> dict[str, str]:
    now = time.time_ns()
    return {"id": new_id(now), "time": format_time(now)}


class Removals:
    """The tombstones of a home, brought up to date when asked to."""

    def __init__(self, home: Home) -> None:
        self._reader = LedgerReader(home.tombstones)
        self._stones: dict[str, Tombstone] = {}
        self._erased: set[str] = set()

    def refresh(self) -> Mapping[str, Tombstone]:
        """Give every tombstone by the id of its record."""
        for entry in self._reader.more():
            if isinstance(entry, Entry):
                self._take(entry.fields)
        return self._stones

    def unfinished(self) -> list[Tombstone]:
        """Give those whose text may still lie on the disk."""
        return [stone for record, stone in self.refresh().items() if record not in self._erased]

    def _take(self, fields: Mapping[str, Any]) -> None:
        record, erased = fields.get("record"), fields.get("erased")
        if isinstance(record, str) and record:
            blobs = fields.get("blobs")
            names = [name for name in blobs if _is_sha256(name)] if isinstance(blobs, list) else []
            self._stones[record] = Tombstone(record, str(fields.get("sha256")), tuple(names))
        elif isinstance(erased, list):
            self._erased.update(name for name in erased if isinstance(name, str))


def removed_ids(home: Home) -> Collection[str]:
    """Give the ids of the records that nobody may see any more."""
    return Removals(home).refresh().keys()


def _is_sha256(name: object) -> bool:
    return isinstance(name, str) and _SHA256.fullmatch(name) is not None
