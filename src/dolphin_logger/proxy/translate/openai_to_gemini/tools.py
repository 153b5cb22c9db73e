"""Tools and the choice of tools, in their current and their older form.

It knows the shapes of both languages. Invariant: a tool that the provider could not offer to the
model is refused, because the model would behave differently without it.

Source: https://ai.google.dev/gemini-api/docs/function-calling.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses, refusal

_CHOICES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_FUNCTION_KEYS: Final = frozenset(("name", "description", "parameters"))
# With VALIDATED the model may also answer in text; AUTO takes no list of names.
_ALLOWED_MODES: Final = {"auto": "VALIDATED", "required": "ANY"}


def translate_tools(tools: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the `tools` of a request: one entry with all functions, Gemini's own as they are."""
    if not isinstance(tools, list):
        raise refusal("tools must be an array", param="tools")
    functions: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    for number, tool in enumerate(tools):
        at = f"tools[{number}]"
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(tool, dict) and tool and "type" not in tool:
            own.append(dict(tool))
        elif isinstance(tool, dict) and kind == "function":
            _note_others(tool, losses=losses)
            functions.append(_translate_function(tool.get("function"), at, losses=losses))
        else:
            raise refusal(
                f"{at}: a tool of type {kind!r} cannot be sent to Gemini; describe it as a function,"
                ' or name one of Gemini\'s own, such as {"googleSearch": {}}',
                param=at,
            )
    return [*declare(functions), *own]


def translate_functions(functions: Any, *, losses: Losses) -> list[dict[str, Any]]:
    """Translate the older `functions`; the answer will call them in the current form."""
    if not isinstance(functions, list):
        raise refusal("functions must be an array", param="functions")
    losses.change("functions (called as tools)")
    return declare(
        [
            _translate_function(function, f"functions[{number}]", losses=losses)
            for number, function in enumerate(functions)
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
    name = _name_of(choice, is_older=param == "function_call")
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
    names = [_name_of(tool, is_older=False) for tool in tools] if isinstance(tools, list) else []
    if not isinstance(mode, str) or mode not in _ALLOWED_MODES or not names or None in names:
        raise refusal(
            f"{param}.allowed_tools needs a mode (auto, required) and functions", param=param
        )
    return {"mode": _ALLOWED_MODES[mode], "allowedFunctionNames": names}


def _name_of(choice: Any, *, is_older: bool) -> str | None:
    if not isinstance(choice, dict):
        return None
    named = choice.get("function") if choice.get("type") == "function" else None
    named = choice if is_older and named is None else named
    name = named.get("name") if isinstance(named, dict) else None
    return name if isinstance(name, str) else None


def _note_others(tool: dict[str, Any], *, losses: Losses) -> None:
    for key, value in tool.items():
        if key not in ("type", "function") and value is not None:
            losses.drop(f"tools[].{key}")


def _translate_function(function: Any, at: str, *, losses: Losses) -> dict[str, Any]:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise refusal(f"{at} must describe a function that has a name", param=at)
    translated = {"name": function["name"]}
    if function.get("description") is not None:
        translated["description"] = function["description"]
    parameters = function.get("parameters")
    if not isinstance(parameters, dict | None):
        raise refusal(f"{at}: parameters must be a JSON Schema", param=f"{at}.parameters")
    if parameters:
        translated["parametersJsonSchema"] = parameters
    for key, value in function.items():
        if key not in _FUNCTION_KEYS and value not in (None, False):  # strict: false says nothing
            losses.drop(f"tools[].function.{key}")
    return translated
