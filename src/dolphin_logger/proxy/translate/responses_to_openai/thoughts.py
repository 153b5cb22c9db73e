"""What the model thought: how a reasoning item carries it, and what only a provider can read.

A client that asks for `reasoning.encrypted_content` sends the thought back in it, because it does not
send the readable text. There is nothing to hide, so it is sealed in name only. What a response has no
words for (signatures, the provider's name for thoughts) is kept by tool-call id.
It knows messages and reasoning items, no streams. Invariant: a seal that is not ours is never opened.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

SEALED: Final = "reasoning.encrypted_content"  # in a request's `include`

_OURS: Final = "dolphin-logger:1:"
_AROUND: Final = ("reasoning_details", "thinking_blocks")
_OTHER_WORDS: Final = ("reasoning", "thinking")  # for `reasoning_content`


def seal(thought: str) -> str:
    """Write a thought as `encrypted_content`."""
    return _OURS + base64.b64encode(thought.encode("utf-8", "surrogatepass")).decode()


def read_thought(item: Mapping[str, Any]) -> str:
    """Read a reasoning item of the history; empty when nobody here can."""
    return (
        _join(item.get("content"))
        or _unseal(item.get("encrypted_content"))
        or _join(item.get("summary"))
    )


def is_foreign(sealed: Any) -> bool:
    """Say whether `encrypted_content` is somebody else's."""
    return bool(sealed) and not (isinstance(sealed, str) and sealed.startswith(_OURS))


def keep(native: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a response cannot carry of a complete chat completion, by tool-call id."""
    message = _first_message(native)
    calls = message.get("tool_calls")
    around: dict[str, Any] = {key: message[key] for key in _AROUND if message.get(key)}
    if isinstance(message.get("content"), list):
        around["content"] = message["content"]
    word = "" if message.get("reasoning_content") else _other_word(message)
    kept: dict[str, Any] = {}
    for call in calls if isinstance(calls, list) else ():
        if not isinstance(call, dict) or not isinstance(call.get("id"), str):
            continue
        entry: dict[str, Any] = {"message": around} if around else {}
        if word:
            entry["word"] = word
        if call.get("extra_content"):
            entry["extra_content"] = call["extra_content"]
        if entry:
            kept[call["id"]] = entry
    return kept


def put_back(message: dict[str, Any], entries: Mapping[str, Any]) -> None:
    """Complete an assistant message with what was kept; `entries` by tool-call id."""
    for call in message["tool_calls"]:
        extra = _field(entries.get(call["id"]), "extra_content")
        if extra is not None:
            call["extra_content"] = extra
    first = entries.get(message["tool_calls"][0]["id"])
    word = _field(first, "word")
    if isinstance(word, str) and "reasoning_content" in message:
        message[word] = message.pop("reasoning_content")
    around = _field(first, "message")
    if not isinstance(around, dict):
        return
    message |= {key: around[key] for key in _AROUND if key in around}
    parts = around.get("content")
    if isinstance(parts, list) and _join(parts) == (message.get("content") or ""):
        message["content"] = parts  # Mistral's: the thought is one of them
        message.pop("reasoning_content", None)


def _field(entry: Any, key: str) -> Any:
    return entry.get(key) if isinstance(entry, dict) else None


def _first_message(native: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = native.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    return message if isinstance(message, dict) else {}


def _other_word(message: Mapping[str, Any]) -> str:
    found = (word for word in _OTHER_WORDS if isinstance(message.get(word), str))
    return next((word for word in found if message[word]), "")


def _join(parts: Any) -> str:
    """Join the texts of parts; those without text say nothing."""
    texts = (
        part.get("text")
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict)
    )
    return "".join(text for text in texts if isinstance(text, str))


def _unseal(sealed: Any) -> str:
    if not sealed or is_foreign(sealed):
        return ""
    try:
        encoded = sealed.removeprefix(_OURS)
        return base64.b64decode(encoded, validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return ""
