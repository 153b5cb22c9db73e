"""The walk over JSON values: which strings are looked at, and under which name.

Strings that hold JSON (arguments and results of tools) are walked as the values they hold, and written
again as they were written. What the structure needs stays: roles, types, ids. What providers
encrypted goes: nobody can clean it. It does not know what is looked for.
Invariants: the shape of a value never changes; a value in which nothing changed stays the very
same, to the byte; inside of what a tool got or gave nothing is structure, and everything is looked at.
"""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import Any, Final, Protocol, TypeAlias

from dolphin_logger.curate.redaction.views import is_media
from dolphin_logger.example import Json

Place: TypeAlias = tuple[Any, Any] | None
"""Where a value stands: the place of its parent, and its name or index there; None is the top."""

IN_STRING: Final = "|"  # the step into the JSON that a string holds

_STRUCTURE_WORDS: Final = """
id role type object from time timestamp created created_at createTime status outcome relation
signal tool_call_id call_id tool_use_id toolCallId source_call_id item_id parent parentId
parentUuid uuid sessionId conversation conversation_id record record_id chosen_record
rejected_record session_id trajectory_id request_id requestId response_id responseId
previous_response_id step_id schema_version finish_reason stop_reason finishReason system_fingerprint service_tier media_type
mime_type mimeType
"""
_NAMED_WORDS: Final = """
model models modelVersion provider providers client source harness
"""
_NAMED: Final = frozenset(_NAMED_WORDS.split())  # structure too, but whoever asked chose the words
_STRUCTURE: Final = frozenset(_STRUCTURE_WORDS.split()) | _NAMED
_DATA_WORDS: Final = """
arguments input args output result response parameters_json
"""
_DATA: Final = frozenset(_DATA_WORDS.split())
_ENCRYPTED_WORDS: Final = """
signature thoughtSignature thought_signature encrypted_content thinkingSignature textSignature
"""
_ENCRYPTED: Final = frozenset(_ENCRYPTED_WORDS.split())
_MAY_BE_ENCRYPTED: Final = _ENCRYPTED | {"data"}  # this one only where thinking was redacted
_ID: Final = re.compile(r"[\w.:/+=~ -]{1,200}")
_BEGINS: Final = "{[ \n\t\r"
_ENDS: Final = "}] \n\t\r"
_LEAST_MEDIA: Final = 256
_DEPTH: Final = 2  # above it stand the fields of a row, whose names mean something else
_STYLES: Final[tuple[dict[str, Any], ...]] = tuple(
    {"ensure_ascii": ascii_, **style}
    for ascii_ in (False, True)
    for style in (
        {"separators": (",", ":")},
        {"separators": (", ", ": ")},
        {"indent": 2},
        {"indent": 4},
    )
)


class Visitor(Protocol):
    """Says what becomes of each value.

    `clean_names`: names in which nothing was found, so that they need not be asked for again.
    """

    clean_names: set[str]

    def text(self, text: str, key: str | None, place: Place) -> str:
        """Take a string, or a name; give what stands there from now on."""
        ...

    def number(self, number: int, key: str | None, place: Place) -> int:
        """Take a whole number."""
        ...

    def named(self, text: str, place: Place) -> str:
        """Take the name of a program or a model, which stays unless a secret is in it."""
        ...

    def kept(self, text: str, place: Place) -> None:
        """Take a string that stays: an id, a picture."""
        ...


class _TwiceError(ValueError):
    """A name stands twice in one object: a parser sees only one of the values."""


def rewrite(value: Json, visitor: Visitor, *, place: Place = None) -> Json:
    """Give a value with every string as the visitor wants it; the same object if nothing changed."""
    return _rewrite(value, visitor, None, place, 0, in_data=False)


def write_place(place: Place) -> str:
    """Write a place: `messages[2].content|.user.mail`."""
    steps: list[str] = []
    while place is not None:
        place, step = place
        if isinstance(step, int):
            steps.append(f"[{step}]")
        else:
            steps.append(step if step == IN_STRING else f".{step}")
    return "".join(reversed(steps)).removeprefix(".")


def _rewrite(
    value: Json, visitor: Visitor, key: str | None, place: Place, depth: int, *, in_data: bool
) -> Json:
    kind = type(value)
    if kind is str:
        return _string(value, visitor, key, place, in_data=in_data)
    if kind is dict:
        in_data = in_data or (depth >= _DEPTH and key in _DATA)
        return _object(value, visitor, place, depth, in_data=in_data)
    if kind is list:
        changed: list[Json] | None = None
        name = key if key in _STRUCTURE and not in_data else None
        for index, item in enumerate(value):
            new = _rewrite(item, visitor, name, (place, index), depth + 1, in_data=in_data)
            if new is not item:
                changed = list(value) if changed is None else changed
                changed[index] = new
        return value if changed is None else changed
    if kind is int:
        return visitor.number(value, key, place)
    return value


def _object(
    value: dict[str, Json], visitor: Visitor, place: Place, depth: int, *, in_data: bool
) -> Json:
    changed: dict[str, Json] | None = None
    clean = visitor.clean_names
    for name, item in value.items():
        said = name if name in clean else _name(name, visitor, place)
        if name in _MAY_BE_ENCRYPTED and not in_data and _is_encrypted(name, item, value):
            new: Json = ""
        elif type(item) is str:
            new = _string(item, visitor, name, (place, said), in_data=in_data)
        else:
            new = _rewrite(item, visitor, name, (place, said), depth + 1, in_data=in_data)
        if changed is None:
            if new is item and said is name:
                continue
            changed = dict(takewhile(lambda pair: pair[0] is not name, value.items()))  # noqa: B023
        while said in changed:  # two names became one: both values stay
            said += "_"
        changed[said] = new
    return value if changed is None else changed


def _name(name: str, visitor: Visitor, place: Place) -> str:
    said = visitor.text(name, None, (place, "(name)"))
    if said == name:
        visitor.clean_names.add(name)
        return name
    return said


def _string(text: str, visitor: Visitor, key: str | None, place: Place, *, in_data: bool) -> str:
    if not in_data and key in _NAMED and _ID.fullmatch(text):
        return visitor.named(text, place)
    if (not in_data and key in _STRUCTURE and _ID.fullmatch(text)) or (
        len(text) >= _LEAST_MEDIA and is_media(text)
    ):
        visitor.kept(text, place)
        return text
    if text and text[-1] in _ENDS and (held := _held(text)) is not None:
        try:
            new = _rewrite(held, visitor, key, (place, IN_STRING), _DEPTH, in_data=True)
        except RecursionError:
            return visitor.text(text, key, place)
        return text if new is held else _written(text, held, new)
    return visitor.text(text, key, place)


def _is_encrypted(name: str, value: Json, parent: dict[str, Json]) -> bool:
    is_named = name in _ENCRYPTED or parent.get("type") == "redacted_thinking"
    return is_named and isinstance(value, str)


def _held(text: str) -> Json | None:
    """Parse the object or list that a string holds; None when it holds none."""
    if text[0] not in _BEGINS:
        return None
    body = text.strip()
    if not body or body[0] + body[-1] not in {"{}", "[]"} or len(body) < 3:
        return None
    try:
        return json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _written(text: str, held: Json, new: Json) -> str:
    """Write a value as the one before it was written."""
    body = text.strip()
    before, _, after = text.partition(body)
    style = next((s for s in _STYLES if json.dumps(held, **s) == body), _STYLES[1])
    return before + json.dumps(new, **style) + after


def strings(value: Json) -> list[str]:
    """Give every string and name of a value as it stands, JSON in strings unparsed."""
    found: list[str] = []
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            found += item
            left += item.values()
        elif isinstance(item, list):
            left += item
    return found
