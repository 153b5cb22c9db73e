"""Splice: where a value, or a whole record, lies inside the bytes of a line.

It walks brackets and strings without parsing, so it takes any depth, any number and any escape,
and gives back the bytes that were spliced in. It does not know what the values mean.
Invariant: never raises on a line that is JSON; on one that is not it finds nothing or less.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},]', re.DOTALL)
_SPACE = b" \t\r\n"
_HEAD = b'{"v":'
_ID = re.compile(rb'\{"v":\d+,"id":"([^"\\]+)"')
_SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"\}')
_SEAL_LENGTH = len(',"crc":"00000000"}')
_TRIES = 100  # a damaged line may be hostile: bound the work spent on it


def value_span(line: bytes, key: bytes) -> tuple[int, int] | None:
    """Find the value of a top-level key; return where it starts and ends, or None."""
    position = line.find(b"{") + 1
    while position:
        name = _STRING.match(line, _skip_space(line, position))
        if name is None:
            return None
        colon = _skip_space(line, name.end())
        if line[colon : colon + 1] != b":":
            return None
        start = _skip_space(line, colon + 1)
        end, last = _value_end(line, start)
        if name.group() == b'"%s"' % key:
            return start, start + len(line[start:end].rstrip(_SPACE))
        if last:
            return None
        position = end + 1
    return None


def without_values(line: bytes, *keys: bytes) -> bytes:
    """Write null in the place of some top-level values."""
    for key in keys:
        span = value_span(line, key)
        if span is not None:
            line = line[: span[0]] + b"null" + line[span[1] :]
    return line


def is_sealed(line: bytes) -> bool:
    """Say whether the line ends with the CRC of its bytes."""
    seal = _SEAL.fullmatch(line, max(0, len(line) - _SEAL_LENGTH))
    return seal is not None and int(seal.group(1), 16) == zlib.crc32(line[: seal.start()])


def id_of(line: bytes) -> str | None:
    """Read the id at the head of a line of ours without parsing it; None for every other line."""
    head = _ID.match(line)
    return head[1].decode("utf-8", "replace") if head else None


def whole_records(line: bytes) -> Iterator[tuple[int, int]]:
    """Find records with a good CRC inside a damaged line: two that a lost newline joined, say."""
    tries = 0
    position = 0
    for seal in _SEAL.finditer(line):
        start = line.find(_HEAD, position, seal.start())
        while start >= 0 and tries < _TRIES:
            tries += 1
            if zlib.crc32(line[start : seal.start()]) == int(seal.group(1), 16):
                yield start, seal.end()
                position = seal.end()
                break
            start = line.find(_HEAD, start + 1, seal.start())


def _value_end(line: bytes, start: int) -> tuple[int, bool]:
    """Find the comma or brace after a value; say whether it was the object's last."""
    depth = 0
    for token in _TOKEN.finditer(line, start):
        mark = line[token.start()]
        if mark in b"{[":
            depth += 1
        elif mark in b"}]":
            if not depth:
                return token.start(), True
            depth -= 1
        elif mark == 0x2C and not depth:
            return token.start(), False
    return len(line), True


def _skip_space(line: bytes, position: int) -> int:
    while line[position : position + 1] in (b" ", b"\t", b"\r", b"\n"):
        position += 1
    return position
