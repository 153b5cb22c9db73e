"""Columns: what many records have in common in few bytes each.

    Table    numbers by hash, in two arrays            Ids      the ids of records, 16 bytes each
    Names    a text once, however often it is used

It knows numbers, hashes and texts, not what they stand for.
Invariants: nothing is ever taken out; a record's number is its place in the order in which it came.
"""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Hashable
from hashlib import blake2b
from typing import Final, Generic, TypeVar

_SHARDS: Final = 64  # grown one at a time, so that no moment needs all of it twice
_SMALLEST: Final = 16
_ID_BYTES: Final = 16
_GROUPS: Final = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))  # of digits in a UUID
_MOST_HELD: Final = 8192
Name = TypeVar("Name", bound=Hashable)


def key_of(digest: bytes) -> int:
    """Give the number under which a hash is kept: its first 8 bytes; never 0."""
    return int.from_bytes(digest[:8], "big") or 1


class Table:
    """Numbers below 2**32 by keys from 1 to 2**64 - 1: open addressing, 12 bytes a slot."""

    def __init__(self) -> None:
        self._keys = [array("Q", bytes(8 * _SMALLEST)) for _ in range(_SHARDS)]
        self._values = [array("I", bytes(4 * _SMALLEST)) for _ in range(_SHARDS)]
        self._used = [0] * _SHARDS

    def __setitem__(self, key: int, value: int) -> None:
        shard = key % _SHARDS
        keys = self._keys[shard]
        slot = _slot(keys, key)
        if not keys[slot]:
            if self._used[shard] * 4 >= len(keys) * 3:
                keys = self._grow(shard)
                slot = _slot(keys, key)
            keys[slot] = key
            self._used[shard] += 1
        self._values[shard][slot] = value

    def get(self, key: int) -> int | None:
        """Give the number of a key."""
        shard = key % _SHARDS
        keys = self._keys[shard]
        slot = _slot(keys, key)
        return self._values[shard][slot] if keys[slot] else None

    def _grow(self, shard: int) -> array[int]:
        old, values = self._keys[shard], self._values[shard]
        keys = array("Q", bytes(16 * len(old)))
        moved = array("I", bytes(8 * len(old)))
        for key, value in zip(old, values, strict=True):
            if key:
                slot = _slot(keys, key)
                keys[slot] = key
                moved[slot] = value
        self._keys[shard], self._values[shard] = keys, moved
        return keys


def _slot(keys: array[int], key: int) -> int:
    """Find where a key lies, or would."""
    mask = len(keys) - 1
    slot = key // _SHARDS & mask
    while (there := keys[slot]) and there != key:
        slot = slot + 1 & mask
    return slot


class Names(Generic[Name]):
    """Numbers for names that come again and again."""

    def __init__(self) -> None:
        self._numbers: dict[Name, int] = {}
        self._names: list[Name] = []

    def number(self, name: Name) -> int:
        """Give a name its number."""
        number = self._numbers.setdefault(name, len(self._names))
        if number == len(self._names):
            self._names.append(name)
        return number

    def __getitem__(self, number: int) -> Name:
        return self._names[number]


class Ids:
    """The ids of records; a record's number is its place. Those that were asked for last are at hand."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._texts: dict[int, str] = {}  # of those that are no UUIDs
        self._table = Table()
        self._beside: dict[str, int] = {}  # whose key is another's too
        self._ids: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._bytes) // _ID_BYTES

    def __getitem__(self, number: int) -> str:
        record = self._ids.get(number)
        if record is None:
            record = self._texts.get(number)
            if record is None:
                start = number * _ID_BYTES
                digits = self._bytes[start : start + _ID_BYTES].hex()
                record = "-".join([digits[at:end] for at, end in _GROUPS])
            self._hold(record, number)
        return record

    def number(self, record: str) -> int | None:
        """Give the number of an id that is there."""
        number = self._numbers.get(record)
        if number is None:
            number = self._table.get(_key_of_id(record))
            if number is not None and self[number] != record:
                number = self._beside.get(record)
            if number is not None:
                self._hold(record, number)
        return number

    def add(self, record: str) -> int:
        """Take a new id; give its number."""
        number = len(self)
        packed = _pack(record)
        if packed is None:
            self._texts[number] = record
        self._bytes += packed or bytes(_ID_BYTES)
        key = _key_of_id(record)
        if self._table.get(key) is None:
            self._table[key] = number
        else:
            self._beside[record] = number
        self._hold(record, number)
        return number

    def _hold(self, record: str, number: int) -> None:
        if len(self._ids) >= _MOST_HELD:
            self._ids.clear()
            self._numbers.clear()
        self._ids[number] = record
        self._numbers[record] = number


def _pack(record: str) -> bytes | None:
    try:
        identity = uuid.UUID(record)
    except ValueError:
        return None
    return identity.bytes if str(identity) == record else None


def _key_of_id(record: str) -> int:
    return key_of(blake2b(record.encode("utf-8", "surrogatepass"), digest_size=8).digest())
