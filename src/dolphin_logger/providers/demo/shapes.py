"""A JSON value that fits a JSON Schema, filled with what the user said where that is possible.

Covers what tools and `response_format` use (types, enum, const, required, anyOf, allOf, $ref and
bounds); patterns are not read. Invariant: never raises, ends on recursive schemas too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_FORMATS = {
    "date": "2026-05-14",
    "date-time": "2026-05-14T09:30:00Z",
    "time": "09:30:00Z",
    "email": "anna@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "6f1c2a7e-5b1d-4c3a-9d52-0a7b8c9d1e2f",
    "hostname": "example.com",
    "ipv4": "192.0.2.7",
    "language": "English",
    "timezone": "Europe/Paris",
    "unit": "celsius",
    "currency": "EUR",
    "country": "France",
}
_WHOLE_QUESTION = frozenset({"question", "prompt", "message", "text", "content", "body", "input"})
_DEEP, _TOO_DEEP = 4, 24


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills schemas from one question; `subject` is the thing asked about, `root` holds `$defs`."""

    root: Any
    subject: str
    question: str

    def fill(self, schema: Any, *, key: str = "", depth: int = 0) -> Any:
        """Make a value for a schema; `key` is the name under which it will stand."""
        schema = self._resolve(schema)
        if not isinstance(schema, dict) or depth > _TOO_DEEP:
            return self.subject
        options = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(options, list) and options:
            return self.fill(self._pick(options, deep=depth > _DEEP), key=key, depth=depth + 1)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self._choose(schema["enum"])
        kind = _type_of(schema, deep=depth > _DEEP)
        if kind == "object":
            return self._fill_object(schema, depth=depth)
        if kind == "array":
            return self._fill_array(schema, key=key, depth=depth)
        if kind in {"integer", "number"}:
            return self._number(schema, whole=kind == "integer")
        if kind == "boolean":
            return True
        return None if kind == "null" else self._string(schema, key=key)

    def _resolve(self, schema: Any) -> Any:
        """Follow `$ref` inside the schema and merge `allOf`."""
        for _ in range(8):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                break
            found = self.root
            for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
                if step:
                    found = found.get(step) if isinstance(found, dict) else None
            schema = found
        if isinstance(schema, dict) and isinstance(schema.get("allOf"), list):
            merged = {name: value for name, value in schema.items() if name != "allOf"}
            for part in schema["allOf"][:8]:
                plain = isinstance(part, dict) and "$ref" not in part
                for name, value in (part if plain else self._resolve_part(part)).items():
                    merged[name] = _join(merged.get(name), value)
            return merged
        return schema

    def _resolve_part(self, part: Any) -> dict[str, Any]:
        if not isinstance(part, dict):
            return {}
        found = self._resolve({"$ref": part["$ref"]})
        return found if isinstance(found, dict) and "allOf" not in found else {}

    def _pick(self, options: list[Any], *, deep: bool) -> Any:
        def is_null(option: Any) -> bool:
            return isinstance(option, dict) and option.get("type") == "null"

        wanted = [option for option in options if is_null(option) == deep]
        return (wanted or options)[0]

    def _choose(self, members: list[Any]) -> Any:
        asked = self.question.casefold()
        named = (member for member in members if isinstance(member, str) and member)
        return next((member for member in named if member.casefold() in asked), members[0])

    def _fill_object(self, schema: dict[str, Any], *, depth: int) -> dict[str, Any]:
        given = schema.get("properties")
        properties = given if isinstance(given, dict) else {}
        required = schema.get("required")
        names = (
            [name for name in required if isinstance(name, str)]
            if isinstance(required, list)
            else []
        )
        if not names and depth <= _DEEP:
            names = list(properties)
        return {name: self.fill(properties.get(name), key=name, depth=depth + 1) for name in names}

    def _fill_array(self, schema: dict[str, Any], *, key: str, depth: int) -> list[Any]:
        least = schema.get("minItems")
        count = min(least, 16) if isinstance(least, int) else 0
        if depth <= _DEEP and schema.get("maxItems") != 0:
            count = max(count, 1)
        items = schema.get("items", {"type": "string"})
        return [self.fill(items, key=key, depth=depth + 1) for _ in range(count)]

    def _number(self, schema: dict[str, Any], *, whole: bool) -> int | float:
        said = re.search(r"(?<![\w.])-?\d{1,9}(\.\d{1,6})?(?![\w.])", self.question)
        value = float(said[0]) if said else 1.0
        step = _bound(schema, "multipleOf") or (1.0 if whole else 0.0)
        low, high = _bound(schema, "minimum"), _bound(schema, "maximum")
        above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
        if above is not None:
            low = above + (step or abs(above) * 1e-3 or 1e-3)
        if below is not None:
            high = below - (step or abs(below) * 1e-3 or 1e-3)
        value = max(value, low) if low is not None else value
        value = min(value, high) if high is not None else value
        if step:
            value = value // step * step
            value += step if low is not None and value < low else 0
        return int(value) if whole else value

    def _string(self, schema: dict[str, Any], *, key: str) -> str:
        name = key.lower()
        kind = schema.get("format")
        known = _FORMATS.get(kind) if isinstance(kind, str) else None
        text = known or _FORMATS.get(name)
        if text is None:
            text = self.question if name in _WHOLE_QUESTION and self.question else self.subject
        least, most = _bound(schema, "minLength"), _bound(schema, "maxLength")
        if least is not None and len(text) < least <= 4096:
            text = text.ljust(int(least), ".")
        return text[: int(most)] if most is not None and most >= 0 else text


def _type_of(schema: dict[str, Any], *, deep: bool) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [entry for entry in kind if isinstance(entry, str)]
        if deep and "null" in kinds:
            return "null"
        kind = next((entry for entry in kinds if entry != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _bound(schema: dict[str, Any], name: str) -> float | None:
    value = schema.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return None
    return float(value)


def _join(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        return {**first, **second}
    if isinstance(first, list) and isinstance(second, list):
        return [*first, *(entry for entry in second if entry not in first)]
    return second
