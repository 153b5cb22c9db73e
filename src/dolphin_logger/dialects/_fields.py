"""Fields of JSON whose types nobody promises: read them, or find nothing.

It knows no dialect. What is taken leaves the fields, so that the rest is what nobody read.
Invariant: what has the wrong type counts as absent, and is left where it is; nothing raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def object_at(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Find an object; empty when there is none."""
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}


def count_at(parent: Mapping[str, Any], key: str) -> int | None:
    """Find a count; None when it is missing or no whole number."""
    value = parent.get(key)
    return value if type(value) is int and value >= 0 else None


def first_text(content: Any, *, kind: str) -> str | None:
    """Find the text of a content: itself, or that of its first part of this `type`."""
    if isinstance(content, str):
        return content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == kind:
            text = part.get("text")
            if isinstance(text, str):
                return text
    return None


def take_text(fields: dict[str, Any], *keys: str) -> str | None:
    """Take the first text that stands at one of these keys out of the fields."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, str):
            del fields[key]
            return value
    return None


def take_list(fields: dict[str, Any], *keys: str) -> list[Any] | None:
    """Take the first list out of the fields."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, list):
            del fields[key]
            return value
    return None


def take_object(fields: dict[str, Any], *keys: str) -> dict[str, Any] | None:
    """Take the first object out of the fields, as a copy that may be taken from."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, dict):
            del fields[key]
            return dict(value)
    return None
