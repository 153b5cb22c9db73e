"""Tools and the choice of tools, in their current and their older form.

It knows the shapes of both languages. Invariant: a tool that the provider could not offer to the
model is refused, because the model would behave differently without it.

Source: https://ai.google.dev/gemini-api/docs/function-calling.
"""

from __future__ import annotations

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

_CHOICES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_FUNCTION_KEYS: Final = frozenset(("name", "description", "parameters"))
# With VALIDATED the model may also answer in text; AUTO takes no list of names.
_ALLOWED_MODES: Final = {"auto": "VALIDATED", "required": "ANY"}


def translate_tools(tools: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the `tools` of a request: one entry with all functions, Gemini's own as they are."""
    functions: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    for tool, at in read_list(tools, param="tools"):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(tool, dict) and tool and "type" not in tool:
            own.append(dict(tool))
        elif isinstance(tool, dict) and kind == "function":
            function = read_tool(tool, at, losses=losses)
            functions.append(_translate_function(function, losses=losses))
        else:
            raise refusal(
                f"{at}: a tool of type {kind!r} cannot be sent to Gemini; describe it as a function,"
                ' or name one of Gemini\'s own, such as {"googleSearch": {}}',
                param=at,
            )
    return [*declare(functions), *own]


def translate_functions(functions: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the older `functions`."""
    return declare(
        [
            _translate_function(function, losses=losses)
            for function in read_functions(functions, losses=losses)
        ]
    )


def declare(functions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Build the entry that declares functions; none without any."""
    return [{"functionDeclarations": functions}] if functions else []


def translate_choice(choice: Any, *, param: str) -> dict[str, Any]:
    """Translate `tool_choice` or `function_call`."""
    if isinstance(choice, str) and choice in _CHOICES:
        return {"mode": _CHOICES[choice]}
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        return _translate_allowed(choice.get("allowed_tools"), param=param)
    name = name_of_choice(choice, param=param)
    if name is None:
        raise refusal(
            f"{param}: {choice!r} cannot be sent to Gemini; possible: auto, none, required,"
            " one function or allowed_tools",
            param=param,
        )
    return {"mode": "ANY", "allowedFunctionNames": [name]}


def _translate_allowed(allowed: Any, *, param: str) -> dict[str, Any]:
    mode = allowed.get("mode") if isinstance(allowed, dict) else None
    tools = allowed.get("tools") if isinstance(allowed, dict) else None
    names = (
        [name_of_choice(tool, param="tool_choice") for tool in tools]
        if isinstance(tools, list)
        else []
    )
    if not isinstance(mode, str) or mode not in _ALLOWED_MODES or not names or None in names:
        raise refusal(
            f"{param}.allowed_tools needs a mode (auto, required) and functions", param=param
        )
    return {"mode": _ALLOWED_MODES[mode], "allowedFunctionNames": names}


def _translate_function(function: Described, *, losses: Losses) -> dict[str, Any]:
    translated = {"name": function["name"]}
    if function.get("description") is not None:
        translated["description"] = function["description"]
    if function.get("parameters"):
        translated["parametersJsonSchema"] = function["parameters"]
    drop_beside(function, _FUNCTION_KEYS, losses=losses)
    return translated
