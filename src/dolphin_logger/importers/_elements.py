"""The elements of a JSON array, one at a time: exports hold years of conversations in one value.

It walks brackets and strings without parsing what it passes over. It knows no export.
Invariant: of a file beyond WHOLE_LIMIT no more is held than one element; what is not an array of
objects gives what can be read of it, and a word on the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dolphin_logger.importers._api import Buffer, Unknown
from dolphin_logger.importers._fields import LINE_LIMIT, parse

WHOLE_LIMIT = 32 * 1024 * 1024  # bytes up to which a file is parsed at once: faster than a walk
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},]', re.DOTALL)


def elements(data: Buffer) -> Iterator[dict[str, Any] | Unknown]:
    """Give the objects of an array; a file that is one object has one."""
    if len(data) <= WHOLE_LIMIT:
        value = parse(data[:])
        if value is None:
            yield Unknown("not JSON")
            return
        for element in value if isinstance(value, list) else [value]:
            yield element if isinstance(element, dict) else Unknown("no object")
        return
    for start, end in _spans(data):
        element = parse(data[start:end]) if end - start <= LINE_LIMIT else None
        if isinstance(element, dict):
            yield element
        else:
            yield Unknown("too long" if end - start > LINE_LIMIT else "no object")


def _spans(data: Buffer) -> Iterator[tuple[int, int]]:
    """Find where the objects inside the outermost array begin and end."""
    depth = start = 0
    for token in _TOKEN.finditer(data):
        mark = data[token.start()]
        if mark in b"{[":
            if depth == 1:
                start = token.start()
            depth += 1
        elif mark in b"}]":
            depth -= 1
            if depth == 1:
                yield start, token.end()
            elif depth <= 0:
                return
