"""The words of a dataset: what an exporter turns into rows.

Everything in an example is a plain JSON value, so that it can be cleaned, hashed and written without
knowing what it means. Messages have the chat form that trainers load (`chat_of`); no files, no
columns. Invariant: nothing is invented: what a record does not tell is missing or null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import Any, Final, TypeAlias

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

Json: TypeAlias = Any
Chat: TypeAlias = dict[str, Json]
"""One message in chat form.

`role`: system, user, assistant or tool, else the vendor's own word. `content`: a string, also when it is
empty, or a list of parts `{"type": "text", "text"}` and `{"type": "image", "image": <url or data: url>}`
where there is a picture. An assistant may have `reasoning_content` (a string) and `tool_calls`:
`[{"type": "function", "id"?, "function": {"name", "arguments": {...}}}]`, arguments always an object; a
text that is no object (custom tools take one by design) becomes `{"input": text}`. A tool message has
`tool_call_id`? and `name`?; another's `name` is the speaker's. Seals on thoughts are never part of it.
Source: the chat templates of transformers and TRL.
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

# the first characters of a picture in base64, and what it is: PNG, JPEG, GIF, WebP signatures
_PICTURES: Final = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
}
_CARRIED: Final = "__thought__"  # LiteLLM carries Google's seal behind it, in the id of a call
_SEAL: Final = re.compile(
    r"encrypted_\w+|\w*encrypted_?content|\w*(thought|thinking|reasoning|text)_?signatures?|reasoning_opaque",
    re.IGNORECASE,
)
_INSTRUCTIONS: Final = ("system", "developer")
_NOTE: Final = "x-anthropic-billing-header:"  # Claude Code's, in front of its instructions; it differs each time
_THOUGHTS: Final = ("thinking", "reasoning", "redacted_")
_OF_A_TOOL: Final = frozenset(("input", "args", "arguments", "response"))
# what stands between two texts of one message: an answer comes in pieces, the others are put together
_SEAMS: Final = {"assistant": "", "system": "\n\n"}


def chats_of(messages: Iterable[Message]) -> list[Chat]:
    """Write messages in chat form.

    What a client put together is taken apart (results of tools and the words beside them), in the order
    in which a chat has it; instructions that follow each other become one message, as templates want,
    and an empty answer in front of another one, as some clients send it, is none.
    """
    chats: list[Chat] = []
    for message in messages:
        for chat in _chats(message):
            if chats and _is_one_instruction(chats[-1], chat):
                chats[-1] = {"role": "system", "content": _join(chats[-1], chat)}
            elif chats and _is_nothing_before(chats[-1], chat):
                chats[-1] = chat
            else:
                chats.append(chat)
    return chats


def tool_of(tool: ToolDefinition) -> Json:
    """Write the definition of a tool as chat templates expect it; a custom one takes `input`, a text."""
    function: dict[str, Json] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = tool.schema
    elif tool.rest.get("type") == "custom":
        takes = {"input": {"type": "string"}}
        function["parameters"] = {"type": "object", "properties": takes, "required": ["input"]}
    return {"type": "function", "function": function}


def unsealed(value: Json, *, of_thought: bool = False) -> Json:
    """Give a recorded value without providers' seals on thoughts; what tools take and give is left alone.

    They are encrypted or signed, so nobody can say what is in them, and only their provider reads them.
    `of_thought`: the value lies within a thought, where names alone that others use too are seals.
    Source: the wire languages of Anthropic, Google, OpenAI, OpenRouter and LiteLLM; files of agents.
    """
    if isinstance(value, list):
        return [unsealed(inner, of_thought=of_thought) for inner in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    of_thought = of_thought or (isinstance(kind, str) and kind.startswith(_THOUGHTS))
    is_named = isinstance(value.get("name"), str)
    kept = {}
    for key, inner in value.items():
        if isinstance(inner, str | list) and _SEAL.fullmatch(key):
            continue
        if of_thought and key in ("signature", "data"):
            continue
        if isinstance(inner, str) and key.endswith("id"):
            kept[key] = _bare_id(inner)
        else:
            is_a_tools = is_named and key in _OF_A_TOOL
            kept[key] = inner if is_a_tools else unsealed(inner, of_thought=of_thought)
    return kept


def picture_type(data: str) -> str | None:
    """Tell by its first characters which kind of picture base64 is; None when it is none we know."""
    return next((kind for head, kind in _PICTURES.items() if data.startswith(head)), None)


def _chats(message: Message) -> Iterator[Chat]:
    """Take one message apart.

    An answer keeps its order: what a provider ran itself stands between its call and what was said
    then. For all others results come first: they belong right behind the calls of the answer before.
    """
    if not message.role and all(isinstance(part, Other) for part in message.parts):
        return  # an item of a vendor's own that nobody said
    if message.role in _INSTRUCTIONS and any(map(_is_note, message.parts)):
        message = replace(message, parts=tuple(one for one in message.parts if not _is_note(one)))
        if not message.parts:
            return
    groups = [
        (is_result, list(parts))
        for is_result, parts in groupby(message.parts, lambda part: isinstance(part, ToolResult))
    ]
    if message.role != "assistant":
        groups = [
            (True, [part for is_result, parts in groups if is_result for part in parts]),
            (False, [part for is_result, parts in groups if not is_result for part in parts]),
        ]
    has_said = False
    for is_result, parts in groups:
        made = map(_result, parts) if is_result else [_chat(message, parts)]
        for chat in made:
            if is_result or _says_something(chat):
                has_said = True
                yield chat
    if not has_said:
        yield _chat(message, ())


def _is_note(part: Part) -> bool:
    return isinstance(part, Text) and part.text.startswith(_NOTE)


def _result(part: Part) -> Chat:
    assert isinstance(part, ToolResult)
    content = _content(part.parts, seam="\n", of_tool=True)
    found = part.rest.get("tools")  # of a search for tools
    chat: Chat = {"role": "tool", "content": content or (_json_text(found) if found else "")}
    if part.call_id is not None:
        chat["tool_call_id"] = _bare_id(part.call_id)
    if part.name is not None:
        chat["name"] = part.name
    return chat


def _chat(message: Message, parts: Sequence[Part]) -> Chat:
    role = "system" if message.role in _INSTRUCTIONS else message.role or "user"
    calls = [part for part in parts if isinstance(part, ToolCall)]
    thoughts = [part.text for part in parts if isinstance(part, Reasoning) and part.text]
    chat: Chat = {"role": role, "content": _content(parts, seam=_SEAMS.get(role, "\n"))}
    if message.name is not None:
        chat["name"] = message.name
    if thoughts:
        chat["reasoning_content"] = "\n\n".join(thoughts)
    if calls:
        chat["tool_calls"] = [_call(call) for call in calls]
    return chat


def _says_something(chat: Chat) -> bool:
    return bool(chat["content"]) or not chat.keys().isdisjoint(("reasoning_content", "tool_calls"))


def _is_one_instruction(chat: Chat, following: Chat) -> bool:
    plain = {"role", "content"}
    return (
        chat["role"] == following["role"] == "system" and chat.keys() == following.keys() == plain
    )


def _is_nothing_before(chat: Chat, following: Chat) -> bool:
    is_one_answer = chat["role"] == following["role"] == "assistant"
    return is_one_answer and not _says_something(chat)


def _join(chat: Chat, following: Chat) -> str | list[Json]:
    first, second = chat["content"], following["content"]
    if isinstance(first, str) and isinstance(second, str):
        return "\n\n".join(filter(None, (first, second)))
    return [*_listed(first), *_listed(second)]


def _listed(content: str | list[Json]) -> list[Json]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


def _call(call: ToolCall) -> Json:
    arguments = call.arguments
    if not isinstance(arguments, dict):
        arguments = {"input": arguments} if arguments or call.kind == "custom" else {}
    function = {"name": call.name, "arguments": arguments}
    return {
        "type": "function",
        **({"id": _bare_id(call.id)} if call.id else {}),
        "function": function,
    }


def _bare_id(identity: str) -> str:
    return identity.partition(_CARRIED)[0]


def _content(parts: Sequence[Part], *, seam: str, of_tool: bool = False) -> str | list[Json]:
    """Give a string where there is nothing but text, else a list of parts.

    `seam` joins texts that follow each other; those with a thought or a call between are paragraphs.
    """
    said = []
    for place, part in enumerate(parts):
        written = _part(part, of_tool=of_tool)
        if written is not None and written.get("text") != "":
            said.append((place, written))
    if any(written["type"] != "text" for _, written in said):
        return [written for _, written in said]
    text, last = "", -1
    for place, written in said:
        if text:
            text += seam if place == last + 1 else "\n\n"
        text, last = text + written["text"], place
    return text


def _part(part: Part, *, of_tool: bool) -> dict[str, Json] | None:
    if isinstance(part, Text | Refusal):
        return _text(part.text)
    if isinstance(part, Image):
        return _picture(part)
    if isinstance(part, File):
        return _text(part.text or f"[file {part.name or part.media_type or ''}".rstrip() + "]")
    if isinstance(part, Other):
        return _text(_json_text(part.value) if of_tool else f"[{part.kind or 'unknown'}]")
    return None


def _text(text: str) -> dict[str, Json]:
    return {"type": "text", "text": text}


def _picture(part: Image) -> dict[str, Json]:
    if part.url:
        return {"type": "image", "image": part.url}
    if not part.data:
        return _text("[image]")  # only the provider has it
    media = part.media_type or picture_type(part.data) or "image/png"
    return {"type": "image", "image": f"data:{media};base64,{part.data}"}


def _json_text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(unsealed(value), ensure_ascii=False)
