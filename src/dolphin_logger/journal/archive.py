"""The archive: untouched copies of other programs' session files.

    archive/<source>/<sha256>.zst     the bytes, compressed; the hash is that of the bytes themselves
    archive/<source>/<sha256>.json    where they lay and when: {"files", "bytes", "modified"}

A file that has grown replaces its earlier copy; one that was rewritten replaces the copy of the same
day, so that at most one version a day stays. It knows bytes, not sessions.
Invariants: a copy is complete when it has its name; the copy that is replaced goes afterwards; what
vanishes at its source stays here.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import zstandard

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home, make_private_folder, open_private_file

_CHUNK = 1024 * 1024
_LEVEL = 3
_DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Copy:
    """One archived version of a file: the hash and number of its bytes, and when it was archived."""

    sha256: str
    size: int
    time_ns: int


class Archive:
    """The archive of one home."""

    def __init__(self, home: Home) -> None:
        self._root = home.archive

    def keep(
        self, file: IO[bytes], *, source: str, origin: str, modified_ns: int, earlier: Copy | None
    ) -> Copy:
        """Copy an open file, from its begin to its end; `earlier` is the last copy of the same origin.

        Raises:
            JournalError: the copy cannot be written.
        """
        folder = self._root / source
        make_private_folder(folder)
        part = folder / f".{uuid.uuid4()}.part"
        try:
            copy, grown = _compress(file, part, earlier=earlier)
            kept = folder / f"{copy.sha256}.zst"
            self._describe(kept, copy, origin=origin, modified_ns=modified_ns)
            if not kept.exists():
                part.replace(kept)
            if earlier is not None and earlier.sha256 != copy.sha256:
                day, today = earlier.time_ns // _DAY_NS, copy.time_ns // _DAY_NS
                if grown or day == today:
                    self._let_go(folder / f"{earlier.sha256}.zst", origin)
        except OSError as error:
            raise JournalError(f"{folder}: cannot be written: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
        return copy

    def latest(self, source: str, origin: str) -> bytes | None:
        """Give the bytes that a file had when it was archived last; None where there is no copy.

        `origin` is the name that it was kept under.
        """
        found = []
        for described in sorted((self._root / source).glob("*.json")):
            facts = _facts(described)
            if origin in facts.get("files", ()):
                found.append((str(facts.get("modified")), described.with_suffix(".zst")))
        for _, kept in sorted(found, reverse=True):
            try:
                with kept.open("rb") as file:
                    return zstandard.ZstdDecompressor().stream_reader(file).read()
            except (OSError, zstandard.ZstdError):
                continue
        return None

    def _describe(self, kept: Path, copy: Copy, *, origin: str, modified_ns: int) -> None:
        """Note where the bytes lay; the same bytes may have lain in several places."""
        files = set(_facts(kept).get("files", ())) | {origin}
        facts = {"files": sorted(files), "bytes": copy.size, "modified": format_time(modified_ns)}
        _write(kept.with_suffix(".json"), json.dumps(facts).encode() + b"\n")

    def _let_go(self, old: Path, origin: str) -> None:
        """Remove a copy that the new one makes needless, unless it is also that of another file."""
        facts = _facts(old)
        others = [name for name in facts.get("files", ()) if name != origin]
        if others:
            _write(old.with_suffix(".json"), json.dumps(facts | {"files": others}).encode() + b"\n")
            return
        old.unlink(missing_ok=True)
        old.with_suffix(".json").unlink(missing_ok=True)


def _facts(kept: Path) -> dict[str, Any]:
    """Read what is noted of a copy."""
    try:
        facts = json.loads(kept.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _compress(file: IO[bytes], part: Path, *, earlier: Copy | None) -> tuple[Copy, bool]:
    """Compress a file; say too whether it begins with all that `earlier` holds."""
    digest, size, grown = hashlib.sha256(), 0, False
    file.seek(0)
    with os.fdopen(open_private_file(part), "wb") as target:
        with zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).stream_writer(
            target, closefd=False
        ) as compressor:
            while chunk := file.read(_CHUNK):
                if earlier is not None and size <= earlier.size < size + len(chunk):
                    head = digest.copy()
                    head.update(chunk[: earlier.size - size])
                    grown = head.hexdigest() == earlier.sha256
                digest.update(chunk)
                size += len(chunk)
                compressor.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return Copy(digest.hexdigest(), size, time.time_ns()), grown


def _write(path: Path, data: bytes) -> None:
    """Write a small file, whole or not at all."""
    part = path.with_name(f".{uuid.uuid4()}.part")
    try:
        with os.fdopen(open_private_file(part), "wb") as file:
            file.write(data)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
