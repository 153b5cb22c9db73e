"""Gemini's contents and candidates, in words.

A part has no type: the key that it holds says what it is, and clients mix `camelCase` with the
`snake_case` that Google takes too. Its `model` is everybody else's `assistant`.
Invariant: never raises, whatever stands in a request or an answer. A thought's signature is the
thought's; one on another part stays in that part's `rest`.

Source: https://ai.google.dev/api/caching#Content and https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dolphin_logger.dialects._fields import take_list, take_object, take_text
from dolphin_logger.dialects._read_parts import put_back
from dolphin_logger.dialects._read_tools import read_tool, take_objects
from dolphin_logger.messages import (
    Answered,
    Asked,
    Choice,
    Content,
    File,
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

_ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {"model": "assistant", "": "user", "function": "tool"}
)
_DECLARATIONS: Final = ("functionDeclarations", "function_declarations")
_CODE: Final = "code_execution"


def read_gemini_request(request: Mapping[str, Any]) -> Asked:
    """Read the system instruction, the contents and the tools."""
    rest = dict(request)
    messages = [
        _read_content(rest.pop(key), role="system")
        for key in ("systemInstruction", "system_instruction")
        if rest.get(key)
    ]
    messages += [_read_content(content) for content in _listed(rest.pop("contents", None))]
    tools = [tool for entry in take_objects(rest, "tools") for tool in _read_tools(entry)]
    return Asked(tuple(messages), tuple(tools), rest)


def read_gemini_response(response: Mapping[str, Any]) -> Answered:
    """Read every candidate."""
    rest = dict(response)
    candidates = take_list(rest, "candidates") or ()
    return Answered(tuple([_read_candidate(candidate) for candidate in candidates]), rest)


def _read_candidate(candidate: Any) -> Choice:
    if not isinstance(candidate, dict):
        return Choice(Message("", (Other("", candidate),)))
    rest = dict(candidate)
    message = _read_content(rest.pop("content", None) or {}, role="assistant")
    return Choice(message, take_text(rest, "finishReason", "finish_reason"), rest)


def _read_content(content: Any, *, role: str | None = None) -> Message:
    """Read a content; a text alone is one too. A role that is known needs none to be said."""
    if isinstance(content, str):
        return Message(role or "user", (Text(content),))
    if not isinstance(content, dict):
        return Message(role or "", (Other("", content),))
    rest = dict(content)
    said = take_text(rest, "role") or ""
    parts = tuple([_read_part(part) for part in _listed(rest.pop("parts", None))])
    return Message(role or _ROLES.get(said, said), parts, rest=rest)


def _listed(value: Any) -> list[Any]:
    """Take one thing for a list of one, as Google does."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _read_part(part: Any) -> Part:
    if isinstance(part, str):
        return Text(part)
    if not isinstance(part, dict):
        return Other("", part)
    return _read_said(dict(part)) or _read_called(dict(part)) or Other("", part)


def _read_said(rest: dict[str, Any]) -> Content | None:
    """Read text, a thought, or a file."""
    text = take_text(rest, "text")
    if text is not None and rest.get("thought") is True:
        del rest["thought"]
        return Reasoning(text, take_text(rest, "thoughtSignature", "thought_signature"), rest)
    if text is not None:
        return Text(text, rest)
    for key in ("inlineData", "inline_data", "fileData", "file_data"):
        inner = take_object(rest, key)
        if inner is not None:
            return _read_file(rest, inner, key=key)
    return None


def _read_file(rest: dict[str, Any], inner: dict[str, Any], *, key: str) -> Image | File:
    kind = take_text(inner, "mimeType", "mime_type")
    url, data = take_text(inner, "fileUri", "file_uri"), take_text(inner, "data")
    name = take_text(inner, "displayName", "display_name")
    put_back(rest, key, inner)
    if kind and kind.startswith("image/") and name is None:
        return Image(url, data, kind, rest)
    return File(name=name, url=url, data=data, media_type=kind, rest=rest)


def _read_called(rest: dict[str, Any]) -> ToolCall | ToolResult | None:
    """Read a call or a result, of the client's tools or of Google's own."""
    for key in ("functionCall", "function_call", "toolCall", "tool_call"):
        inner = take_object(rest, key)
        if inner is not None:
            call = ToolCall(
                name=take_text(inner, "name", "toolType", "tool_type") or "",
                arguments=take_object(inner, "args") or {},
                id=take_text(inner, "id"),
                kind="function" if key.startswith("function") else "server",
                rest=rest,
            )
            put_back(rest, key, inner)
            return call
    for key in ("functionResponse", "function_response", "toolResponse", "tool_response"):
        inner = take_object(rest, key)
        if inner is not None:
            return _read_result(rest, inner, key=key)
    return _read_code(rest)


def _read_result(rest: dict[str, Any], inner: dict[str, Any], *, key: str) -> ToolResult:
    response = inner.pop("response", None)
    parts: list[Content] = [] if response is None else [Other("response", response)]
    for part in take_list(inner, "parts") or ():
        content = _read_said(dict(part)) if isinstance(part, dict) else None
        parts.append(content or Other("", part))
    result = ToolResult(
        call_id=take_text(inner, "id"),
        parts=tuple(parts),
        is_error=isinstance(response, dict) and response.keys() == {"error"},
        name=take_text(inner, "name", "toolType", "tool_type"),
        rest=rest,
    )
    put_back(rest, key, inner)
    return result


def _read_code(rest: dict[str, Any]) -> ToolCall | ToolResult | None:
    """Read code that Google runs, and what it printed."""
    code = take_object(rest, "executableCode", "executable_code")
    if code is not None:
        identity = take_text(code, "id")
        return ToolCall(_CODE, code, identity, kind="server", rest=rest)
    ran = take_object(rest, "codeExecutionResult", "code_execution_result")
    if ran is None:
        return None
    output = take_text(ran, "output")
    result = ToolResult(
        call_id=take_text(ran, "id"),
        parts=(Text(output),) if output else (),
        is_error=ran.get("outcome") not in ("OUTCOME_OK", None),
        name=_CODE,
        rest=rest,
    )
    put_back(rest, "codeExecutionResult", ran)
    return result


def _read_tools(entry: dict[str, Any]) -> list[ToolDefinition]:
    """Read one entry: a list of functions, or Google's tools by their keys."""
    rest = dict(entry)
    tools = [read_tool(tool) for key in _DECLARATIONS for tool in take_objects(rest, key)]
    return tools + [ToolDefinition(key, rest={key: value}) for key, value in rest.items()]
