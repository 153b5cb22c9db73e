"""Sealing: a closed segment becomes `X.jsonl.zst` with `X.manifest.json`, and its text file goes.

It knows lines and frames, not what records mean. Each step leaves a home that reads the same:
until the last one the text file is there and counts, and it goes only when the sealed one has been
read back, line by line.
Invariants: the text, damaged lines included, and with it every offset, stays as it is; a segment
that a living process writes is left alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home, open_private_file, sync_folder
from dolphin_logger.journal.lines import cut
from dolphin_logger.journal.locks import try_lock
from dolphin_logger.journal.sealed import (
    SUFFIX,
    WINDOW_LOG,
    SealedText,
    other_name,
    segment_name,
)
from dolphin_logger.journal.splice import id_of, is_sealed

AGE = 24 * 3600.0  # seconds without a new record, after which a closed segment is sealed
_LEVEL = 16  # what is new in a segment is little, and is worth the time; the rest costs the same at every level
_SHORTEST_MATCH = (
    256  # bytes; a turn repeats thousands, and shorter matches cost more than they save
)
_PIECE = 1024 * 1024
_OURS = re.compile(r"\d{4}-\d\d-\d\d_[0-9a-f-]{36}\.jsonl")
_MANIFEST = ".manifest.json"

Progress = Callable[[int], object]  # told how many bytes of text are through


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a sealed segment holds; `bytes` and `sha256` are those of its text."""

    segment: str
    bytes: int
    sha256: str
    sealed_bytes: int
    records: int
    bad_lines: int
    first_id: str | None
    last_id: str | None


def manifest_path(segment: Path) -> Path:
    """Say where the manifest of a segment lies."""
    return segment.with_name(segment_name(segment).removesuffix(".jsonl") + _MANIFEST)


def sealable(home: Home, *, age: float) -> list[Path]:
    """List the segments of ours that nobody has written to for some seconds, oldest first.

    Files of the original program are never among them: it may still append to them.
    """
    newest = time.time() - age
    found = []
    for path in home.logs.glob("*.jsonl"):
        try:
            modified = path.stat().st_mtime
        except FileNotFoundError:
            continue
        if _OURS.fullmatch(path.name) and modified <= newest:
            found.append((modified, path))
    return [path for _, path in sorted(found)]


def seal_segment(path: Path, *, progress: Progress) -> Manifest | None:
    """Seal one segment; None when it is open, or gone.

    Raises:
        JournalError: the disk is full, or what was read back is not what was written.
    """
    try:
        with path.open("rb") as file:
            if not try_lock(file.fileno()):
                return None
            status = os.fstat(file.fileno())
            manifest = write_sealed(
                path,
                _read_pieces(file, progress),
                size=status.st_size,
                modified_ns=status.st_mtime_ns,
            )
            if os.fstat(file.fileno()).st_size != status.st_size:
                return None  # somebody who takes no locks writes it: the next pass sees to it
            path.unlink()
            sync_folder(path.parent)
            return manifest
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"{path}: cannot be sealed: {error.strerror}") from error


def write_sealed(
    segment: Path, pieces: Iterable[bytes], *, size: int, modified_ns: int
) -> Manifest:
    """Write the sealed file and the manifest of a segment, in the place of those that are there.

    Raises:
        JournalError: it does not read back as it was given; nothing was replaced.
        OSError: the disk is full.
    """
    name = segment_name(segment)
    part = segment.with_name(f".{name}{SUFFIX}.part")
    part.unlink(missing_ok=True)
    try:
        digest = _compress(pieces, part, size=size)
        manifest = _read_back(part, name=name)
        if manifest.sha256 != digest or manifest.bytes != size:
            raise JournalError(f"{segment}: did not read back as it was written; it stays unsealed")
        os.utime(part, ns=(modified_ns, modified_ns))
        # before the file itself: whoever finds the two at odds has the text file, or a removal to finish
        _write_manifest(manifest_path(segment), manifest)
        part.replace(segment.with_name(name + SUFFIX))
    finally:
        part.unlink(missing_ok=True)
    sync_folder(segment.parent)
    return manifest


def remove_parts(home: Home) -> None:
    """Remove what a process that was killed left half-written."""
    for part in home.logs.glob(".*.part"):
        part.unlink(missing_ok=True)


def _read_pieces(file: BinaryIO, progress: Progress) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
        progress(len(piece))


def _compress(pieces: Iterable[bytes], part: Path, *, size: int) -> str:
    """Write one frame and make it durable; return the hash of the text."""
    digest = hashlib.sha256()
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=WINDOW_LOG, enable_ldm=True, ldm_min_match=_SHORTEST_MATCH
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    try:
        with os.fdopen(open_private_file(part), "wb") as file:
            with compressor.stream_writer(file, size=size, closefd=False) as frame:
                for piece in pieces:
                    digest.update(piece)
                    frame.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except zstandard.ZstdError as error:
        raise JournalError(f"{part}: cannot be compressed: {error}") from error
    return digest.hexdigest()


def _read_back(part: Path, *, name: str) -> Manifest:
    """Read every line of a sealed file and describe it."""
    digest = hashlib.sha256()
    records = bad = 0
    first = last = None
    with io.BufferedReader(SealedText(part), _PIECE) as file:
        for _, _, line in cut(file, 0):
            if isinstance(line, str):
                raise JournalError(f"{part}: {line}")
            digest.update(line)
            if is_sealed(line.rstrip(b"\n")):
                records += 1
                last = id_of(line)
                first = first or last
            elif line.strip():
                bad += 1
        size = file.tell()
    return Manifest(name, size, digest.hexdigest(), part.stat().st_size, records, bad, first, last)


def _write_manifest(path: Path, manifest: Manifest) -> None:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    fields = {"v": 1, "sealed": format_time(time.time_ns()), **asdict(manifest)}
    with os.fdopen(open_private_file(part), "w") as file:
        json.dump(fields, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def unseal_twin(path: Path) -> None:
    """Of a segment whose sealing was interrupted keep the text file alone: it is whole while it is there."""
    other_name(path).unlink(missing_ok=True)
    manifest_path(path).unlink(missing_ok=True)
