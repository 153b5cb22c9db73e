"""Schemas of answers: whether a provider can promise to keep them.

OpenAI keeps a schema to the letter only if each object names all its keys and allows no others; it
refuses to promise it otherwise. Invariant: a schema is read, never rewritten.

Source: https://platform.openai.com/docs/guides/structured-outputs (supported schemas).
"""

from __future__ import annotations

from typing import Any


def is_strict(schema: Any) -> bool:
    """Say whether every object in a schema is closed, and all its keys are required."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if _is_object(node) and not _is_closed(node):
                return False
            waiting += node.values()
    return True


def _is_object(node: dict[str, Any]) -> bool:
    return node.get("type") == "object"


def _is_closed(node: dict[str, Any]) -> bool:
    properties, required = node.get("properties"), node.get("required")
    named = properties.keys() if isinstance(properties, dict) else set[str]()
    known = required if isinstance(required, list) else []
    return node.get("additionalProperties") is False and all(name in known for name in named)
