"""Ids as the index keeps them: the 16 bytes of a UUID, whatever else is an id as its text.

Pure. Invariant: `unpack(pack(id)) == id` for every id.
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Final

_OTHER: Final = b"text:"


@lru_cache(maxsize=4096)
def pack(record: str) -> bytes:
    """Give an id in its short form."""
    try:
        identity = uuid.UUID(record)
    except ValueError:
        return _OTHER + record.encode("utf-8", "surrogatepass")
    if str(identity) != record:
        return _OTHER + record.encode("utf-8", "surrogatepass")
    return identity.bytes


@lru_cache(maxsize=4096)
def unpack(identity: bytes) -> str:
    """Give an id as it is written in records."""
    if identity.startswith(_OTHER) or len(identity) != 16:
        return identity.removeprefix(_OTHER).decode("utf-8", "surrogatepass")
    return str(uuid.UUID(bytes=identity))


def number_of(digest: bytes) -> int:
    """Give the number under which a hash is kept: its first 8 bytes."""
    return int.from_bytes(digest[:8], "big", signed=True)
