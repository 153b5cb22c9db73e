"""Definitions of tools, in words: every vendor's, but for the lists in which Gemini has them.

A definition is flat, or stands in an object that is named after its type; the schema has a name in
each language. A tool that runs at the provider has no schema, and often no name but its type.
Invariant: what a definition holds besides is in its `rest`; what is no definition stays in the list.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.dialects._fields import take_list, take_object, take_text
from dolphin_logger.dialects._read_parts import put_back
from dolphin_logger.messages import ToolDefinition


def take_tools(rest: dict[str, Any], *keys: str) -> tuple[ToolDefinition, ...]:
    """Take the definitions out of the lists at these keys of a request."""
    return tuple([read_tool(tool) for key in keys for tool in take_objects(rest, key)])


def take_objects(rest: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Take the objects out of a list; leave in it what is none."""
    entries = take_list(rest, key) or []
    strange = [entry for entry in entries if not isinstance(entry, dict)]
    if strange:
        rest[key] = strange
    return [entry for entry in entries if isinstance(entry, dict)]


def read_tool(tool: dict[str, Any]) -> ToolDefinition:
    """Read one definition."""
    rest = dict(tool)
    kind = take_text(rest, "type")
    key = kind if kind and isinstance(rest.get(kind), dict) else "function"
    inner = take_object(rest, key)
    fields = rest if inner is None else inner
    name = take_text(fields, "name")
    definition = ToolDefinition(
        name=name or kind or "",
        description=take_text(fields, "description"),
        schema=take_object(
            fields, "parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema"
        ),
        rest=rest,
    )
    put_back(rest, key, inner or {})
    if name and kind and kind != "function":
        rest["type"] = kind
    return definition
