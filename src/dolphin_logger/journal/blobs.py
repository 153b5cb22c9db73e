"""Blobs: bodies too large for a line, one file each, named by their sha256.

It knows bytes and folders, not records. Invariant: a blob is complete and has its final name
before any line that refers to it is written; the same bytes are stored once.
"""

from __future__ import annotations

import builtins
import hashlib
import os
import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.home import Home, make_private_folder, open_private_file
from dolphin_logger.journal.locks import is_open

_REFERENCE = re.compile(rb'"blob":\{"sha256":"([0-9a-f]{64})"')
_YOUNG = 3600.0  # seconds; writing the same bytes again makes a blob young
LIMIT = 8 * 1024 * 1024  # bytes; a body above this goes to a blob


@dataclass(frozen=True, slots=True)
class BlobRef:
    """What a record keeps of a blob; `type` is a media type."""

    sha256: str
    bytes: int
    type: str

    def to_json(self) -> builtins.bytes:
        """Write the reference as the record holds it."""
        return b'{"blob":{"sha256":"%s","bytes":%d,"type":"%s"}}' % (
            self.sha256.encode(),
            self.bytes,
            "".join(c for c in self.type if c.isalnum() or c in "/-+.").encode(),
        )


class BlobWriter:
    """Takes a body piece by piece; nothing is visible before `commit`."""

    def __init__(self, folder: Path) -> None:
        try:
            make_private_folder(folder)
        except JournalError as error:
            raise OSError(str(error)) from error
        self._folder = folder
        self._part = folder / f".{uuid.uuid4()}.part"
        self._descriptor = open_private_file(self._part)
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: the disk is full or gone.
        """
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self._digest.update(data)
        self.size += len(data)

    def commit(self, *, media_type: str) -> BlobRef:
        """Give the blob its name; a blob of the same bytes is kept as it is."""
        try:
            os.fsync(self._descriptor)
        except OSError:
            self.discard()
            raise
        self._close()
        name = self._digest.hexdigest()
        self._part.replace(self._folder / name)
        return BlobRef(sha256=name, bytes=self.size, type=media_type)

    def read(self) -> bytes:
        """Return what was written so far."""
        return self._part.read_bytes()

    def discard(self) -> None:
        """Forget what was written; may be called again."""
        self._close()
        self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def names_of_blobs(line: bytes) -> set[str]:
    """Give the blobs that a record's line refers to."""
    return {name.decode() for name in _REFERENCE.findall(line)}


def remove_blob(home: Home, name: str) -> bool:
    """Remove a blob that no record names; False when an open request may be about to name it.

    Raises:
        JournalError: it cannot be removed.
    """
    path = home.blobs / name
    try:
        age = time.time() - path.stat().st_mtime
        if age < _YOUNG and any(map(is_open, home.logs.glob("*.jsonl"))):
            return False
        path.unlink()
    except FileNotFoundError:
        return True
    except OSError as error:
        raise JournalError(f"{path}: cannot be removed: {error.strerror}") from error
    return True
