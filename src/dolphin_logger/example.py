"""The words of a dataset: what an exporter turns into rows.

Everything in an example is a plain JSON value, so that it can be cleaned, hashed and written without
knowing what it means. Messages have the chat form that trainers load (`chat_of`); no files, no
columns. Invariant: nothing is invented: what a record does not tell is missing or null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from dolphin_logger.messages import (
    Content,
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

Json: TypeAlias = Any
Chat: TypeAlias = dict[str, Json]
"""One message in chat form.

`role`: system, user, assistant or tool. `content`: a string, or a list of parts `{"type": "text", "text"}`
and `{"type": "image", "image": <url or data: url>}`. An assistant may have `reasoning_content` (a string)
and `tool_calls`: `[{"type": "function", "id"?, "function": {"name", "arguments": {...}}}]`, arguments always
an object. A tool message has `tool_call_id`? and `name`?. Source: the chat templates of transformers, TRL.
"""


class Unit(StrEnum):
    """What an exporter makes rows of."""

    LEAF = "leaf"  # an Example: a whole conversation, one for each end of its branches
    TURN = "turn"  # an Example: one recorded call, the history its prompt
    PAIR = "pair"  # a Pair
    SESSION = "session"  # a Session: a conversation with its branches and sub-agents
    EXCHANGE = "exchange"  # an Exchanged: request and answer as they were recorded


@dataclass(frozen=True, slots=True)
class Example:
    """A history and the answer that ends it.

    Attributes:
        id: of the record whose answer is the last one.
        messages: in chat form, instructions first; `completion` is the index where the answer begins.
        tools: `{"type": "function", "function": {"name", "description"?, "parameters"?}}`.
        metadata: facts of the record and its labels: `conversation`, `record`, `models`, `providers`,
            `client`, `time` (of the first and last record), `tokens`, `finish_reason`, `rating`, `tags`, `source`.
    """

    id: str
    conversation: str
    messages: list[Chat]
    completion: int
    tools: list[Json] = field(default_factory=list)
    metadata: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt, one of them better.

    `signal` says how that is known: regenerate, edit, n_best or label. `metadata` holds the ids of both
    records as `chosen_record` and `rejected_record` (the same one for an edit or one of n).
    """

    id: str
    conversation: str
    prompt: list[Chat]
    chosen: list[Chat]
    rejected: list[Chat]
    signal: str
    tools: list[Json] = field(default_factory=list)
    metadata: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a session: what was new before it, and its answers.

    `relation` and `parent` as stitching placed it (`conversation.Relation`); `time` is RFC 3339.
    `agent`: name of the sub-agent's thread, None for the main one. `usage`: counts of tokens by name.
    """

    id: str
    parent: str | None
    relation: str
    time: str
    outcome: str
    model: str | None
    provider: str | None
    messages: list[Chat]
    answers: list[Chat]
    tools: list[Json] = field(default_factory=list)
    agent: str | None = None
    finish_reason: str | None = None
    usage: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation with its branches, retries and sub-agents, in the order of time.

    `native` holds the lines of the client's own session file, where one was imported and kept.
    """

    id: str
    conversation: str
    client: str | None
    steps: list[Step]
    native: list[Json] = field(default_factory=list)
    metadata: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request and its answer in the words of the client's own language."""

    id: str
    conversation: str
    request: Json
    response: Json
    metadata: dict[str, Json] = field(default_factory=dict)


Piece: TypeAlias = Example | Pair | Session | Exchanged


def chats_of(messages: Iterable[Message]) -> list[Chat]:
    """Write messages in chat form; one that holds results of tools becomes one message for each."""
    return [chat for message in messages for chat in _chats(message)]


def tool_of(tool: ToolDefinition) -> Json:
    """Write the definition of a tool as chat templates expect it."""
    function: dict[str, Json] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = tool.schema
    return {"type": "function", "function": function}


def _chats(message: Message) -> Iterable[Chat]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    others = [part for part in message.parts if not isinstance(part, ToolResult)]
    for result in results:
        chat: Chat = {"role": "tool", "content": _content(result.parts)}
        if result.call_id is not None:
            chat["tool_call_id"] = result.call_id
        if result.name is not None:
            chat["name"] = result.name
        yield chat
    if others or not results:
        yield _chat(message, others)


def _chat(message: Message, parts: Sequence[Part]) -> Chat:
    role = "system" if message.role == "developer" else message.role or "user"
    calls = [part for part in parts if isinstance(part, ToolCall)]
    thoughts = [part.text for part in parts if isinstance(part, Reasoning) and part.text]
    said = [part for part in parts if not isinstance(part, ToolCall | ToolResult | Reasoning)]
    chat: Chat = {"role": role, "content": _content(said)}
    if thoughts:
        chat["reasoning_content"] = "\n".join(thoughts)
    if calls:
        chat["tool_calls"] = [_call(call) for call in calls]
    return chat


def _call(call: ToolCall) -> Json:
    arguments = call.arguments if isinstance(call.arguments, dict) else {"input": call.arguments}
    function = {"name": call.name, "arguments": arguments}
    return {"type": "function", **({"id": call.id} if call.id else {}), "function": function}


def _content(parts: Iterable[Content]) -> str | list[Json]:
    """Give a string where there is nothing but text, else a list of parts."""
    written = [found for part in parts if (found := _part(part)) is not None]
    if all(part["type"] == "text" for part in written):
        return "".join(part["text"] for part in written)
    return written


def _part(part: Content) -> dict[str, Json] | None:
    if isinstance(part, Text | Refusal):
        return {"type": "text", "text": part.text}
    if isinstance(part, Image):
        media = part.media_type or "image/png"
        return {"type": "image", "image": part.url or f"data:{media};base64,{part.data or ''}"}
    if isinstance(part, File):
        return {"type": "text", "text": part.text or f"[file {part.name or part.media_type or ''}]"}
    if isinstance(part, Other):
        return {"type": "text", "text": f"[{part.kind}]"}
    return None
