"""Absence: a quick no to most questions for what is not in a table, while an index is made from nothing.

To ask SQLite for a key that is not there costs as much as to ask for one that is, and most keys of new
text are new. A bit per key (a Bloom filter of one hash) answers most of that.
Invariant: a key that was added is never called absent.
"""

from __future__ import annotations

from typing import Final

_BITS: Final = 26  # 64 Mi keys, 8 MiB
_MASK: Final = (1 << _BITS) - 1


class Absence:
    """Knows some keys not to be there; of a table that was not empty at first it knows nothing."""

    def __init__(self, *, from_nothing: bool) -> None:
        self._bits = bytearray(1 << (_BITS - 3)) if from_nothing else None

    def add(self, key: int) -> None:
        """Take note of a key that is there from now on."""
        if self._bits is not None:
            bit = key & _MASK
            self._bits[bit >> 3] |= 1 << (bit & 7)

    def is_sure(self, key: int) -> bool:
        """Say whether a key is certainly not there."""
        if self._bits is None:
            return False
        bit = key & _MASK
        return not self._bits[bit >> 3] >> (bit & 7) & 1
