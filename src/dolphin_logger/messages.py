"""The words that every wire language is reduced to. Pure values; no dialect, no I/O.

A message has a role and ordered parts. Every word keeps what it has no field for in `rest`, as JSON
values: words and rests together say all that was said. Two words are equal when they say the same,
whatever their rests (ids of items, cache marks, statuses) hold.
Invariant: nothing is copied that is long, and nothing is invented; unknown is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None means unknown, never zero.

    Source: OpenTelemetry GenAI `gen_ai.usage.*`: `input_tokens` includes cached ones.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Words that were said."""

    text: str
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Words with which a model refused, where its language tells them from others."""

    text: str
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A thought. `signature`: the vendor's seal on it, or the thought itself, encrypted."""

    text: str
    signature: str | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wants made.

    Attributes:
        name: what is called; empty when nothing says so.
        arguments: an object; where the model wrote something else (models do), the text as it is.
        id: what its result refers to; some languages have none.
        kind: `function`; `custom` when its argument is a text by design; `server` when the provider
            makes the call itself; else the vendor's own word.
    """

    name: str
    arguments: dict[str, Any] | str
    id: str | None = None
    kind: str = "function"
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: `url` (also a `data:` one), or `data` in base64."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class File:
    """A document, a sound or a film: `url` (also a `data:` one), `data` in base64, or its `text`."""

    name: str | None = None
    url: str | None = None
    data: str | None = None
    text: str | None = None
    media_type: str | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Other:
    """What no word here says: the whole JSON value, and the name that its language has for it."""

    kind: str
    value: Any


Content: TypeAlias = Text | Refusal | Reasoning | Image | File | Other


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave. `call_id` is its call's `id`; where there are no ids, `name` its name."""

    call_id: str | None
    parts: tuple[Content, ...]
    is_error: bool = False
    name: str | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


Part: TypeAlias = Content | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said.

    `role` is `system`, `developer`, `user`, `assistant`, `tool`, or the vendor's own word; empty when
    nothing says so. `name` is the speaker's, where one is given.
    """

    role: str
    parts: tuple[Part, ...]
    name: str | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool that a model may call; `schema` is the JSON schema of its arguments."""

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to a request; `finish_reason` in the vendor's word."""

    message: Message
    finish_reason: str | None = None
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in words: the whole history, system messages included, in order."""

    messages: tuple[Message, ...] = ()
    tools: tuple[ToolDefinition, ...] = ()
    rest: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer in words; without choices when it is an error, or no conversation."""

    choices: tuple[Choice, ...] = ()
    rest: dict[str, Any] = field(default_factory=dict, compare=False)
