"""A piece made ready for exporters: pictures lifted out, seals gone, and nothing that cannot be stored.

It knows pieces and no shape. Invariants: pure; the piece that comes in is not changed; what comes out
is JSON that orjson writes and `datasets` reads (no half characters, no numbers that are none or too
long, not nested too deep); the same piece gives the same files.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from dolphin_logger.example import (
    Chat,
    Example,
    Exchanged,
    Json,
    Pair,
    Piece,
    Session,
    Step,
    picture_type,
    unsealed,
)
from dolphin_logger.exporters._api import Options, UnfitError

_DEEPEST: Final = 240  # orjson writes 254 levels, and a row adds a few of its own
_MOST_BITS: Final = 63  # one number of more, and `datasets` refuses the whole file
_DATA_URL: Final = re.compile(r"data:([^,;]*)(?:;[^,;]*)*?(;base64)?,", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
# keys of OpenAI and of Codex; Anthropic's stands in `metadata`
_WHO_ASKS: Final = frozenset(("user", "safety_identifier", "client_metadata"))
_EXTENSIONS: Final[Mapping[str, str]] = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/avif": "avif",
    "image/heic": "heic",
}


def prepare(piece: Piece, options: Options) -> tuple[Piece, dict[str, bytes]]:
    """Make a piece ready, and give the files of its pictures by their path in the dataset.

    Bodies as they were recorded (an exchange's, the client's own lines of a session) keep their
    pictures where they are; `drop` empties those that are data. An exchange loses the fields that only
    name who asked. Half characters become U+FFFD.

    Raises:
        UnfitError: it holds what cannot be stored.
    """
    files: dict[str, bytes] = {}
    ready: Piece = _settled(piece, 0)
    match ready:
        case Exchanged():
            asked = replace(ready, request=_without_asker(ready.request))
            ready = _recorded(asked, ("request", "response"), options)
        case Session():
            steps = [_lifted(step, ("messages", "answers"), options, files) for step in ready.steps]
            ready = replace(_recorded(ready, ("native",), options), steps=steps)
        case Pair():
            ready = _lifted(ready, ("prompt", "chosen", "rejected"), options, files)
        case Example():
            ready = _lifted(ready, ("messages",), options, files)
    return ready, files


def _settled(value: Any, depth: int) -> Any:
    """Give a value with only what can be written."""
    if isinstance(value, str):
        return value if value.isascii() else _whole(value)
    if depth > _DEEPEST:
        raise UnfitError("is nested too deep")
    if isinstance(value, dict):
        made = {}
        for key, inner in value.items():
            made[_settled(key, depth)] = _settled(inner, depth + 1)
        return made
    if isinstance(value, list | tuple):
        listed = []
        for inner in value:
            listed.append(_settled(inner, depth + 1))  # noqa: PERF401 - a comprehension is a second frame
        return listed
    if isinstance(value, float) and not math.isfinite(value):
        raise UnfitError("has a number that JSON has no word for")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise UnfitError("has a number that `datasets` cannot read")
    if isinstance(value, Piece | Step):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return replace(value, **{name: _settled(inner, 0) for name, inner in held.items()})
    return value


def _whole(text: str) -> str:
    """Put a replacement character where half of one stands."""
    try:
        text.encode()
    except UnicodeEncodeError:
        # pairs of halves are one character; only those that stand alone are replaced
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _recorded(piece: Any, names: tuple[str, ...], options: Options) -> Any:
    """Take the seals off bodies as they were recorded, and pictures where none are wanted."""
    made = {name: unsealed(getattr(piece, name)) for name in names}
    if options.images == "drop":
        made = {name: _emptied(body) for name, body in made.items()}
    return replace(piece, **made)


def _without_asker(request: Json) -> Json:
    """Give a request without the ids of the account, the machine and the person that it came from."""
    if not isinstance(request, dict):
        return request
    kept = {key: value for key, value in request.items() if key not in _WHO_ASKS}
    metadata = kept.get("metadata")
    if isinstance(metadata, dict) and "user_id" in metadata:
        kept["metadata"] = {key: value for key, value in metadata.items() if key != "user_id"}
    return kept


def _emptied(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _emptied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_emptied(inner) for inner in value]
    if isinstance(value, str) and (
        value[:11].lower() == "data:image/" or (picture_type(value) and _BASE64.fullmatch(value))
    ):
        return ""
    return value


def _lifted(holder: Any, names: tuple[str, ...], options: Options, files: dict[str, bytes]) -> Any:
    """Give a piece, or a step, whose lists of chats have their pictures as the options say."""
    if options.images == "embedded":
        return holder
    lift = _drop if options.images == "drop" else partial(_refer, files=files)
    made = {name: [_relit(chat, lift) for chat in getattr(holder, name)] for name in names}
    return replace(holder, **made)


def _relit(chat: Chat, lift: Callable[[Json], Json | None]) -> Chat:
    if isinstance(chat["content"], str):
        return chat
    lifted = [lift(part) if part["type"] == "image" else part for part in chat["content"]]
    parts = [part for part in lifted if part is not None]
    if all(part["type"] == "text" for part in parts):
        return {**chat, "content": "\n".join(part["text"] for part in parts)}
    return {**chat, "content": parts}


def _drop(part: Json) -> None:
    return None


def _refer(part: Json, *, files: dict[str, bytes]) -> Json:
    """Put a picture that is data into a file; what cannot be decoded stays as it is."""
    found = _decode(part["image"])
    if found is None:
        return part
    kind, data = found
    path = f"images/{hashlib.sha256(data).hexdigest()}.{_EXTENSIONS.get(kind, 'bin')}"
    files[path] = data
    return {**part, "image": path}


def _decode(address: str) -> tuple[str, bytes] | None:
    """Read a data: address (RFC 2397): the type that its bytes show, else the one it says, and its bytes."""
    head = _DATA_URL.match(address)
    if head is None:
        return None
    body = address[head.end() :]
    try:
        if head[2] is None:
            data = unquote_to_bytes(body)
        else:
            data = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    shown = picture_type(base64.b64encode(data[:12]).decode())
    return (shown or head[1].lower(), data) if data else None
