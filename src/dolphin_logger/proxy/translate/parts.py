"""The parts of a message's content, in whatever language: each told apart by its `type`.

It knows how a content is read, and not what its parts say. Invariant: each part gets to the one who
knows its type, or the request is refused; what nobody takes of it is named as dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

from dolphin_logger.proxy.translate.losses import Losses, refusal

Part = dict[str, Any]
Given = Mapping[str, Any]
_Way = TypeVar("_Way")


def read_parts(content: Any, *, at: str) -> Iterator[tuple[Given, Any, str]]:
    """Go through a content: each part with its type and its place; a text alone is a part, too.

    Raises:
        RequestError: 400, this is neither a string nor an array of objects.
    """
    if isinstance(content, str):
        content = [text_part(content)] if content else []
    if not isinstance(content, list):
        raise refusal(f"{at} must be a string or an array of parts", param=at)
    for number, part in enumerate(content):
        place = f"{at}[{number}]"
        if not isinstance(part, dict):
            raise refusal(f"{place} must be an object", param=place)
        yield part, part.get("type"), place


def find_way(ways: Mapping[str, _Way], kind: Any, *, at: str, to: str) -> _Way:
    """Find how parts of a type are translated; `to` says who takes them.

    Raises:
        RequestError: 400, there is no way to say this.
    """
    way = ways.get(kind) if isinstance(kind, str) else None
    if way is None:
        raise refusal(
            f"{at}: a part of type {kind!r} cannot be sent to {to} here; possible: {', '.join(ways)}",
            param=at,
        )
    return way


def text_part(text: str) -> Part:
    """Build a part of text, as most languages write it."""
    return {"type": "text", "text": text}


def read_string(given: Given, key: str, *, at: str) -> str:
    """Read a text under a key.

    Raises:
        RequestError: 400, there is none.
    """
    value = given.get(key)
    if not isinstance(value, str):
        raise refusal(f"{at}.{key} must be a string", param=f"{at}.{key}")
    return value


def read_fields(given: Given, key: str, *, at: str) -> Given:
    """Read the object under a key.

    Raises:
        RequestError: 400, there is none.
    """
    value = given.get(key)
    if not isinstance(value, dict):
        raise refusal(f"{at}.{key} must be an object", param=f"{at}.{key}")
    return value


def drop_others(given: Given, known: Collection[str], *, losses: Losses, inside: str) -> None:
    """Name what stands beside the keys that are known, and says something."""
    for key, value in given.items():
        if key not in known and key != "type" and value:
            losses.drop(f"{inside}{key}")
