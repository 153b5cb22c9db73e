"""A request's body: its content coding, its JSON, and the place of its model.

Pure functions over bytes. The body goes on as received; only the bytes of the top-level `model`
value are replaced. Invariant: a body that is refused here is refused with 4xx and a cure.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import brotli
import orjson
import zstandard

from dolphin_logger.errors import RequestError

JSON_BYTES = 64 * 1024 * 1024
_RATIO = 1000
_RATIO_FREE_BYTES = 1024 * 1024
_STEP = 64 * 1024
_ZSTD_STEP = 512  # bytes in; at most 16 MiB out
_MEMBERS = 10_000
_KEY = b'"model"'
# Possessive: with backtracking a string of 10 MB (an image) costs seconds and a gigabyte.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKEN = re.compile(_STRING + rb"|[{}\[\],:]", re.DOTALL)
_VALUE = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*(" + _STRING + rb")", re.DOTALL)


def decode_content(body: bytes, *, coding: bytes | None) -> bytes:
    """Undo the Content-Encoding of a request, bounded in output and ratio.

    Raises:
        RequestError: 415 unknown coding, 400 corrupt, 413 larger than `JSON_BYTES`.
    """
    name = (coding or b"").strip().lower()
    if name in (b"", b"identity"):
        return body
    limit = min(JSON_BYTES, max(_RATIO_FREE_BYTES, len(body) * _RATIO))
    try:
        if name in (b"gzip", b"x-gzip"):
            return _inflate(body, limit=limit, wbits=31)
        if name == b"deflate":
            return _inflate(body, limit=limit, wbits=15)
        if name == b"br":
            return _unbrotli(body, limit=limit)
        if name == b"zstd":
            return _unzstd(body, limit=limit)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise RequestError(
            f"the {name.decode()} request body is corrupt: {error}", status=400, kind="bad_encoding"
        ) from error
    shown = ascii(name[:60].decode("latin-1"))
    raise RequestError(
        f"Content-Encoding {shown} is not understood; send identity, gzip, deflate, br or zstd",
        status=415,
        kind="bad_encoding",
    )


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a request body that must be a JSON object.

    Raises:
        RequestError: 400, saying what is wrong and where.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        value = _parse_leniently(body, error)
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", type(None): "null"}.get(
            type(value), "a number or boolean"
        )
        raise RequestError(
            f"the request body must be a JSON object; it is {kind}", status=400, kind="bad_json"
        )
    return value


def parse_json(text: bytes) -> Any:
    """Parse one JSON text by the grammar of RFC 8259.

    Raises:
        ValueError: it is none, or nested beyond what can be read.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text.decode(), parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def replace_model(body: bytes, *, name: str) -> bytes:
    """Put another model name in the place of the top-level `model` value, byte for byte else.

    Args:
        body: a JSON object that has a top-level `model` string.
        name: the name to send.

    Raises:
        RequestError: 400 when there are two top-level `model` keys: which one the provider takes is
            anybody's guess.
    """
    start, end = _find_model(body)
    return b"%s%s%s" % (body[:start], orjson.dumps(name), body[end:])


def replace_references(body: bytes, *, old: str, new: str) -> bytes:
    """Put another name into each `"model": "models/NAME"`, which Gemini's embeddings and counts hold."""
    name = re.escape(orjson.dumps(f"models/{old}")[1:])
    value = orjson.dumps(f"models/{new}")[1:]
    return re.sub(rb'("model"[ \t\r\n]*:[ \t\r\n]*")' + name, lambda m: m[1] + value, body)


def check_model_once(body: bytes) -> None:
    """Refuse a body with two top-level `model` keys.

    Raises:
        RequestError: 400.
    """
    if body.count(_KEY) != 1 or rb"\u" in body:
        _find_model(body)


def _find_model(body: bytes) -> tuple[int, int]:
    r"""Return the span of the top-level model value.

    One occurrence of `"model"` and no `\u` escape that could spell it otherwise: that is it.
    """
    if body.count(_KEY) == 1 and rb"\u" not in body:
        found = _VALUE.match(body, body.index(_KEY) + len(_KEY))
        if found is not None:
            return found.span(1)
    return _walk_to_model(body)


def _walk_to_model(body: bytes) -> tuple[int, int]:
    """Walk the tokens of a valid JSON object, looking at the keys of its top level only."""
    depth = 0
    expect_key = False
    spans: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"{[":
            depth += 1
            expect_key = depth == 1
        elif first in b"}]":
            depth -= 1
        elif depth != 1:
            continue
        elif first == 0x2C:  # comma
            expect_key = True
        elif first == 0x22 and expect_key:
            expect_key = False
            if json.loads(token.group()) == "model":
                value = _VALUE.match(body, token.end())
                spans.append(value.span(1) if value else (0, 0))
    if len(spans) == 1 and spans[0][1]:
        return spans[0]
    raise RequestError(
        "the request body names `model` more than once; send it once",
        status=400,
        kind="bad_json",
        param="model",
    )


def _parse_leniently(body: bytes, error: orjson.JSONDecodeError) -> Any:
    """Accept what the grammar allows and orjson refuses: lone surrogate escapes, long numbers."""
    if not body.strip():
        raise RequestError(
            "the request body is empty; send a JSON object", status=400, kind="bad_json"
        )
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        message = "the request body is nested too deeply"
    except UnicodeDecodeError as unicode_error:
        message = f"the request body is not UTF-8: byte {unicode_error.start} is {body[unicode_error.start]:#04x}"
    except ValueError as value_error:
        detail = value_error if isinstance(value_error, json.JSONDecodeError) else error
        message = f"could not parse the JSON body: {detail}"
    raise RequestError(message, status=400, kind="bad_json")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _too_large() -> RequestError:
    return RequestError(
        "the request body decompresses to more than is accepted (64 MiB, or 1,000 times its size)",
        status=413,
        kind="too_large",
    )


def _inflate(body: bytes, *, limit: int, wbits: int) -> bytes:
    """Undo deflate, or gzip, whose members may follow each other (RFC 1952, section 2.2)."""
    rest = memoryview(body)
    out = bytearray()
    stream = zlib.decompressobj(wbits)
    members = 1
    while rest:
        if stream.eof:
            stream = zlib.decompressobj(wbits)
            members += 1
        piece = rest[:_STEP]
        out += stream.decompress(piece, limit + 1 - len(out))
        if len(out) > limit or members > _MEMBERS:
            raise _too_large()
        rest = rest[len(piece) - len(stream.unused_data) :]
    if not stream.eof:
        raise zlib.error("the stream is not complete")
    return bytes(out)


def _unbrotli(body: bytes, *, limit: int) -> bytes:
    stream = brotli.Decompressor()
    out = bytearray(stream.process(body, output_buffer_limit=_STEP))
    while not stream.is_finished():
        more = stream.process(b"", output_buffer_limit=_STEP)
        if not more and stream.can_accept_more_data():
            raise brotli.error("the stream is not complete")
        out += more
        if len(out) > limit:
            raise _too_large()
    return bytes(out)


def _unzstd(body: bytes, *, limit: int) -> bytes:
    """Feed little at a time: nothing here bounds the output, or believes a frame's declared size."""
    rest = memoryview(body)
    out = bytearray()
    decompressor = zstandard.ZstdDecompressor(max_window_size=2**27)
    stream = decompressor.decompressobj()
    while rest:
        if stream.eof:
            stream = decompressor.decompressobj()
        piece = rest[:_ZSTD_STEP]
        out += stream.decompress(piece)
        if len(out) > limit:
            raise _too_large()
        rest = rest[len(piece) - len(stream.unused_data) :]
    if not stream.eof:
        raise zstandard.ZstdError("the stream is not complete")
    return bytes(out)
