"""Tools and the choice of tools.

It knows the shapes of both languages. Invariant: the model is offered the functions of the client,
all of them, or those that it may call; Google's own tools, which nobody else can run, are named as
dropped.

Source: https://ai.google.dev/api/caching#Tool and .../caching#FunctionCallingConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate.chat_body import (
    NO_PARAMETERS,
    write_choice,
    write_function,
)
from dolphin_logger.proxy.translate.chat_names import fit_name, names_back
from dolphin_logger.proxy.translate.gemini_to_openai.fields import (
    Fields,
    drop_rest,
    read_fields,
    read_list,
)
from dolphin_logger.proxy.translate.gemini_to_openai.schema import lower_schema
from dolphin_logger.proxy.translate.losses import Losses, refusal

Tool = dict[str, Any]

_MODES: Final = ("AUTO", "NONE", "ANY", "VALIDATED")
_CONFIG: Final = "toolConfig.functionCallingConfig"


def translate_tools(tools: Any, *, losses: Losses) -> list[Tool]:
    """Translate the functions of every entry of `tools`, in their order."""
    translated: list[Tool] = []
    for number, entry in enumerate(read_list(tools, at="tools")):
        at = f"tools[{number}]"
        fields = read_fields(entry, at=at)
        at = f"{at}.functionDeclarations"
        declarations = read_list(fields.pop("functionDeclarations", []), at=at)
        translated += [
            _translate_function(declaration, at=f"{at}[{place}]", losses=losses)
            for place, declaration in enumerate(declarations)
        ]
        drop_rest(fields, place="tools[]", losses=losses)
    return translated


def _translate_function(declaration: Any, *, at: str, losses: Losses) -> Tool:
    fields = read_fields(declaration, at=at)
    name = fields.pop("name", None)
    if not isinstance(name, str):
        raise refusal(f"{at} must have a name", param=at)
    description = fields.pop("description", None)
    own, other = fields.pop("parameters", None), fields.pop("parametersJsonSchema", None)
    schema = own if other is None else other
    parameters: Any = NO_PARAMETERS
    if schema is not None:
        parameters = lower_schema(schema, at=f"{at}.parameters")
    drop_rest(fields, place="tools[].functionDeclarations[]", losses=losses)
    fitted = fit_name(name)
    if fitted != name:
        losses.change("tools[].functionDeclarations[].name (shorter, or in other characters)")
    return write_function(fitted, parameters=parameters, description=description)


def translate_choice(
    config: Any, tools: list[Tool], *, losses: Losses
) -> tuple[list[Tool], str | Tool | None]:
    """Translate `toolConfig`: the tools that are left, and the choice among them."""
    fields = read_fields(config, at="toolConfig")
    calling = read_fields(fields.pop("functionCallingConfig", {}), at=_CONFIG)
    drop_rest(fields, place="toolConfig", losses=losses)
    mode, names = _take_mode(calling), calling.pop("allowedFunctionNames", [])
    calling = {key: value for key, value in calling.items() if value is not False}
    drop_rest(calling, place=_CONFIG, losses=losses)
    at = f"{_CONFIG}.allowedFunctionNames"
    if names and mode in (None, "AUTO", "NONE"):
        losses.drop(at)  # they say nothing there
        names = []
    if not tools:
        if mode in ("ANY", "VALIDATED"):
            losses.drop(f"{_CONFIG}.mode")
        return tools, None
    if names:
        wanted = _only(tools, names=read_list(names, at=at), at=at)
        if mode == "ANY" and len(wanted) == 1:
            return tools, write_choice(wanted[0]["function"]["name"])
        losses.change(f"{at} (the others are not offered)")  # all servers know what that means
        tools = wanted
    return tools, _choose(mode, losses=losses)


def client_names(request: Mapping[str, Any]) -> dict[str, str]:
    """Give the client's names of its functions by the provider's, of those that differ."""
    try:
        tools = read_list(read_fields(request, at="").get("tools", []), at="")
        declared = (read_fields(entry, at="").get("functionDeclarations", []) for entry in tools)
        functions = [function for one in declared for function in read_list(one, at="")]
    except RequestError:  # as the request's own translation has said
        return {}
    return names_back(f.get("name") for f in functions if isinstance(f, dict))


def _take_mode(calling: Fields) -> str | None:
    mode = calling.pop("mode", None)
    if mode in (None, "MODE_UNSPECIFIED"):
        return None
    wanted = mode.upper() if isinstance(mode, str) else mode
    if wanted not in _MODES:
        at = f"{_CONFIG}.mode"
        raise refusal(f"{at}: {mode!r} is unknown; known: {', '.join(_MODES)}", param=at)
    return str(wanted)


def _only(tools: list[Tool], *, names: list[Any], at: str) -> list[Tool]:
    """Leave the functions that may be called."""
    fitted = {fit_name(name) for name in names if isinstance(name, str)}
    left = [tool for tool in tools if tool["function"]["name"] in fitted]
    if not left:
        raise refusal(f"{at}: none of {names!r} is declared in tools", param=at)
    return left


def _choose(mode: str | None, *, losses: Losses) -> str | None:
    if mode == "ANY":
        return "required"
    if mode == "VALIDATED":
        losses.change(f"{_CONFIG}.mode (VALIDATED as AUTO)")
        return "auto"
    return None if mode is None else mode.lower()
