"""Tools and the choice among them.

Tools that Anthropic describes itself (web search, code execution, its shell and its editor) have no
schema that another model could call. It does not know the messages that call tools.
Invariant: a tool goes out as a function with its own schema, or is named as dropped.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.chat_body import write_choice, write_function
from dolphin_logger.proxy.translate.chat_names import fit_name
from dolphin_logger.proxy.translate.losses import Losses, refusal

_CHOICES: Final = {"auto": "auto", "any": "required", "none": "none"}
_KNOWN: Final = frozenset(("type", "name", "description", "input_schema", "strict"))


def translate_tools(tools: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the `tools` of a request: those with a schema."""
    if not isinstance(tools, list):
        raise refusal("tools must be an array", param="tools")
    functions = []
    for number, tool in enumerate(tools):
        at = f"tools[{number}]"
        if not isinstance(tool, dict):
            raise refusal(f"{at} must be an object", param=at)
        kind = tool.get("type")
        if kind in (None, "custom") or "input_schema" in tool:
            functions.append(_translate_tool(tool, at, losses=losses))
        else:
            losses.drop(f"tools[] ({kind})")
    return functions


def translate_choice(choice: Any) -> tuple[Any, bool]:
    """Translate `tool_choice`; say whether calls may be parallel, too."""
    kind = choice.get("type") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or kind not in (*_CHOICES, "tool"):
        raise refusal(
            f"tool_choice: {kind!r} is unknown; known: {', '.join((*_CHOICES, 'tool'))}",
            param="tool_choice",
        )
    parallel = choice.get("disable_parallel_tool_use") is not True
    if kind != "tool":
        return _CHOICES[kind], parallel
    if not isinstance(choice.get("name"), str):
        raise refusal("tool_choice.name must be a string", param="tool_choice.name")
    return write_choice(fit_name(choice["name"])), parallel


def _translate_tool(tool: Mapping[str, Any], at: str, *, losses: Losses) -> dict[str, Any]:
    name, schema = tool.get("name"), tool.get("input_schema")
    if not isinstance(name, str) or not isinstance(schema, dict):
        raise refusal(f"{at} must have a name and an input_schema", param=at)
    for key, value in tool.items():
        if key == "defer_loading" and value:
            losses.change("tools[].defer_loading (sent at once)")
        elif key not in _KNOWN and value:
            losses.drop(f"tools[].{key}")
    fitted, description, strict = fit_name(name), tool.get("description"), tool.get("strict")
    if fitted != name:
        losses.change("tools[].name (shorter, or in other characters)")
    return write_function(fitted, parameters=schema, description=description, strict=strict)
