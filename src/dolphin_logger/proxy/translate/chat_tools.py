"""The tools of a client's chat completion request, in their current and their older form.

It knows how functions are described and chosen, and no provider's language. Invariant: a tool that is
no function is left to the caller, which offers it or refuses the request.

Source: https://platform.openai.com/docs/api-reference/chat/create (tools, functions).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dolphin_logger.proxy.translate.losses import Losses, refusal

Described = Mapping[str, Any]


def read_list(value: Any, *, param: str) -> Iterator[tuple[Any, str]]:
    """Go through `tools` or `functions`: each entry with its place."""
    if not isinstance(value, list):
        raise refusal(f"{param} must be an array", param=param)
    for number, entry in enumerate(value):
        yield entry, f"{param}[{number}]"


def read_tool(
    tool: Mapping[str, Any], at: str, *, losses: Losses, known: Collection[str] = ()
) -> Described:
    """Read the description in a tool of type `function`."""
    _drop_others(tool, ("type", "function", *known), losses=losses, inside="tools[].")
    return _read_function(tool.get("function"), f"{at}.function")


def read_functions(functions: Any, *, losses: Losses) -> Iterator[Described]:
    """Go through the older `functions`; the answer will call them in the current form."""
    for function, at in read_list(functions, param="functions"):
        yield _read_function(function, at)
    losses.change("functions (called as tools)")


def _read_function(function: Any, at: str) -> Described:
    """Read the description of a function: it has a name, and a JSON Schema or none."""
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise refusal(f"{at} must be an object with a name", param=at)
    if not isinstance(function.get("parameters"), dict | None):
        raise refusal(f"{at}.parameters must be a JSON Schema", param=f"{at}.parameters")
    return function


def drop_beside(function: Described, known: Collection[str], *, losses: Losses) -> None:
    """Name what a function says beside what is known; `strict: false` says nothing."""
    _drop_others(function, known, losses=losses, inside="tools[].function.")


def name_of_choice(choice: Any, *, param: str) -> str | None:
    """Give the name of the one function that is chosen; None when it is another choice."""
    if not isinstance(choice, dict):
        return None
    named = choice.get("function") if choice.get("type") == "function" else None
    if named is None and param == "function_call":
        named = choice
    name = named.get("name") if isinstance(named, dict) else None
    return name if isinstance(name, str) else None


def _drop_others(
    given: Mapping[str, Any], known: Collection[str], *, losses: Losses, inside: str
) -> None:
    for key, value in given.items():
        if key not in known and value not in (None, False):
            losses.drop(f"{inside}{key}")
