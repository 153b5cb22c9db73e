"""What Gemini's language cannot carry of a chat completion, and how it comes back.

Servers put seals and thoughts beside tool calls and want them back with the calls: as `extra_content`
of a call (Google's compatible endpoint), as fields of the message (OpenRouter, DeepSeek). It knows no
store and no request. Invariant: what comes back is what the provider said, verbatim.

Sources: https://ai.google.dev/gemini-api/docs/thought-signatures,
https://openrouter.ai/docs/use-cases/reasoning-tokens, https://api-docs.deepseek.com/guides/thinking_mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_OF_CALLS: Final = ("extra_content",)
_OF_MESSAGES: Final = ("reasoning_details", "reasoning_content")


def keep(native: dict[str, Any]) -> dict[str, Any]:
    """Keep it for each call that has an id; nothing when nothing would be lost."""
    choices = native.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    kept = {}
    for call in calls if isinstance(calls, list) else ():
        if not isinstance(call, dict) or not isinstance(call.get("id"), str):
            continue
        assert isinstance(message, dict)
        found = {"call": _choose(call, _OF_CALLS), "message": _choose(message, _OF_MESSAGES)}
        if any(found.values()):
            kept[call["id"]] = found
    return kept


def restore(message: dict[str, Any], *, recall: Callable[[str], Any]) -> None:
    """Put it back around the calls of a message."""
    for call in message["tool_calls"]:
        found = recall(call["id"])
        if isinstance(found, dict):
            call.update(found.get("call") or {})
            message.update(found.get("message") or {})


def _choose(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if fields.get(name)}
