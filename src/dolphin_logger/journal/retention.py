"""Retention: whole closed segments go, the oldest first, by age or by the bytes that a home takes.

Off unless the configuration asks for it. It leaves no tombstones: nobody said that the records must
never come back. It knows files and ids, not what records mean.
Invariant: a segment with a record of which somebody has said something (any label that holds, but
`drop`) stays, however old and however large.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.blobs import names_of_blobs, remove_blob
from dolphin_logger.journal.home import Home, sync_folder
from dolphin_logger.journal.labels import read_labels
from dolphin_logger.journal.lines import cut, open_segment
from dolphin_logger.journal.locks import is_open
from dolphin_logger.journal.reader import segments
from dolphin_logger.journal.seal import AGE, manifest_path, sealable
from dolphin_logger.journal.sealed import is_sealed, other_name
from dolphin_logger.journal.splice import id_of


@dataclass(frozen=True, slots=True)
class Expired:
    """One segment that retention took away; `bytes` are those on the disk, its blobs included."""

    segment: Path
    bytes: int
    blobs: int


def expire(home: Home, *, days: float | None, limit: int | None) -> Iterator[Expired]:
    """Remove what is over the age or over the limit of bytes, and say so one by one.

    The caller holds the home's upkeep lock.

    Raises:
        JournalError: a file cannot be read or removed.
    """
    oldest = None if days is None else time.time() - days * 86_400
    total = _sum_of([*home.logs.glob("*"), *home.blobs.glob("*")]) if limit is not None else 0
    labels = read_labels(home)
    spoken_of = {
        record
        for record in labels.records()
        if any(label.kind != "drop" for label in labels.in_force(record))
    }
    closed = set(sealable(home, age=AGE))
    for path in segments(home):
        if not is_sealed(path) and (path not in closed or is_open(path)):
            continue
        too_old = oldest is not None and path.stat().st_mtime < oldest
        too_much = limit is not None and total > limit
        if not too_old and not too_much:
            continue
        named = _named_unless_spoken_of(path, spoken_of)
        gone = None if named is None else _remove(home, path, named)
        if gone is not None:
            total -= gone.bytes
            yield gone


def _named_unless_spoken_of(path: Path, spoken_of: Collection[str]) -> set[str] | None:
    """Give the blobs that a segment names; None when it holds a record that has to stay."""
    named: set[str] = set()
    for line in _lines_of(path):
        if id_of(line) in spoken_of:
            return None
        named |= names_of_blobs(line)
    return named


def _remove(home: Home, path: Path, named: set[str]) -> Expired | None:
    """Remove a segment's blobs, then the segment; None when a blob has to wait for an open request.

    Killed between the two, the next pass comes back to the segment.
    """
    for other in segments(home):
        if named and other != path:
            for line in _lines_of(other):
                named -= names_of_blobs(line)
    files = [manifest_path(path), other_name(path), path]
    size = _sum_of([*files, *(home.blobs / name for name in named)])
    if not all(remove_blob(home, name) for name in sorted(named)):
        return None
    try:
        for file in files:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise JournalError(f"{path}: cannot be removed: {error.strerror}") from error
    sync_folder(home.logs)
    return Expired(path, size, len(named))


def _lines_of(path: Path) -> Iterator[bytes]:
    file = open_segment(path)
    if file is None:
        return
    with file:
        for _, _, line in cut(file, 0):
            if isinstance(line, str):
                raise JournalError(f"{path}: cannot be searched: {line}")
            yield line


def _sum_of(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())
