"""Google's subset of OpenAPI schemas, as JSON Schema.

It knows keywords, and not what a schema describes. Schemas that are JSON Schema already pass through
it, too, because clients write Google's upper-case types there as well.
Invariant: what is described, allowed or named by the client stays as it is.

Sources: https://ai.google.dev/api/caching#Schema, https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate.gemini_to_openai.fields import camel_case
from dolphin_logger.proxy.translate.losses import refusal

_ONE: Final = ("items", "additionalProperties", "not", "contains", "propertyNames")
_MANY: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions")
_REFERENCES: Final = {"ref": "$ref", "defs": "$defs"}
_COUNTS: Final = (
    *("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"),
)
_GOOGLES: Final = frozenset(
    (*("nullable", "example", "propertyOrdering", "anyOf", "additionalProperties"), *_COUNTS)
)


def lower_schema(schema: Any, *, at: str) -> dict[str, Any]:
    """Write a schema as JSON Schema.

    Raises:
        RequestError: 400, this is no schema, or a bottomless one.
    """
    if not isinstance(schema, dict):
        raise refusal(f"{at} must be a schema", param=at)
    try:
        lowered: dict[str, Any] = _lower(schema)
    except RecursionError as error:
        raise refusal(f"{at} is nested too deeply", param=at) from error
    return lowered


def _lower(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema  # true, false
    lowered: dict[str, Any] = {}
    for key, value in schema.items():
        if value is not None:
            name = _keyword(key)
            lowered[name] = _lower_value(name, value)
    _settle_enum(lowered)
    _settle_null(lowered)
    if "example" in lowered:
        lowered.setdefault("examples", [lowered.pop("example")])
    _settle_order(lowered)
    return lowered


def _keyword(key: str) -> str:
    if key in _REFERENCES:
        return _REFERENCES[key]
    name = camel_case(key)
    return name if name in _GOOGLES else key


def _lower_value(name: str, value: Any) -> Any:
    if name == "type":
        return _lower_type(value)
    if name in _ONE:
        return _lower(value)
    if name in _MANY and isinstance(value, list):
        return [_lower(inner) for inner in value]
    if name in _NAMED and isinstance(value, dict):
        return {key: _lower(inner) for key, inner in value.items()}
    if name in _COUNTS and isinstance(value, str) and value.isdecimal():
        return int(value)  # Google writes 64 bits as text
    if name == "$ref" and isinstance(value, str):
        return value.replace("#/defs/", "#/$defs/")
    return value


def _lower_type(value: Any) -> Any:
    if isinstance(value, list):
        return [_lower_type(inner) for inner in value]
    return value.lower() if isinstance(value, str) else value


def _settle_enum(lowered: dict[str, Any]) -> None:
    """Give the values of an enumeration the type that they are said to have; Google's are text."""
    if lowered.get("type") == "type_unspecified":
        del lowered["type"]
    if lowered.get("format") == "enum":
        del lowered["format"]
    values = lowered.get("enum")
    if lowered.get("type") == "integer" and isinstance(values, list):
        lowered["enum"] = [
            int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() else value
            for value in values
        ]


def _settle_null(lowered: dict[str, Any]) -> None:
    """Allow null in the words of JSON Schema."""
    if lowered.pop("nullable", False) is not True:
        return
    kind = lowered.get("type")
    if isinstance(kind, str) and kind != "null":
        lowered["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        lowered["type"] = [*kind, "null"]
    options = lowered.get("anyOf")
    if isinstance(options, list) and {"type": "null"} not in options:
        lowered["anyOf"] = [*options, {"type": "null"}]
    values = lowered.get("enum")
    if isinstance(values, list) and None not in values:
        lowered["enum"] = [*values, None]


def _settle_order(lowered: dict[str, Any]) -> None:
    """Put properties in the order that was asked for: what follows a grammar writes them so."""
    order, properties = lowered.pop("propertyOrdering", None), lowered.get("properties")
    if isinstance(order, list) and isinstance(properties, dict):
        first = {
            name: properties[name] for name in order if isinstance(name, str) and name in properties
        }
        lowered["properties"] = {**first, **properties}
