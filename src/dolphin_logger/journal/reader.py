"""The reader: records out of segments, forwards, backwards, one by id, and their exact bytes.

It opens files only to read and never changes them. It knows lines, not what the bodies mean; a
sealed segment is read like any other, and a record with a tombstone is not there.
Invariants: memory is bounded by one line; a damaged line is reported and costs no other record;
a line that is still being written is not called damaged.
"""

from __future__ import annotations

import base64
import heapq
import itertools
import json
import os
import re
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dolphin_logger.errors import RecordError
from dolphin_logger.journal.format import decode, format_time
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.lines import Line, cut, cut_backwards, open_segment, read_block
from dolphin_logger.journal.sealed import SUFFIX, is_sealed, other_name, segment_name
from dolphin_logger.journal.splice import id_of, value_span, whole_records
from dolphin_logger.journal.tombstones import removed_ids
from dolphin_logger.journal.versions import Place, original_id, upgrade

SHORTEST_ID = 8  # characters of an id's end that may stand for the whole
_DATED = re.compile(r"(\d{4}-\d\d-\d\d)_")
_RECORD_HEAD = b'{"v":1,"id":"'
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LISTINGS = 5  # of a folder whose names keep changing


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record and where it lies; `fields` have the shape of version 1 whatever was written.

    `offset` and `length` (newline included) are bytes of the segment's text, which sealing does not
    change. `line` is kept of a sealed segment only, where to read it again means to read all before it.
    """

    fields: dict[str, Any]
    file: Path
    offset: int
    length: int
    line: bytes = field(default=b"", repr=False, compare=False)

    @property
    def id(self) -> str:
        """The record's id."""
        return str(self.fields["id"])


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record. `incomplete`: the file's last line, not finished yet.

    `offset` and `length` (newline included) are bytes of the segment's text.
    """

    file: Path
    offset: int
    reason: str
    incomplete: bool = False
    length: int = 0


def segments(home: Home) -> list[Path]:
    """List the files of records, oldest first: by the day in the name (else of the file), then time.

    Of a segment that is being sealed only one of the two files.
    """
    return [path for *_, path in sorted(_listed(home))]


def read_segment(
    path: Path, *, offset: int = 0, removed: Collection[str] | None = None
) -> Iterator[StoredRecord | BadLine]:
    """Read a file line by line from an offset that is the start of a line; a missing file is empty.

    `removed` are the ids to pass over; without it, those that have a tombstone in the file's home.

    Raises:
        JournalError: the file cannot be read.
    """
    if removed is None:
        removed = removed_ids(Home(path.parent.parent))
    file = open_segment(path)
    if file is None:
        return
    with file:
        source = _Source(path, os.fstat(file.fileno()).st_mtime_ns, removed)
        for line in cut(file, offset):
            yield from source.items(line)


def read_home(home: Home, *, newest_first: bool = False) -> Iterator[StoredRecord | BadLine]:
    """Read every record of a home.

    Oldest first goes file by file: records of processes that ran side by side are not interleaved.
    Newest first interleaves them by time, and opens only as many files as are asked for.
    """
    removed = removed_ids(home)
    if newest_first:
        yield from _newest_first(home, removed)
        return
    for path in segments(home):
        yield from read_segment(path, removed=removed)


def newest(home: Home, *, count: int) -> list[StoredRecord | BadLine]:
    """Give the newest records, newest first, and the damaged lines met on the way."""
    items: list[StoredRecord | BadLine] = []
    for item in read_home(home, newest_first=True):
        if isinstance(item, StoredRecord):
            count -= 1
            items.append(item)
        elif not item.incomplete:
            items.append(item)
        if count < 1:
            break
    return items


def find(home: Home, id_or_suffix: str) -> StoredRecord:
    """Find one record by its id or by the last 8 or more characters of it.

    Raises:
        RecordError: unknown, ambiguous, or shorter than 8 characters.
    """
    wanted = id_or_suffix.strip().lower()
    if len(wanted) < SHORTEST_ID:
        raise RecordError(
            f"id {id_or_suffix!r} is too short: give at least its last {SHORTEST_ID} characters"
        )
    found: dict[str, StoredRecord] = {}
    removed = removed_ids(home)
    for path in reversed(segments(home)):
        for record in _with_id_ending(path, wanted, removed):
            if record.id == wanted:
                return record
            found.setdefault(record.id, record)
    if not found:
        raise RecordError(
            f"no record {id_or_suffix!r} in {home.logs}: `dolphin-logger ls` lists them"
        )
    if len(found) > 1:
        raise RecordError(
            f"id {id_or_suffix!r} is ambiguous, give more of it: {', '.join(sorted(found))}"
        )
    return found.popitem()[1]


def line_bytes(record: StoredRecord) -> bytes:
    """Read the record's line again as it lies on the disk, without its newline."""
    line = record.line or read_block(record.file, record.offset, record.length)
    return line.rstrip(b"\r\n")


def raw_bytes(record: StoredRecord, which: Literal["request", "response"]) -> bytes:
    """Give the bytes of a body: the raw ones if kept, else the blob, else the text in the line.

    Raises:
        RecordError: the record has no such body, or its blob is missing.
    """
    raw = (record.fields.get("raw") or {}).get(which)
    if raw is not None:
        return base64.b64decode(raw)
    text = _body_text(record, which)
    if text is None:
        raise RecordError(f"record {record.id} has no {which} body")
    return text


def body(
    record: StoredRecord,
    which: Literal["request", "response", "provider_request", "provider_response"],
) -> Any:
    """Parse a body with all digits of its numbers, from the blob if it lies there; None if it has none.

    Raises:
        RecordError: its blob is missing.
    """
    value = record.fields.get(which)
    text = None if "time_approximate" in record.fields else _body_text(record, which)
    if text is None:
        return value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return value


def _body_text(record: StoredRecord, which: str) -> bytes | None:
    blob = _blob_name(record.fields.get(which))
    if blob is not None:
        path = record.file.parent.parent / "blobs" / blob
        try:
            return path.read_bytes()
        except OSError as error:
            raise RecordError(
                f"{path}: the {which} of {record.id} cannot be read: {error.strerror}"
            ) from error
    line = line_bytes(record)
    span = value_span(line, which.encode())
    text = None if span is None else line[slice(*span)]
    return None if text == b"null" else text


def _blob_name(body: Any) -> str | None:
    """Tell a reference to a blob from a body: exactly the three keys that the writer writes."""
    if not isinstance(body, dict) or list(body) != ["blob"] or not isinstance(body["blob"], dict):
        return None
    blob = body["blob"]
    if list(blob) != ["sha256", "bytes", "type"] or not _SHA256.fullmatch(str(blob["sha256"])):
        return None
    return str(blob["sha256"])


def _listed(home: Home) -> list[tuple[str, int, str, Path]]:
    """Each file with its day, its time (ns) and its name."""
    found = []
    for listed in _names(home.logs):
        path = listed if listed.exists() else other_name(listed)  # sealed since it was listed
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            dated = _DATED.match(path.name)
            day = dated[1] if dated else time.strftime("%Y-%m-%d", time.gmtime(status.st_mtime))
            found.append((day, status.st_mtime_ns, segment_name(path), path))
    return found


def _names(folder: Path) -> list[Path]:
    """List the segments of a folder that did not change meanwhile: a name may be missed while it changes."""
    found: dict[str, Path] = {}
    for _ in range(_LISTINGS):
        before = folder.stat().st_mtime_ns if folder.exists() else None
        found = {segment_name(path): path for path in folder.glob(f"*.jsonl{SUFFIX}")}
        found |= {path.name: path for path in folder.glob("*.jsonl")}
        if before is None or folder.stat().st_mtime_ns == before:
            break
    return list(found.values())


def _newest_first(home: Home, removed: Collection[str]) -> Iterator[StoredRecord | BadLine]:
    """Merge the files by time, each read backwards, opened when it could hold the newest record.

    A record is never younger than its file, so a file older than the best head can wait.
    """
    files = sorted((modified, path) for _, modified, _, path in _listed(home))
    heads: list[tuple[int, int, StoredRecord, Iterator[StoredRecord | BadLine]]] = []
    count = itertools.count()
    while files or heads:
        if files and (not heads or _moment(format_time(files[-1][0])) >= -heads[0][0]):
            items = _backwards(files.pop()[1], removed)
        else:
            _, _, record, items = heapq.heappop(heads)
            yield record
        for item in items:
            if isinstance(item, StoredRecord):
                heapq.heappush(heads, (-_moment(item.fields.get("time")), next(count), item, items))
                break
            yield item


def _moment(text: Any) -> int:
    """Turn a record's time into a number that sorts: its digits, down to microseconds."""
    return int("".join(filter(str.isdigit, str(text)))[:20].ljust(20, "0"))


def _backwards(path: Path, removed: Collection[str]) -> Iterator[StoredRecord | BadLine]:
    file = open_segment(path)
    if file is None:
        return
    with file:
        source = _Source(path, os.fstat(file.fileno()).st_mtime_ns, removed)
    for line in cut_backwards(path):
        yield from reversed(list(source.items(line)))


def _with_id_ending(path: Path, suffix: str, removed: Collection[str]) -> Iterator[StoredRecord]:
    """Decode only the lines whose id ends so."""
    file = open_segment(path)
    if file is None:
        return
    with file:
        source = _Source(path, os.fstat(file.fileno()).st_mtime_ns, removed)
        for start, length, line in cut(file, 0):
            if isinstance(line, str):
                continue
            known = id_of(line) or original_id(source.place(start))
            if known.endswith(suffix) or line.find(_RECORD_HEAD, 1) > 0:
                for item in source.items((start, length, line)):
                    if isinstance(item, StoredRecord) and item.id.endswith(suffix):
                        yield item


@dataclass(frozen=True, slots=True)
class _Source:
    """A file whose lines become records; `removed` are the ids that do not."""

    path: Path
    modified_ns: int
    removed: Collection[str]

    def place(self, start: int) -> Place:
        """Say where a line lies, in words that sealing does not change."""
        return Place(segment_name(self.path), start, self.modified_ns)

    def items(self, cut_line: Line) -> Iterator[StoredRecord | BadLine]:
        """Turn one line into a record, or into what can be saved of it and what is bad about it."""
        start, length, line = cut_line
        if isinstance(line, str):
            yield BadLine(self.path, start, line, length=length)
            return
        if not line.strip():
            return
        try:
            yield from self._record(line, start)
        except RecordError as error:
            spans = list(whole_records(line))
            for begin, end in spans:
                yield from self._record(line[begin:end], start + begin)
            if id_of(line) in self.removed:
                return  # its text is being erased
            finished = bool(spans) or line.endswith(b"\n")
            reason = str(error) if finished else "not finished yet"
            yield BadLine(self.path, start, reason, not finished, length)

    def _record(self, line: bytes, start: int) -> Iterator[StoredRecord]:
        fields = upgrade(decode(line), place=self.place(start))
        if str(fields.get("id")) not in self.removed:
            kept = line if is_sealed(self.path) else b""
            yield StoredRecord(fields, self.path, start, len(line), kept)
