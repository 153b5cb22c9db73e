"""The record format, version 1: one exchange, one line of JSON.

It turns an Exchange into bytes and bytes into a plain dictionary. It does not know files.
Bodies are spliced in as the bytes they arrived in: key order, big integers and escapes survive.
Invariant: a line is valid JSON, holds no raw newline but its last byte, and ends with a CRC-32
(zlib) of all bytes before `,"crc":`.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import orjson

from dolphin_logger.errors import RecordError
from dolphin_logger.exchange import Exchange
from dolphin_logger.journal.splice import is_sealed, without_values

VERSION = 1


def encode(exchange: Exchange, *, seq: int) -> bytes:
    """Write one exchange as one line, newline included; `seq` counts within the writer."""
    parts = [
        b'{"v":1,"id":"%s","seq":%d,"time":"%s","request":'
        % (exchange.id.encode(), seq, format_time(exchange.time_ns).encode()),
        _on_one_line(exchange.request) if exchange.request else b"null",
        b',"response":',
        _on_one_line(exchange.response) if exchange.response else b"null",
        b",",
        _dump(_facts(exchange))[1:-1],
    ]
    if exchange.provider_request is not None:
        parts += (b',"provider_request":', _on_one_line(exchange.provider_request))
        parts += (b',"provider_response":', _on_one_line(exchange.provider_response or b"null"))
        parts += (b',"translation":', _dump(exchange.translation))
    raw = _raw(exchange)
    if raw is not None:
        parts += (b',"raw":', _dump(raw))
    return _seal(b"".join(parts))


def encode_fields(fields: Mapping[str, Any]) -> bytes:
    """Write a small line of our own, newline included, with the same CRC as a record."""
    return _seal(_dump({"v": VERSION, **fields})[:-1])


def _seal(body: bytes) -> bytes:
    return b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def decode(line: bytes) -> dict[str, Any]:
    """Read one line, check its CRC and return its fields.

    A line of the original program has no `v` and no CRC; it comes back as it is. Integers beyond
    64 bits come back as floats; the line itself keeps every digit.

    Raises:
        RecordError: torn, damaged, not an object, or written by a newer version.
    """
    line = line.rstrip(b"\r\n")
    sealed = is_sealed(line)
    fields = _parse_sealed(line) if sealed else _parse(line)
    version = fields.get("v", 0)
    if not isinstance(version, int) or version > VERSION:
        raise RecordError(
            f"record format v {version!r} is newer than this program (v {VERSION}): update dolphin-logger"
        )
    # A flipped bit in `"v":1` must not turn a record into one of the original's lines, which have no CRC.
    if not sealed and ("v" in fields or "crc" in fields):
        raise RecordError(f"CRC of record {fields.get('id')!r} does not match: the line is damaged")
    return fields


def format_time(time_ns: int) -> str:
    """Format UNIX nanoseconds as UTC with microseconds (RFC 3339)."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{_format_second(seconds)}.{rest // 1000:06d}Z"


@lru_cache(maxsize=4)
def _format_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _facts(exchange: Exchange) -> dict[str, Any]:
    """Everything but the bodies, in the order of the format."""
    return {
        "dialect": exchange.dialect,
        "path": exchange.path,
        "stream": exchange.stream,
        "model": exchange.model,
        "provider": exchange.provider,
        "provider_model": exchange.provider_model,
        "provider_request_id": exchange.provider_request_id,
        "status": exchange.status,
        "outcome": exchange.outcome,
        "error": exchange.error,
        "attempts": exchange.attempts,
        "usage": exchange.usage,
        "timing": {"first_byte_ms": exchange.first_byte_ms, "total_ms": exchange.total_ms},
        "client": exchange.client,
        "headers": {"request": exchange.request_headers, "response": exchange.response_headers},
        "policy": exchange.policy(),
        "principal": exchange.principal,
    }


def _raw(exchange: Exchange) -> dict[str, str | None] | None:
    if exchange.raw_request is None and exchange.raw_response is None:
        return None
    return {
        "request": _base64(exchange.raw_request),
        "response": _base64(exchange.raw_response),
    }


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _on_one_line(text: bytes) -> bytes:
    """Replace raw newlines, which JSON allows only between tokens, by spaces."""
    if b"\n" in text:
        text = text.replace(b"\n", b" ")
    if b"\r" in text:
        text = text.replace(b"\r", b" ")
    return text


def _dump(value: Any) -> bytes:
    """Serialise our own fields; client-chosen strings may hold lone surrogates."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, default=_as_plain, separators=(",", ":")).encode()


def _as_plain(value: Any) -> Any:
    return asdict(value)


def _parse_sealed(line: bytes) -> dict[str, Any]:
    """Parse a line known to be whole; a body that no parser here takes is None and named as such."""
    try:
        return _parse(line)
    except RecordError:
        fields = _parse(without_values(line, b"request", b"response"))
        return fields | {"unparsed": True}


def _parse(line: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        fields = _parse_leniently(line)
    if not isinstance(fields, dict):
        raise RecordError(f"not a record: a JSON {type(fields).__name__}, not an object")
    return fields


def _parse_leniently(line: bytes) -> Any:
    """Parse what orjson refuses although JSON allows it: lone surrogates, more than 1,024 levels."""
    try:
        return json.loads(line, parse_int=_as_number)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON, torn or damaged: {error}") from error


def _as_number(digits: str) -> int | float:
    """Read an integer; one beyond Python's limit of digits becomes a float, as orjson does."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)
