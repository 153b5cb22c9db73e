"""Transcript: messages and tools as a person reads them.

It knows the words (`messages.py`) and no wire language. A result is shown under the name of its
call and the beginning of its arguments; whatever a word holds besides follows it.
Invariants: headings of ours stand at the margin or one step in, recorded text deeper; nothing that
was recorded is left out but bytes, of which kind and size are noted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dolphin_logger.cli.blocks import (
    INDENT,
    block,
    bytes_note,
    members,
    pairs,
    pretty,
    seal_note,
    url_note,
)
from dolphin_logger.cli.output import neutralise, paint, shorten
from dolphin_logger.messages import (
    File,
    Image,
    Message,
    Other,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

_ARGUMENTS = 60  # characters of a call's arguments beside its result
_UNNAMED = {"", "response"}  # names that say nothing of what is in a result


def write_message(label: str, message: Message, *, calls: Mapping[str, ToolCall]) -> Iterator[str]:
    """Write one message: who speaks, then its parts in order, then what it holds besides."""
    about = join(" ", message.role or "?", message.name and f"name {message.name}")
    yield paint(f"{label} {neutralise(about)}", "cyan", bold=True)
    for part in message.parts:
        yield from _part(part, depth=1, calls=calls)
    yield from pairs(message.rest, depth=1)


def write_tool(tool: ToolDefinition) -> Iterator[str]:
    """Write one definition: its name, what it does, the schema of its arguments."""
    yield _label(tool.name or "?", "yellow", depth=1)
    if tool.description:
        yield from block(tool.description, depth=2)
    if tool.schema is not None:
        yield from block(pretty(tool.schema), depth=2)
    yield from pairs(tool.rest, depth=1)


def calls_by_id(messages: Iterable[Message]) -> dict[str, ToolCall]:
    """Find the call that each id names."""
    return {
        part.id: part
        for message in messages
        for part in message.parts
        if isinstance(part, ToolCall) and part.id is not None
    }


def join(separator: str, *parts: object) -> str:
    """Join what is there."""
    return separator.join(str(part) for part in parts if part)


def _part(part: Part, *, depth: int, calls: Mapping[str, ToolCall]) -> Iterator[str]:
    """Write a part: a label of ours at this depth, where it needs one; what was recorded, deeper."""
    match part:
        case Text():
            yield from block(part.text, depth=depth + 1)
        case Refusal():
            yield _label("refusal:", "red", depth=depth)
            yield from block(part.text, depth=depth + 1)
        case Reasoning():
            yield from _reasoning(part, depth=depth)
        case ToolCall():
            yield from _call(part, depth=depth)
        case ToolResult():
            yield from _result(part, depth=depth, calls=calls)
        case Image():
            shown = _bytes(part.url, part.data, part.media_type)
            yield _label(join(" ", "[image]", shown), "yellow", depth=depth)
        case File():
            shown = _bytes(part.url, part.data, part.media_type)
            yield _label(join(" ", "[file]", part.name, shown), "yellow", depth=depth)
            if part.text:
                yield from block(part.text, depth=depth + 1)
        case Other():
            yield from _other(part, depth=depth)
            return
    yield from pairs(part.rest, depth=depth)


def _reasoning(part: Reasoning, *, depth: int) -> Iterator[str]:
    seal = None if part.signature is None else seal_note(part.signature)
    yield _label(join(" ", "reasoning:", seal), "magenta", depth=depth)
    if part.text:
        yield from block(part.text, depth=depth + 1)


def _call(call: ToolCall, *, depth: int) -> Iterator[str]:
    kind = call.kind if call.kind != "function" else None
    about = join(" ", "tool call", call.name or "?", call.id and f"id {call.id}", kind)
    yield _label(about, "yellow", depth=depth)
    if isinstance(call.arguments, str):
        if call.arguments:
            yield from block(call.arguments, depth=depth + 1)
    elif any(isinstance(value, str) and "\n" in value for value in call.arguments.values()):
        yield from members(call.arguments, depth=depth + 1)
    else:
        yield from block(pretty(call.arguments), depth=depth + 1)


def _result(result: ToolResult, *, depth: int, calls: Mapping[str, ToolCall]) -> Iterator[str]:
    call = calls.get(result.call_id or "")
    about = join(
        " ",
        "tool error" if result.is_error else "tool result",
        result.name or (call.name if call else None),
        call and _beginning(call.arguments),
        result.call_id and f"id {result.call_id}",
    )
    yield _label(about, "red" if result.is_error else "yellow", depth=depth)
    for part in result.parts:
        yield from _part(part, depth=depth + 1, calls=calls)


def _beginning(arguments: dict[str, Any] | str) -> str:
    try:
        text = (
            arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        )
    except RecursionError:
        return "…"
    return "" if text == "{}" else shorten(text, limit=_ARGUMENTS)


def _other(part: Other, *, depth: int) -> Iterator[str]:
    if part.kind not in _UNNAMED:
        yield _label(f"[{part.kind}]", "yellow", depth=depth)
    if isinstance(part.value, dict):
        named = part.value.get("type") == part.kind
        fields = {key: part.value[key] for key in part.value if key != "type" or not named}
        yield from members(fields, depth=depth + 1)
    else:
        text = part.value if isinstance(part.value, str) else pretty(part.value)
        yield from block(text, depth=depth + 1)


def _bytes(url: str | None, data: str | None, media_type: str | None) -> str:
    shown = [] if url is None else [url_note(url)]
    if data is not None:
        shown.append(bytes_note(data, media_type))
    elif media_type:
        shown.append(media_type)
    return " ".join(shown)


def _label(text: str, colour: str, *, depth: int) -> str:
    return paint(f"{INDENT * depth}{neutralise(text)}", colour)
