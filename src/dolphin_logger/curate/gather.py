"""Gather: the chosen records of a home, each conversation's together, in buckets on the disk.

Segments are read once more, side by side and forwards only, and what is wanted of them goes through
files of its own into the bucket of its conversation. It knows places and bytes, not words.
Invariants: a bucket is complete when it has its name, which tells what is in it, so that a finished one
is never made again; a record that was removed meanwhile is not there; memory is bounded by one bucket.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import shutil
import zlib
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from dolphin_logger.curate.spool import (
    Gathered,
    compress,
    decompress,
    frame_of,
    head_of,
    read_bucket,
)
from dolphin_logger.curate.survey import Survey, Surveyed
from dolphin_logger.curate.workers import spread, workers_for
from dolphin_logger.errors import RecordError
from dolphin_logger.index.contents import to_json
from dolphin_logger.journal.format import decode
from dolphin_logger.journal.home import Home, make_private_folder
from dolphin_logger.journal.lines import cut, open_segment
from dolphin_logger.journal.reader import StoredRecord, body, every_segment
from dolphin_logger.journal.sealed import is_sealed, segment_name
from dolphin_logger.journal.tombstones import removed_ids
from dolphin_logger.journal.versions import Place, upgrade

__all__ = ["Gathered", "bucket_name", "gather", "read_bucket"]

_PART_BYTES: Final = 32 * 1024 * 1024
_PLACE_BITS: Final = 32
_PLACE_MASK: Final = (1 << _PLACE_BITS) - 1
_BODIES: Final[
    tuple[Literal["request", "response", "provider_request", "provider_response"], ...]
] = ("request", "response", "provider_request", "provider_response")


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a wanted line lies, its bucket, and its place there: conversation << 32 | record."""

    offset: int
    length: int
    bucket: int
    place: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Wanted lines that lie behind each other in a segment."""

    path: Path
    number: int
    lines: tuple[array[int], ...]

    def __iter__(self) -> Iterator[_Line]:
        return map(_Line, *self.lines)

    @property
    def size(self) -> int:
        """Bytes of the lines."""
        return sum(self.lines[1])


@dataclass(frozen=True, slots=True)
class _Extent:
    """A piece of a file that holds lines of one bucket."""

    path: Path
    bucket: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A bucket that is to be made: its heads, one conversation a line, and where its lines lie."""

    path: Path
    heads: Path
    extents: list[_Extent] = field(default_factory=list)


def gather(
    home: Home,
    survey: Survey,
    wanted: Iterable[str],
    *,
    spool: Path,
    buckets: int,
    workers: int,
    advance: Callable[[int], object],
    along: Iterable[str] = (),
) -> list[Path]:
    """Bring records, and those that come unsaid before them, into buckets; give the buckets' files.

    All of a conversation is in one bucket, which its id decides. Records of `along` (those with edits,
    which stand in others' histories) come with what is wanted of their conversations. `advance` is told how many more bytes
    of lines are through, of those that are not in a finished bucket already.

    Raises:
        JournalError: a segment or the spool cannot be used.
        DatasetError: a worker process was ended.
    """
    work = spool / "work"
    make_private_folder(spool)
    shutil.rmtree(work, ignore_errors=True)
    make_private_folder(work)
    heads, lines = _plan(survey, _with_unsaid(survey, wanted, along), folder=work, buckets=buckets)
    made = {number: _Bucket(_path(spool, number, path), path) for number, path in heads.items()}
    waiting = {number: one for number, one in made.items() if not one.path.exists()}
    read = partial(_collect, removed=frozenset(removed_ids(home)), folder=work)
    parts = _parts(home, lines, waiting)
    count = workers_for(sum(part.size for part in parts), workers=workers)
    for extents in spread(read, parts, workers=count, done=lambda part: advance(part.size)):
        for extent in extents:
            waiting[extent.bucket].extents.append(extent)
    spread(_fill, list(waiting.values()), workers=count, done=lambda _: None)
    shutil.rmtree(work)
    return [made[number].path for number in sorted(made)]


def bucket_name(conversation: str, *, buckets: int) -> str:
    """Give how the name of the bucket begins that a conversation is in."""
    return f"bucket-{_number(conversation, buckets):05d}-"


def _number(conversation: str, buckets: int) -> int:
    return zlib.crc32(conversation.encode("utf-8", "surrogatepass")) % buckets


def _with_unsaid(
    survey: Survey, wanted: Iterable[str], along: Iterable[str]
) -> dict[str, set[str]]:
    """Give what is wanted, and what comes with it, by conversations."""
    chosen: dict[str, set[str]] = {}
    for record in wanted:
        _choose(survey, survey.get(record), chosen)
    for record in along:
        one = survey.get(record)
        if one is not None and one.conversation in chosen:
            _choose(survey, one, chosen)
    return chosen


def _choose(survey: Survey, one: Surveyed | None, chosen: dict[str, set[str]]) -> None:
    """Add a record, and those that come before it unsaid."""
    while one is not None and one.id not in chosen.setdefault(one.conversation, set()):
        chosen[one.conversation].add(one.id)
        one = None if one.before is None else survey.get(one.before)


def _plan(
    survey: Survey, chosen: Mapping[str, Collection[str]], *, folder: Path, buckets: int
) -> tuple[dict[int, Path], dict[str, list[_Line]]]:
    """Write the heads of each bucket; give their files, and the wanted lines by segments."""
    counts: dict[int, int] = {}
    lines: dict[str, list[_Line]] = {}
    with ExitStack() as stack:
        files: dict[int, BinaryIO] = {}
        for conversation in sorted(chosen):
            number = _number(conversation, buckets)
            if number not in files:
                files[number] = stack.enter_context((folder / f"heads-{number}").open("wb"))
            around = survey.conversation(conversation)
            places = [at for at, one in enumerate(around) if one.id in chosen[conversation]]
            files[number].write(head_of(around, places))
            first = counts.setdefault(number, 0) << _PLACE_BITS
            counts[number] += 1
            for place in places:
                one = around[place]
                line = _Line(one.offset, one.length, number, first | place)
                lines.setdefault(one.segment, []).append(line)
    return {number: folder / f"heads-{number}" for number in files}, lines


def _path(spool: Path, number: int, heads: Path) -> Path:
    """Name a bucket after what is to be in it."""
    with heads.open("rb") as file:
        digest = hashlib.file_digest(file, hashlib.sha256).hexdigest()
    return spool / f"bucket-{number:05d}-{digest[:16]}"


def _parts(home: Home, lines: Mapping[str, list[_Line]], waiting: Collection[int]) -> list[_Part]:
    """Cut the wanted lines of each segment into parts; those of a sealed one are read at once."""
    parts: list[_Part] = []
    for path in every_segment(home):
        own = [line for line in lines.get(segment_name(path), ()) if line.bucket in waiting]
        own.sort(key=lambda line: line.offset)
        while own:
            end = own[0].offset + _PART_BYTES
            count = len(own)
            if not is_sealed(path):
                count = bisect_left(own, end, lo=1, key=lambda line: line.offset)
            rows = zip(*(_row(line) for line in own[:count]), strict=True)
            parts.append(_Part(path, len(parts), tuple([array("Q", row) for row in rows])))
            own = own[count:]
    return parts


def _row(line: _Line) -> tuple[int, int, int, int]:
    return line.offset, line.length, line.bucket, line.place


def _collect(part: _Part, *, removed: Collection[str], folder: Path) -> list[_Extent]:
    """Copy the wanted lines of a part into a file, those of a bucket together."""
    extents: list[_Extent] = []
    held: dict[int, list[tuple[int, bytes]]] = {}
    size = 0
    path = folder / f"lines-{part.number}"
    with path.open("wb") as file:
        for line, text in _cut_out(part):
            kept = _kept(part.path, line, text, removed)
            if kept is None:
                continue
            held.setdefault(line.bucket, []).append((line.place, kept))
            size += len(kept)
            if size >= _PART_BYTES:
                extents += _flush(held, file, path)
                held, size = {}, 0
        extents += _flush(held, file, path)
    return extents


def _cut_out(part: _Part) -> Iterator[tuple[_Line, bytes]]:
    """Give the wanted lines with their bytes; also those that another line's bytes were joined to."""
    file = open_segment(part.path)
    if file is None:
        return
    waiting = deque(part)
    with file:
        for start, length, text in cut(file, waiting[0].offset):
            while waiting and waiting[0].offset < start + length:
                line = waiting.popleft()
                if isinstance(text, bytes) and line.offset >= start:
                    begin = line.offset - start
                    yield line, text[begin : begin + line.length]
            if not waiting:
                return


def _kept(path: Path, line: _Line, text: bytes, removed: Collection[str]) -> bytes | None:
    """Give a record as one line without references; None when it is not there any more."""
    modified = path.stat().st_mtime_ns if path.exists() else 0
    try:
        decoded = decode(text)
        fields = upgrade(dict(decoded), place=Place(segment_name(path), line.offset, modified))
    except RecordError:
        return None
    if str(fields.get("id")) in removed:
        return None
    record = StoredRecord(fields, path, line.offset, line.length, text)
    referring = [key for key in _BODIES if _is_reference(fields.get(key))]
    for key in referring:
        try:
            fields[key] = body(record, key)
        except RecordError:
            fields[key] = None
    if referring or "unparsed" in fields or "v" not in decoded:
        return to_json(fields)
    return text.rstrip(b"\r\n")


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"blob"}


def _flush(
    held: Mapping[int, list[tuple[int, bytes]]], file: BinaryIO, path: Path
) -> Iterator[_Extent]:
    for bucket, lines in held.items():
        packed = compress(marshal.dumps(lines))
        yield _Extent(path, bucket, file.tell(), len(packed))
        file.write(packed)


def _fill(bucket: _Bucket) -> None:
    """Write a bucket; it has its name when all is in it."""
    lines: dict[int, dict[int, bytes]] = {}
    for extent in bucket.extents:
        with extent.path.open("rb") as file:
            file.seek(extent.start)
            packed = file.read(extent.length)
        for place, text in marshal.loads(decompress(packed)):  # noqa: S302 - written by this run
            lines.setdefault(place >> _PLACE_BITS, {})[place & _PLACE_MASK] = text
    part = bucket.heads.with_name(f"{bucket.path.name}.part")
    with bucket.heads.open("rb") as heads, part.open("wb") as file:
        for number, head in enumerate(heads):
            file.write(frame_of(head, lines.pop(number, {})))
        file.flush()
        os.fsync(file.fileno())
    part.replace(bucket.path)
