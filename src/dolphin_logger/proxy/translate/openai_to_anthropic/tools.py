"""Tools and the choice of tools, in their current and their older form.

It knows the shapes of both languages. Invariant: a tool that the provider could not offer to the
model is refused, because the model would behave differently without it.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview.
"""

from __future__ import annotations

import re
from typing import Any, Final

from dolphin_logger.proxy.translate.chat_tools import (
    Described,
    drop_beside,
    name_of_choice,
    read_functions,
    read_list,
    read_tool,
)
from dolphin_logger.proxy.translate.losses import Losses, refusal

_VERSIONED: Final = re.compile(r"_\d{8}$")  # web_search_20250305: tools that run at Anthropic
_CHOICES: Final = {"auto": "auto", "none": "none", "required": "any"}
_CACHE: Final = "cache_control"
_FUNCTION_KEYS: Final = frozenset(("name", "description", "parameters", "strict", _CACHE))


def translate_tools(tools: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the `tools` of a request."""
    return [
        _translate_tool(tool, at, losses=losses) for tool, at in read_list(tools, param="tools")
    ]


def translate_functions(functions: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the older `functions`."""
    return [
        _translate_function(function, losses=losses)
        for function in read_functions(functions, losses=losses)
    ]


def translate_choice(choice: Any, *, parallel: Any, param: str) -> dict[str, Any] | None:
    """Translate `tool_choice` (or `function_call`) together with `parallel_tool_calls`."""
    translated = None if choice is None else _translate_choice(choice, param=param)
    if parallel is False:
        translated = translated or {"type": "auto"}
        if translated["type"] != "none":
            translated["disable_parallel_tool_use"] = True
    return translated


def _translate_choice(choice: Any, *, param: str) -> dict[str, Any]:
    if isinstance(choice, str) and choice in _CHOICES:
        return {"type": _CHOICES[choice]}
    name = name_of_choice(choice, param=param)
    if name is not None:
        return {"type": "tool", "name": name}
    raise refusal(
        f"{param}: {choice!r} cannot be sent to Anthropic; possible: auto, none, required or one function",
        param=param,
    )


def _translate_tool(tool: Any, at: str, *, losses: Losses) -> dict[str, Any]:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if isinstance(tool, dict) and ("input_schema" in tool or _VERSIONED.search(str(kind))):
        return dict(tool)
    if not isinstance(tool, dict) or kind != "function":
        raise refusal(
            f"{at}: a tool of type {kind!r} cannot be sent to Anthropic; describe it as a function",
            param=at,
        )
    function = read_tool(tool, at, losses=losses, known=(_CACHE,))
    translated = _translate_function(function, losses=losses)
    if tool.get(_CACHE) is not None:
        translated[_CACHE] = tool[_CACHE]
    return translated


def _translate_function(function: Described, *, losses: Losses) -> dict[str, Any]:
    translated = {"name": function["name"]}
    if function.get("description") is not None:
        translated["description"] = function["description"]
    translated["input_schema"] = _schema(function.get("parameters"), losses=losses)
    for key in ("strict", _CACHE):
        if function.get(key) is not None:
            translated[key] = function[key]
    drop_beside(function, _FUNCTION_KEYS, losses=losses)
    return translated


def _schema(parameters: dict[str, Any] | None, *, losses: Losses) -> dict[str, Any]:
    if not parameters:
        return {"type": "object", "properties": {}}
    if "type" in parameters:
        return parameters
    losses.change("tools[].function.parameters (type: object)")
    return {"type": "object", **parameters}
