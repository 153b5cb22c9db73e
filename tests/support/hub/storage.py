"""Large files: LFS objects by their SHA-256, and Xet's content-addressed store on the local disk.

The Hub hands a Xet client the address of its store; `local://` and a folder is the one that the client
itself can serve without a network. What a shard file says of a file is read here (SHA-256 → Xet hash).
Source of the layout: the public description of Xet's shard format.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

_ENTRY = 48
_BOOKEND = b"\xff" * 32
_WITH_VERIFICATION, _WITH_METADATA = 1 << 31, 1 << 30


class Storage:
    """What was uploaded. `folder` lies on the disk, so that Xet's client may use it."""

    def __init__(self, folder: Path) -> None:
        self.cas = folder / "cas"
        self.cas.mkdir(parents=True)
        self._objects: dict[str, bytes] = {}
        self.parts: dict[tuple[str, int], bytes] = {}

    def put(self, sha256: str, data: bytes) -> bool:
        """Keep an object; False when its bytes are not what its name says."""
        if hashlib.sha256(data).hexdigest() != sha256:
            return False
        self._objects[sha256] = data
        return True

    def join(self, sha256: str) -> bool:
        """Put the parts of an object together."""
        numbers = sorted(number for name, number in self.parts if name == sha256)
        return self.put(sha256, b"".join(self.parts[sha256, number] for number in numbers))

    def get(self, sha256: str) -> bytes | None:
        return self._objects.get(sha256)

    def has(self, sha256: str, size: int | None = None) -> bool:
        data = self._objects.get(sha256)
        if data is not None:
            return size is None or len(data) == size
        return sha256 in self.xet_hashes()

    def xet_hashes(self) -> dict[str, str]:
        """Read from all shards which SHA-256 is which Xet hash."""
        found: dict[str, str] = {}
        for path in self.cas.rglob("*.mdb"):
            found |= dict(read_shard(path.read_bytes()))
        return found


def read_shard(data: bytes) -> list[tuple[str, str]]:
    """Give (SHA-256, Xet hash) of the files that a shard describes."""
    found = []
    at = _ENTRY
    while data[at : at + 32] != _BOOKEND:
        name = data[at : at + 32]
        flags, entries = struct.unpack_from("<II", data, at + 32)
        at += _ENTRY * (1 + entries + (entries if flags & _WITH_VERIFICATION else 0))
        if flags & _WITH_METADATA:
            found.append((_words(data[at : at + 32]), _words(name)))
            at += _ENTRY
    return found


def _words(data: bytes) -> str:
    """Write a hash as Xet does: four little-endian words of 64 bits."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", data))
