"""The canonical form of a message: what stays the same when a client sends it back.

Role, text, calls and results; no reasoning, ids, signatures, names of speakers or cache marks, which
clients drop and rewrite. What clients add of their own and change from call to call (reminders,
facts of the machine) is no part of it, nor is what the provider's own tools did.
Invariant: equal messages have equal forms in every wire language; an empty form says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

import orjson

from dolphin_logger.messages import (
    Content,
    File,
    Image,
    Message,
    Other,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

MODEL: Final = "assistant"
INSTRUCTIONS: Final = ("system", "developer")
HASH_BYTES: Final = 16
_TAGS: Final = ("system-reminder", "environment_context", "environment_details")
_ADDED: Final = re.compile(rf"<({'|'.join(_TAGS)})>.*?</\1>\s*", re.DOTALL)
# thoughts that models without a field for them write into their text, and what Open WebUI makes of them
_THOUGHT: Final = re.compile(
    r'\s*(?:<think>.*?</think>|<details type="reasoning".*?</details>)', re.DOTALL
)
_OF_THE_ITEM: Final = frozenset(["id", "status", "cache_control"])
_NO_WORDS: Final = frozenset(["additional_tools", "item_reference"])  # of the Responses language


def canonical(message: Message) -> bytes:
    """Give what a message says, as bytes; empty when it says nothing."""
    text = spoken(message)
    calls, results, others = [], [], []
    for part in message.parts:
        if isinstance(part, ToolCall):
            if part.kind != "server":
                calls.append(b"\x01" + part.name.encode(*_ANY) + b"\x02" + _arguments(part))
        elif isinstance(part, ToolResult):
            if message.role != MODEL:
                results.append(b"\x03" + _result(part))
        else:
            others += _beside(part)
    if not (text or calls or results or others):
        return b""
    said = [text.encode(*_ANY), *others, *calls, *results]
    role = "tool" if results and not text else message.role
    return b"\x00".join([role.encode(*_ANY), *said])


def hash_message(message: Message) -> bytes:
    """Hash what a message says; empty when it says nothing."""
    form = canonical(message)
    return digest(form) if form else b""


def digest(form: bytes) -> bytes:
    """Hash a form."""
    return blake2b(form, digest_size=HASH_BYTES).digest()


def spoken(message: Message) -> str:
    """Give the text of a message alone: its parts as one, without what is not the speaker's."""
    texts = [part.text for part in message.parts if isinstance(part, Text | Refusal)]
    text = clean("".join(texts))
    if message.role == MODEL and (text.startswith(("<think>", "<details"))):
        text = _THOUGHT.sub("", text, count=1).strip()
    return text


def clean(text: str) -> str:
    """Take off what clients add around and change from call to call."""
    if any(f"</{tag}>" in text for tag in _TAGS):
        text = _ADDED.sub("", text)
    return text.strip()


def conversed(messages: Iterable[Message]) -> Iterator[Message]:
    """Give what was said to and fro: no instructions, and what the model said at once as one."""
    made: list[Message] = []
    for message in messages:
        if message.role == MODEL:
            made.append(message)
            continue
        if message.role in INSTRUCTIONS or _is_frame(message):
            continue
        if made:
            yield _joined(made)
            made = []
        yield message
    if made:
        yield _joined(made)


def _joined(made: list[Message]) -> Message:
    """Make one message of those that the model made at once; the same object where it is one."""
    if len(made) == 1:
        return made[0]
    return Message(MODEL, tuple([part for message in made for part in message.parts]))


def strings(value: Any) -> Iterator[str]:
    """Give every text that stands in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


_ANY: Final = ("utf-8", "surrogatepass")


def _is_frame(message: Message) -> bool:
    """Tell an item that is neither side's words: tools that are announced among the messages."""
    if message.parts and not isinstance(message.parts[0], Other):
        return False
    return all(isinstance(part, Other) and part.kind in _NO_WORDS for part in message.parts)


def _arguments(call: ToolCall) -> bytes:
    if isinstance(call.arguments, str):
        return call.arguments.strip().encode(*_ANY) or b"{}"
    return _json(call.arguments)


def _result(result: ToolResult) -> bytes:
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    said = [clean("".join(texts)).encode(*_ANY)]
    for part in result.parts:
        said += _beside(part)
    return b"\x04".join(said)


def _beside(part: Content) -> list[bytes]:
    """Give what a part says that is no text."""
    if isinstance(part, Text | Refusal | Reasoning):
        return []
    if isinstance(part, Image):
        return [_where(part.url, part.data)]
    if isinstance(part, File):
        return [_where(part.url, part.data), (part.text or part.name or "").encode(*_ANY)]
    value = part.value
    if isinstance(value, dict):
        value = {key: inner for key, inner in value.items() if key not in _OF_THE_ITEM}
    return [part.kind.encode(*_ANY) + _json(value)]


def _where(url: str | None, data: str | None) -> bytes:
    """Give a picture's or a file's content, or its address; a `data:` address is its content."""
    if url and url.startswith("data:"):
        data = url.partition(",")[2]
    return digest((data or url or "").encode(*_ANY))


def _json(value: Any) -> bytes:
    """Write JSON in one way; JavaScript, and so many a client, has no `1.0`."""
    text = _dump(value)
    return _dump(_whole(value)) if b".0" in text else text


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # lone surrogates, integers beyond 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value
