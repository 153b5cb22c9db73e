"""Google's subset of OpenAPI schemas as JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest
from content_streams import request

from dolphin_logger.errors import RequestError


def lowered(schema: Any, *, key: str = "parameters") -> Any:
    """Translate a schema."""
    tools = [{"functionDeclarations": [{"name": "f", key: schema}]}]
    return request(tools=tools).body["tools"][0]["function"]["parameters"]


def test_schema_is_lowered():
    """Types, null, formats, examples, counts and references in the words of JSON Schema."""
    schema = {
        "type": "OBJECT",
        "title": "T",
        "property_ordering": ["type", "n", "gone"],
        "properties": {
            "n": {"type": "INTEGER", "format": "enum", "enum": ["1", "-2", "x"]},
            "type": {"type": "STRING", "nullable": True, "enum": ["OBJECT"], "format": "enum"},
            "any_of": {"any_of": [{"type": "NUMBER"}, {"type": "BOOLEAN"}], "nullable": True},
            "list": {"type": "ARRAY", "items": {"type": "STRING"}, "min_items": "1", "maxItems": 2},
            "when": {"type": "STRING", "format": "date-time", "example": "2026-11-22"},
            "pet": {"ref": "#/defs/Pet"},
            "free": {"type": "TYPE_UNSPECIFIED", "nullable": False},
        },
        "additional_properties": False,
        "required": ["type"],
        "defs": {"Pet": {"type": "STRING", "default": "OBJECT"}},
    }
    found = lowered(schema)
    assert found == {
        "type": "object",
        "title": "T",
        "properties": {
            "type": {"type": ["string", "null"], "enum": ["OBJECT", None]},
            "n": {"type": "integer", "enum": [1, -2, "x"]},
            "any_of": {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "null"}]},
            "list": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
            "when": {"type": "string", "format": "date-time", "examples": ["2026-11-22"]},
            "pet": {"$ref": "#/$defs/Pet"},
            "free": {},
        },
        "additionalProperties": False,
        "required": ["type"],
        "$defs": {"Pet": {"type": "string", "default": "OBJECT"}},
    }
    assert list(found["properties"])[:2] == ["type", "n"]


def test_json_schema_stays_as_it_is():
    """What is JSON Schema already is not touched, wherever words of Google's stand in it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "nullable": {"type": ["string", "null"], "enum": ["A_B", None]},
            "min_items": {"const": {"type": "OBJECT"}},
            "example": {"oneOf": [{"type": "integer"}, True], "default": {"any_of": 1}},
        },
        "patternProperties": {"^x_y": {"type": "string"}},
        "x_vendor": {"type": "OBJECT"},
        "required": ["min_items"],
    }
    assert lowered(schema, key="parametersJsonSchema") == schema


def test_bottomless_schema_is_refused():
    """JSON too deep to be walked does not raise anything else."""
    schema: dict[str, Any] = {}
    for _ in range(900):
        schema = {"items": schema}
    with pytest.raises(RequestError, match="nested too deeply"):
        lowered(schema)
