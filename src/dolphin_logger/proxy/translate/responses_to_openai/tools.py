"""The tools of a request, all as functions, and the way back from a call to the client's tool.

Custom tools, tools in a namespace and the client's own tool search become functions; tools that run at
OpenAI are left out, because nobody here could run them. It knows the shapes of both languages.
Invariants: every name that the provider sees belongs to one tool; the names follow from the request
alone, so that its answer, and the next request, find the same ones.

Source: https://platform.openai.com/docs/guides/tools.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from dolphin_logger.proxy.translate.chat_body import (
    NO_PARAMETERS,
    write_choice,
    write_function,
)
from dolphin_logger.proxy.translate.chat_names import (
    LONGEST,
    allowed_characters,
    fit_name,
    mark_name,
)
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.responses_to_openai.wrapped_input import INPUT

FUNCTION: Final = "function"
CUSTOM: Final = "custom"
SEARCH: Final = "tool_search"

_NAMESPACE: Final = "namespace"
# Tools of the client that have no schema: without them it would wait in vain, with one it was made up.
_UNSPEAKABLE: Final = frozenset(
    (
        *("apply_patch", "computer", "computer_use", "computer_use_preview"),
        *("local_shell", "shell"),
    )
)
_KNOWN: Final = {
    FUNCTION: frozenset(("type", "name", "description", "parameters", "strict", "defer_loading")),
    CUSTOM: frozenset(("type", "name", "description", "format", "defer_loading")),
    SEARCH: frozenset(("type", "execution", "description", "parameters")),
    _NAMESPACE: frozenset(("type", "name", "tools")),
}
_CHOICES: Final = ("auto", "none", "required")


class Tool(NamedTuple):
    """A tool as the client knows it; `kind` is its type."""

    kind: str
    name: str
    namespace: str | None = None


class Tools:
    """The tools that one request offers; `functions` are the provider's, by their names."""

    def __init__(self, request: Mapping[str, Any], *, losses: Losses) -> None:
        self.functions: dict[str, dict[str, Any]] = {}
        self._losses = losses
        self._tools: dict[str, Tool] = {}
        self._names: dict[Tool, str] = {}
        tools = request.get("tools")
        if not isinstance(tools, list | None):
            raise refusal("tools must be an array", param="tools")
        self._add_all(tools or (), at="tools", namespace=None)
        for number, found in _later_tools(request.get("input")):
            losses.change("input[].tools (offered from the beginning)")
            self._add_all(found, at=f"input[{number}].tools", namespace=None)

    def find(self, name: str) -> Tool:
        """Find what the model calls; a name that was not offered is left to the client."""
        return self._tools.get(name) or Tool(FUNCTION, name)

    def name(self, tool: Tool) -> str:
        """Give the provider's name of a tool, also of one that is not offered any more."""
        return self._names.get(tool) or _join_name(tool)

    def choose(self, choice: Any) -> Any:
        """Translate `tool_choice`; None when it says nothing. May take functions away.

        Raises:
            RequestError: 400, it asks for a tool that cannot be offered.
        """
        if choice in ("auto", "none") or (choice == "required" and self.functions):
            return choice if self.functions else None
        kind = choice.get("type") if isinstance(choice, dict) else None
        if kind == "allowed_tools":
            return self._allow(choice)
        if kind in (FUNCTION, CUSTOM, SEARCH):
            name = self.name(_named(choice))
            if name in self.functions:
                return write_choice(name)
        raise refusal(
            f"tool_choice: {choice!r} asks for a tool that cannot be offered to this provider;"
            f" possible: {', '.join(_CHOICES)}, allowed_tools or one tool of tools that is a function,"
            " a custom tool or the client's tool_search",
            param="tool_choice",
        )

    def _allow(self, choice: Mapping[str, Any]) -> Any:
        allowed = choice.get("tools")
        names = {
            self.name(_named(entry))
            for entry in (allowed if isinstance(allowed, list) else ())
            if isinstance(entry, dict)
        }
        self.functions = {key: value for key, value in self.functions.items() if key in names}
        self._losses.change("tool_choice (other tools are not offered)")
        return self.choose(choice.get("mode", "auto"))

    def _add_all(self, tools: Any, *, at: str, namespace: str | None) -> None:
        for number, tool in enumerate(tools if isinstance(tools, list | tuple) else ()):
            self._add(tool, f"{at}[{number}]", namespace=namespace)

    def _add(self, tool: Any, at: str, *, namespace: str | None) -> None:
        kind = tool.get("type") if isinstance(tool, dict) else None
        if not isinstance(tool, dict) or not isinstance(kind, str) or kind in _UNSPEAKABLE:
            raise refusal(
                f"{at}: a tool of type {kind!r} cannot be sent to this provider;"
                " describe it as a function",
                param=at,
            )
        if kind not in _KNOWN or (kind == SEARCH and tool.get("execution") != "client"):
            self._losses.drop(f"tools[] ({kind})")
            return
        if kind == SEARCH:
            self._offer(Tool(SEARCH, SEARCH), tool, parameters=tool.get("parameters"))
        else:
            self._add_named(tool, at, kind=kind, namespace=namespace)
        for key, value in tool.items():
            if key not in _KNOWN[kind] and value is not None:
                self._losses.drop(
                    f"tools[].{key}" + (f" (of a {kind})" if kind == _NAMESPACE else "")
                )
        if tool.get("defer_loading"):
            self._losses.change("tools[].defer_loading (offered from the beginning)")

    def _add_named(
        self, given: Mapping[str, Any], at: str, *, kind: str, namespace: str | None
    ) -> None:
        name = given.get("name")
        if not isinstance(name, str):
            raise refusal(f"{at} must have a name", param=f"{at}.name")
        if kind == _NAMESPACE:
            self._add_all(given.get("tools"), at=f"{at}.tools", namespace=name)
            return
        parameters = given.get("parameters")
        if kind == CUSTOM:
            self._losses.change(f"tools[] (custom, as a function with a string {INPUT})")
            parameters = _input_schema(given.get("format"))
        self._offer(Tool(kind, name, namespace), given, parameters=parameters)

    def _offer(self, tool: Tool, given: Mapping[str, Any], *, parameters: Any) -> None:
        if tool in self._names:
            return  # found by two searches
        name = _join_name(tool)
        if name in self._tools:
            name = mark_name(name, of=repr(tool))
        if tool.namespace is not None:
            self._losses.change("tools[].name (with its namespace)")
        elif name != tool.name:
            self._losses.change("tools[].name (shorter, or in other characters)")
        self._names[tool] = name
        self._tools[name] = tool
        self.functions[name] = write_function(
            name,
            parameters=parameters or NO_PARAMETERS,
            description=given.get("description"),
            strict=given.get("strict") or None,
        )


def _later_tools(items: Any) -> Iterator[tuple[int, Any]]:
    """Find the tools that came up in the middle of a conversation."""
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict) and item.get("type") in (
            "tool_search_output",
            "additional_tools",
        ):
            yield number, item.get("tools")


def _named(choice: Mapping[str, Any]) -> Tool:
    kind, name, namespace = choice.get("type"), choice.get("name"), choice.get("namespace")
    if kind == SEARCH:
        name = SEARCH
    return Tool(str(kind), str(name), namespace if isinstance(namespace, str) else None)


def _input_schema(described: Any) -> dict[str, Any]:
    """Describe the text of a custom tool; a grammar stands there in its own words."""
    text = {"type": "string"}
    definition = described.get("definition") if isinstance(described, dict) else None
    if isinstance(definition, str):
        text["description"] = definition
    return {
        "type": "object",
        "properties": {INPUT: text},
        "required": [INPUT],
        "additionalProperties": False,
    }


def _join_name(tool: Tool) -> str:
    """Write the name of a tool, with its namespace if it has one."""
    if tool.namespace is None:
        return fit_name(tool.name)
    between = "" if tool.namespace.endswith("__") else "__"
    name = allowed_characters(f"{tool.namespace}{between}{tool.name}")
    return name if len(name) <= LONGEST else mark_name(name, of=repr(tool))
