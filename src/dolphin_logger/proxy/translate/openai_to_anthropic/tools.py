"""Tools and the choice of tools, in their current and their older form.

It knows the shapes of both languages. Invariant: a tool that the provider could not offer to the
model is refused, because the model would behave differently without it.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview.
"""

from __future__ import annotations

import re
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses, refusal

_VERSIONED: Final = re.compile(r"_\d{8}$")  # web_search_20250305: tools that run at Anthropic
_CHOICES: Final = {"auto": "auto", "none": "none", "required": "any"}
_FUNCTION_KEYS: Final = frozenset(("name", "description", "parameters", "strict", "cache_control"))


def translate_tools(tools: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the `tools` of a request."""
    if not isinstance(tools, list):
        raise refusal("tools must be an array", param="tools")
    return [
        _translate_tool(tool, f"tools[{number}]", losses=losses)
        for number, tool in enumerate(tools)
    ]


def translate_functions(functions: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the older `functions`; the answer will call them in the current form."""
    if not isinstance(functions, list):
        raise refusal("functions must be an array", param="functions")
    losses.change("functions (called as tools)")
    return [
        _translate_function(function, f"functions[{number}]", losses=losses)
        for number, function in enumerate(functions)
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
    if isinstance(choice, dict):
        named = choice.get("function") if choice.get("type") == "function" else choice
        if param == "tool_choice" and named is choice:
            named = None
        if isinstance(named, dict) and isinstance(named.get("name"), str):
            return {"type": "tool", "name": named["name"]}
        choice = choice.get("type")
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
    for key, value in tool.items():
        if key not in ("type", "function", "cache_control") and value is not None:
            losses.drop(f"tools[].{key}")
    translated = _translate_function(tool.get("function"), f"{at}.function", losses=losses)
    if tool.get("cache_control") is not None:
        translated["cache_control"] = tool["cache_control"]
    return translated


def _translate_function(function: Any, at: str, *, losses: Losses) -> dict[str, Any]:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise refusal(f"{at} must be an object with a name", param=at)
    translated = {"name": function["name"]}
    if function.get("description") is not None:
        translated["description"] = function["description"]
    translated["input_schema"] = _schema(function.get("parameters"), at, losses=losses)
    for key in ("strict", "cache_control"):
        if function.get(key) is not None:
            translated[key] = function[key]
    for key, value in function.items():
        if key not in _FUNCTION_KEYS and value is not None:
            losses.drop(f"tools[].function.{key}")
    return translated


def _schema(parameters: Any, at: str, *, losses: Losses) -> dict[str, Any]:
    if parameters is None or parameters == {}:
        return {"type": "object", "properties": {}}
    if not isinstance(parameters, dict):
        raise refusal(f"{at}.parameters must be a JSON Schema", param=f"{at}.parameters")
    if "type" in parameters:
        return parameters
    losses.change("tools[].function.parameters (type: object)")
    return {"type": "object", **parameters}
