"""OpenAI's Responses, in words: items become messages.

Items that a model made one after the other (thoughts, texts, calls) are one message of its, as the
answer that they came in was; each result is a message of role `tool`. A call that the provider runs
itself has its result beside it, in the same message.
Invariant: never raises, whatever stands in a request or an answer. What an item holds besides is in
the `rest` of its first part.

Source: https://platform.openai.com/docs/api-reference/responses/object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from dolphin_logger.dialects._fields import object_at, take_list, take_object, take_text
from dolphin_logger.dialects._read_parts import (
    read_arguments,
    read_content,
    read_parts,
)
from dolphin_logger.dialects._read_tools import read_tool, take_objects
from dolphin_logger.messages import (
    Answered,
    Asked,
    Choice,
    Content,
    Image,
    Message,
    Other,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

_MODEL: Final = "assistant"
_FROM_AGENT: Final = "agent_message"
_MESSAGES: Final = ("message", _FROM_AGENT)
_OF_THE_SERVER: Final = frozenset(
    ("web_search", "file_search", "code_interpreter", "image_generation", "mcp")
)
_OF_THE_MODEL: Final = frozenset(
    ("compaction", "item_reference", "mcp_approval_request", "mcp_list_tools")
)


def read_responses_request(request: Mapping[str, Any]) -> Asked:
    """Read the instructions, the input and the tools."""
    rest = dict(request)
    messages: list[Message] = []
    instructions = take_text(rest, "instructions")
    if instructions:
        messages.append(Message("system", (Text(instructions),)))
    said = take_text(rest, "input")
    if said is not None:
        messages.append(Message("user", (Text(said),)))
    tools = list(_definitions(take_objects(rest, "tools")))
    items = []
    for item in take_list(rest, "input") or []:
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            item = dict(item)  # noqa: PLW2901 - what it holds besides stays a message
            tools += _definitions(take_objects(item, "tools"))
        items.append(item)
    messages += _joined(items)
    return Asked(tuple(messages), tuple(tools), rest)


def _definitions(tools: list[dict[str, Any]]) -> Iterator[ToolDefinition]:
    """Read the tools of a list, and those that lie in its namespaces."""
    for tool in tools:
        inner = tool.get("tools")
        if tool.get("type") == "namespace" and isinstance(inner, list):
            space = {key: value for key, value in tool.items() if key not in ("type", "tools")}
            rest = {"tools": inner}
            for found in _definitions(take_objects(rest, "tools")):
                yield replace(found, rest={**found.rest, "namespace": space})
            if rest:
                yield read_tool({**tool, **rest})
        else:
            yield read_tool(tool)


def read_responses_response(response: Mapping[str, Any]) -> Answered:
    """Read all output as one message."""
    rest = dict(response)
    output = take_list(rest, "output")
    if output is None:
        return Answered(rest=rest)
    parts = [part for item in output for part in _parts_of(item)]
    reason = object_at(rest, "incomplete_details").get("reason")
    status = reason if isinstance(reason, str) else take_text(rest, "status")
    return Answered((Choice(Message(_MODEL, tuple(parts)), status),), rest)


def _joined(items: list[Any]) -> Iterator[Message]:
    """Join what the model made; everything else is a message of its own."""
    made: list[Part] = []
    for item in items:
        role = _role_of(item)
        if role == _MODEL:
            made += _parts_of(item)
            continue
        if made:
            yield Message(_MODEL, tuple(made))
            made = []
        yield _read_message(item) if _is_message(item) else Message(role, tuple(_parts_of(item)))
    if made:
        yield Message(_MODEL, tuple(made))


def _is_message(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type", "message") in (*_MESSAGES, None)


def _role_of(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    kind = item.get("type")
    if kind == _FROM_AGENT:
        return "user"
    if _is_message(item):
        role = item.get("role")
        return role if isinstance(role, str) else ""
    if not isinstance(kind, str):
        return ""
    if kind.endswith("_output"):
        return "tool"
    return _MODEL if kind == "reasoning" or _is_call(kind) or kind in _OF_THE_MODEL else ""


def _is_call(kind: str) -> bool:
    return kind.endswith("_call")


def _read_message(item: dict[str, Any]) -> Message:
    rest = dict(item)
    if rest.pop("type", None) == _FROM_AGENT:  # of Codex: another agent's words to this one
        author = take_text(rest, "author")
        return Message("user", read_parts(rest.pop("content", None)), author, rest)
    role, name = take_text(rest, "role"), take_text(rest, "name")
    return Message(role or "", read_parts(rest.pop("content", None)), name, rest)


def _parts_of(item: Any) -> list[Part]:
    """Read one item as parts."""
    if not isinstance(item, dict):
        return [Other("", item)]
    kind = item.get("type")
    if _is_message(item):
        message = _read_message(item)
        name = {} if message.name is None else {"name": message.name}
        return _with_rest(message.parts, {**message.rest, **name})
    if kind == "reasoning":
        return [_read_reasoning(dict(item))]
    if isinstance(kind, str) and _is_call(kind):
        return _read_call(dict(item), kind=kind)
    if isinstance(kind, str) and kind.endswith("_output"):
        return [_read_output(dict(item))]
    return [Other(kind if isinstance(kind, str) else "", item)]


def _with_rest(parts: tuple[Part, ...], rest: dict[str, Any]) -> list[Part]:
    """Hang what an item holds besides on its first part."""
    if not rest:
        return list(parts)
    if not parts or isinstance(parts[0], Other):
        return [Other("message", rest), *parts]
    return [replace(parts[0], rest={**parts[0].rest, **rest}), *parts[1:]]


def _read_reasoning(rest: dict[str, Any]) -> Reasoning:
    """Read a thought: its summary, its text, or the seal on it alone."""
    del rest["type"]
    texts: list[str] = []
    for key in ("summary", "content"):
        parts = rest.get(key)
        said = [
            part["text"]
            for part in (parts if isinstance(parts, list) else ())
            if isinstance(part, dict) and isinstance(part.get("text"), str) and len(part) <= 2
        ]
        if isinstance(parts, list) and len(said) == len(parts):
            del rest[key]
            texts += said
    text = texts[0] if len(texts) == 1 else "\n\n".join(texts)
    return Reasoning(text, take_text(rest, "encrypted_content"), rest)


def _read_call(rest: dict[str, Any], *, kind: str) -> list[Part]:
    """Read a call, and what it gave where the provider ran it."""
    del rest["type"]
    tool = kind.removesuffix("_call")
    named = {"function": "function", "custom_tool": "custom"}
    identity = take_text(rest, "call_id", "id")
    arguments = _take_arguments(rest)
    result = _take_result(rest)
    failed = bool(rest.get("error"))
    if failed:
        error = rest.pop("error")
        result = (*result, Text(error) if isinstance(error, str) else Other("error", error))
    call = ToolCall(
        name=take_text(rest, "name") or ("" if tool in named else tool),
        arguments=arguments,
        id=identity,
        kind="server" if tool in _OF_THE_SERVER else named.get(tool, tool),
        rest=rest,
    )
    return [call, ToolResult(identity, result, is_error=failed)] if result else [call]


def _take_arguments(rest: dict[str, Any]) -> dict[str, Any] | str:
    """Take what is called with; each tool has its own word for it."""
    text = take_text(rest, "arguments")
    if text is not None:
        return read_arguments(text)
    text = take_text(rest, "input", "code")
    if text is not None:
        return text
    queries = take_list(rest, "queries")
    if queries is not None:
        return {"queries": queries}
    return take_object(rest, "arguments", "action", "operation") or {}


def _take_result(rest: dict[str, Any]) -> tuple[Content, ...]:
    """Take what a call gave; each tool has its own word for it."""
    picture = take_text(rest, "result")
    if picture is not None:
        return (Image(data=picture),)
    for key in ("output", "outputs", "results"):
        if rest.get(key):
            return read_content(rest.pop(key))
    return ()


def _read_output(rest: dict[str, Any]) -> ToolResult:
    """Read what a client's tool gave."""
    del rest["type"]
    failed = rest.get("status") in ("failed", "incomplete")
    return ToolResult(
        take_text(rest, "call_id", "id"), _take_result(rest), is_error=failed, rest=rest
    )
