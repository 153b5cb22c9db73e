"""Removal: records go for ever, with every text that this home keeps of them.

First the tombstones, which hide them from every reader; then their lines in segments of any kind,
what the vault and the labels say of them, and the blobs that nobody else names; then a line that
all this is done. It knows where text lies, not what it means.
Invariants: killed at any moment, the rest of the work is found and done by the next `erase`; no
other record changes its bytes or its place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.blank import Span, blank_bytes, blank_file
from dolphin_logger.journal.blobs import names_of_blobs, remove_blob
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.lines import cut, open_segment
from dolphin_logger.journal.reader import StoredRecord, line_bytes, segments
from dolphin_logger.journal.seal import unseal_twin, write_sealed
from dolphin_logger.journal.sealed import is_sealed, other_name, segment_name
from dolphin_logger.journal.splice import id_of, value_span, whole_records
from dolphin_logger.journal.splice import is_sealed as is_whole
from dolphin_logger.journal.tombstones import (
    Removals,
    Tombstone,
    content_hash,
    write_erased,
    write_tombstones,
)
from dolphin_logger.journal.versions import Place, original_id

_WORD = re.compile(rb'"([^"\\\s]{1,200})"')
_TARGET = re.compile(rb'"target":\{"record":"([^"\\]+)"')
_VAULT_IDS = re.compile(rb'\{"ids":(\[.*?\]),"kept":')

Progress = Callable[[int], object]  # told how many bytes of text are through


@dataclass(slots=True)
class Erased:
    """What one pass took away; `waiting` names blobs that have to wait for open requests."""

    lines: int = 0
    files: int = 0
    blobs: int = 0
    waiting: set[str] = field(default_factory=set)


def hide(home: Home, records: Sequence[StoredRecord]) -> None:
    """Write the tombstones: from now on no reader gives these records.

    Raises:
        JournalError: it cannot be written.
    """
    write_tombstones(
        home,
        (
            Tombstone(
                record.id,
                content_hash(record.fields),
                tuple(sorted(names_of_blobs(line_bytes(record)))),
            )
            for record in records
        ),
    )


def erase(home: Home, *, progress: Progress) -> Erased:
    """Erase what is hidden and not gone yet. The caller holds the home's upkeep lock.

    Raises:
        JournalError: something cannot be changed; what is hidden stays hidden.
    """
    done = Erased()
    stones = Removals(home).unfinished()
    if not stones:
        return done
    ids = {stone.record for stone in stones}
    calls = _vault_calls(home)
    blobs = {blob for stone in stones for blob in stone.blobs}
    named: set[str] = set()
    for path in segments(home):
        if not is_sealed(path) and other_name(path).exists():
            unseal_twin(path)
        find = _Search(path, ids, blobs=blobs, calls=set(calls))
        spans = list(find.spans(progress))
        named |= find.named
        if spans:
            _blank_calls(calls, find.called)
            _erase_from(path, spans, size=find.size)
            done.files += 1
            done.lines += len(spans)
    _blank_labels(home, ids)
    unnamed = blobs - named
    done.waiting = {blob for blob in unnamed if not remove_blob(home, blob)}
    done.blobs = len(unnamed) - len(done.waiting)
    finished = {stone.record for stone in stones if not done.waiting & set(stone.blobs)}
    if finished:
        write_erased(home, finished)
    return done


class _Search:
    """Looks through one segment: where the text of removed records lies, and what the others name."""

    def __init__(self, path: Path, ids: set[str], *, blobs: set[str], calls: set[bytes]) -> None:
        self._path = path
        self._ids = ids
        self._blobs = blobs
        self._calls = calls
        self.size = 0  # of the text in bytes, as far as it was read
        self.named: set[str] = set()
        self.called: set[bytes] = set()

    def spans(self, progress: Progress) -> Iterator[Span]:
        """Give the places of removed records."""
        file = open_segment(self._path)
        if file is None:
            return
        with file:
            for start, length, line in cut(file, 0):
                progress(length)
                self.size = start + length
                if isinstance(line, str):
                    raise JournalError(f"{self._path}: cannot be searched: {line}")
                yield from self._of_line(line, start)

    def _of_line(self, line: bytes, start: int) -> Iterator[Span]:
        rest = line
        for name, begin, length in _records_of(line, path=self._path, start=start):
            if name in self._ids:
                if self._calls:
                    self.called |= self._calls & _words_answered(line[begin : begin + length])
                rest = blank_bytes(rest, [(begin, length)])
                yield start + begin, length
        if self._blobs:
            self.named |= {blob for blob in self._blobs if blob.encode() in rest}


def _words_answered(record: bytes) -> set[bytes]:
    """Give the short strings of an answer, its calls' ids among them: the history has them of others."""
    span = value_span(record, b"response")
    return set(_WORD.findall(record, *span)) if span else set()


def _records_of(line: bytes, *, path: Path, start: int) -> Iterator[tuple[str | None, int, int]]:
    """Give id, begin and length of each record in a line, and of what blanking left half done."""
    text = line.rstrip(b"\r\n")
    if not text.strip():
        return
    if is_whole(text):
        yield id_of(text), 0, len(text)
        return
    found = False
    for begin, end in whole_records(text):
        found = True
        yield id_of(text[begin:end]), begin, end - begin
    if not found:
        place = Place(segment_name(path), start, 0)
        yield id_of(text) or original_id(place), 0, len(text)


def _erase_from(path: Path, spans: Sequence[Span], *, size: int) -> None:
    if not is_sealed(path):
        blank_file(path, spans)
        return
    try:
        write_sealed(
            path,
            _without(path, spans),
            size=size,
            modified_ns=path.stat().st_mtime_ns,
        )
    except OSError as error:
        raise JournalError(f"{path}: text cannot be erased: {error.strerror}") from error


def _without(path: Path, spans: Sequence[Span]) -> Iterator[bytes]:
    """Read the text of a sealed segment with spaces over parts of it."""
    of_line: defaultdict[int, list[Span]] = defaultdict(list)
    left = sorted(spans)
    file = open_segment(path)
    assert file is not None
    with file:
        for start, length, line in cut(file, 0):
            if isinstance(line, str):
                raise JournalError(f"{path}: text cannot be erased: {line}")
            while left and left[0][0] < start + length:
                begin, size = left.pop(0)
                of_line[start].append((begin - start, size))
            yield blank_bytes(line, of_line.pop(start, ()))


def _vault_calls(home: Home) -> dict[bytes, list[tuple[Path, Span]]]:
    """Say where the vault keeps something of a tool call, by the call's id."""
    calls: defaultdict[bytes, list[tuple[Path, Span]]] = defaultdict(list)
    for path in sorted(home.vault.glob("*.jsonl")):
        for start, line in _lines_of(path):
            head = _VAULT_IDS.match(line)
            keys: list[str] = []
            with suppress(orjson.JSONDecodeError):
                keys = orjson.loads(head[1]) if head else []
            for key in keys:
                call = str(key).rpartition(" ")[2].encode()
                calls[call].append((path, (start, len(line) - 1)))
    return calls


def _blank_calls(calls: dict[bytes, list[tuple[Path, Span]]], called: set[bytes]) -> None:
    of_file: defaultdict[Path, set[Span]] = defaultdict(set)
    for call in called:
        for path, span in calls[call]:
            of_file[path].add(span)
    for path, spans in of_file.items():
        blank_file(path, spans)


def _blank_labels(home: Home, ids: set[str]) -> None:
    """Erase what people said of the records: their notes and edits quote them."""
    for path in sorted(home.labels.glob("*.jsonl")):
        spans = []
        for start, line in _lines_of(path):
            target = _TARGET.search(line)
            if target and target[1].decode("utf-8", "replace") in ids:
                spans.append((start, len(line) - 1))
        if spans:
            blank_file(path, spans)


def _lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give the finished lines of a plain file with their offsets."""
    file = open_segment(path)
    if file is None:
        return
    with file:
        for start, _, line in cut(file, 0):
            if isinstance(line, bytes) and line.endswith(b"\n"):
                yield start, line
