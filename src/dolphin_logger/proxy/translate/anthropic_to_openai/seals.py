"""What a message cannot carry of a chat completion, and the provider wants back beside its calls.

Some servers seal their thoughts: Google on each call, OpenRouter and LiteLLM on the message. Servers
also differ in what they call a thought, and refuse each other's name. It knows no store. Invariant:
what was kept goes back verbatim, and only beside the calls that it came with.

Sources: https://ai.google.dev/gemini-api/docs/thought-signatures,
https://openrouter.ai/docs/use-cases/reasoning-tokens, https://api-docs.deepseek.com/guides/thinking_mode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Message = dict[str, Any]

_ON_CALLS: Final = ("extra_content", "provider_specific_fields")
_THOUGHTS: Final = ("reasoning_details", "thinking_blocks")
_ON_MESSAGES: Final = (*_THOUGHTS, "extra_content")
_NAMES: Final = ("reasoning_content", "reasoning")  # of a thought; the first is the most common


def find_seals(native: Mapping[str, Any]) -> dict[str, Any]:
    """Find what a complete chat completion is sealed with, for each of its calls."""
    choices = native.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(calls, list):
        return {}
    shared: dict[str, Any] = {}
    if on_message := _present(message, _ON_MESSAGES):
        shared["message"] = on_message
    name = _name_of_thought(message)
    if name is not None and (name != _NAMES[0] or not message[name]):
        shared["thought"] = name
    found = {}
    for call in calls:
        if isinstance(call, dict) and isinstance(call.get("id"), str) and call["id"]:
            on_call = _present(call, _ON_CALLS)
            kept = {**shared, "call": on_call} if on_call else shared
            if kept:
                found[call["id"]] = kept
    return found


def seal(message: Message, *, thought: str, recall: Callable[[str], Any]) -> None:
    """Put beside the calls of a message what was kept of them, and the `thought` that the client sends."""
    calls = message["tool_calls"]
    kept = [_read(recall(call["id"])) for call in calls]
    for call, one in zip(calls, kept, strict=True):
        call.update(_read(one.get("call")))
    on_message = next((_read(one["message"]) for one in kept if "message" in one), {})
    message.update(on_message)
    if any(key in on_message for key in _THOUGHTS):
        return  # the same thought, with its seal
    name = next((one["thought"] for one in kept if one.get("thought") in _NAMES), None)
    if thought:
        message[name or _NAMES[0]] = thought
    elif name == _NAMES[0]:
        message[name] = ""  # where the model did not think, the provider still asks for the key


def _read(value: Any) -> Mapping[str, Any]:
    """Take what was kept, unless another language kept it."""
    return value if isinstance(value, dict) else {}


def _present(parent: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: parent[key] for key in keys if parent.get(key)}


def _name_of_thought(message: Mapping[str, Any]) -> str | None:
    named = [name for name in _NAMES if isinstance(message.get(name), str)]
    spoken = [name for name in named if message[name]]
    return next(iter(spoken or named), None)
