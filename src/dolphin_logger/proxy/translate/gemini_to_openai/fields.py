"""The fields of Google's messages, under one of the two names that clients mix: camelCase, snake_case.

It knows spellings and no field. Invariant: only the message's own fields are renamed, never what a
person or a model named: arguments, results, properties of a schema.

Source: https://protobuf.dev/programming-guides/json (parsers accept both names).
"""

from __future__ import annotations

import re
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses, refusal

Fields = dict[str, Any]

_WORD: Final = re.compile(r"_([a-z0-9])")


def read_fields(value: Any, *, at: str) -> Fields:
    """Read the fields that say something, by their names in camelCase.

    Raises:
        RequestError: 400, this is no object.
    """
    if not isinstance(value, dict):
        raise refusal(f"{at} must be an object", param=at)
    fields: Fields = {}
    for key, content in value.items():
        name = camel_case(key)
        if content is not None and (name == key or name not in fields):
            fields[name] = content
    return fields


def camel_case(name: str) -> str:
    """Give a field's name in JSON."""
    return _WORD.sub(lambda match: match[1].upper(), name) if "_" in name[1:] else name


def read_list(value: Any, *, at: str) -> list[Any]:
    """Read a repeated field; Google takes a single object for a list of one.

    Raises:
        RequestError: 400, this is no array.
    """
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise refusal(f"{at} must be an array", param=at)
    return value


def drop_rest(fields: Fields, *, place: str, losses: Losses) -> None:
    """Name what nobody has taken."""
    for name in fields:
        losses.drop(f"{place}.{name}")
