"""Rows as bytes: one JSON text on one line, whatever was said.

It knows JSON and UTF-8, nothing else. Invariants: the same row gives the same bytes; what JSON or
UTF-8 cannot carry (lone surrogates, NaN) is replaced, so that every line can be read by everybody.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

_LONE: Final = re.compile("[\ud800-\udfff]")
_SEPARATORS: Final = (  # which readers that cut text into lines (`str.splitlines`) take for ends
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
    ("\x85".encode(), rb"\u0085"),
)


def encode_row(row: Any) -> bytes:
    """Write a value as a line, its end included."""
    try:
        line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, or a whole number beyond 64 bits
        text = json.dumps(_writable(row), ensure_ascii=False, separators=(",", ":"))
        line = text.encode() + b"\n"
    if b"\xe2\x80" in line or b"\xc2\x85" in line:
        for separator, escape in _SEPARATORS:
            line = line.replace(separator, escape)
    return line


def decode_row(line: bytes) -> Any:
    """Read a line; whole numbers of any length stay what they are."""
    return json.loads(line) if _has_long_number(line) else orjson.loads(line)


def read_lines(path: Path, *, form: str | None = None) -> Iterator[tuple[bytes, Any]]:
    """Give the rows of a file, JSON lines or Parquet, each as a line and as values.

    `form` says which of the two; without it the ending of the name does.
    """
    if (form or path.suffix[1:]) == "parquet":
        from dolphin_logger.curate.tables import table_rows  # noqa: PLC0415 -- an extra

        for row in table_rows(path):
            yield encode_row(row), row
        return
    with path.open("rb") as file:
        for line in file:
            yield line, decode_row(line)


def _has_long_number(line: bytes) -> bool:
    return re.search(rb"[:\[,]-?\d{19}", line) is not None


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_LONE.sub("\ufffd", str(key)): _writable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
