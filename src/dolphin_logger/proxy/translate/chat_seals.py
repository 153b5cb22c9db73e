"""What other languages cannot carry of a chat completion, and its provider wants back beside its calls.

Some servers seal their thoughts: Google on each call, OpenRouter and LiteLLM on the message. Others
demand the plain thought of each call again (DeepSeek), and they differ in what they call it, and refuse
each other's name. It knows no store and no client's language. Invariant: what was kept goes back
verbatim, and only beside the calls that it came with; a thought that the client sends itself counts.

Sources: https://ai.google.dev/gemini-api/docs/thought-signatures,
https://openrouter.ai/docs/use-cases/reasoning-tokens, https://api-docs.deepseek.com/guides/thinking_mode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Message = dict[str, Any]

THOUGHTS: Final = (
    "reasoning_content",
    "reasoning",
    "thinking",
)  # of a thought; the first is the commonest
_ON_CALLS: Final = ("extra_content", "provider_specific_fields")
_SEALED: Final = ("reasoning_details", "thinking_blocks")
_ON_MESSAGES: Final = (*_SEALED, "extra_content")


def find_seals(native: Mapping[str, Any]) -> dict[str, Any]:
    """Find what stands around the calls of a complete chat completion, by the ids of the calls."""
    message = _first_message(native)
    calls = message.get("tool_calls")
    shared: dict[str, Any] = {}
    around = _present(message, _ON_MESSAGES)
    if isinstance(message.get("content"), list):
        around["content"] = message["content"]  # Mistral's: the thought is one of its parts
    if around:
        shared["message"] = around
    if not _is_sealed(around):
        shared |= _find_thought(message)
    found = {}
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(call.get("id"), str) and call["id"]:
            on_call = _present(call, _ON_CALLS)
            kept = {**shared, "call": on_call} if on_call else shared
            if kept:
                found[call["id"]] = kept
    return found


def seal(
    message: Message, *, thought: str, recall: Callable[[str], Any], takes_thoughts: bool
) -> None:
    """Put beside the calls of a message what was kept of them, and the `thought` that the client sends."""
    calls = message["tool_calls"]
    kept = [_fields(recall(call["id"])) for call in calls]
    for call, one in zip(calls, kept, strict=True):
        call.update(_fields(one.get("call")))
    around = next((_fields(one["message"]) for one in kept if "message" in one), {})
    parts = around.get("content")
    if "content" in around and _texts(parts) != (message.get("content") or ""):
        around = {key: value for key, value in around.items() if key != "content"}
    message.update(around)
    if _is_sealed(around) or not takes_thoughts:
        return  # it has the same thought, with its seal
    known = next((_fields(one["thought"]) for one in kept if "thought" in one), {})
    name = next((name for name in THOUGHTS if name in known), THOUGHTS[0])
    thought = thought or _text(known.get(name))
    if thought or THOUGHTS[0] in known:  # where the model did not think, the key is still asked for
        message[name] = thought


def _find_thought(message: Mapping[str, Any]) -> dict[str, Any]:
    named = [name for name in THOUGHTS if isinstance(message.get(name), str)]
    spoken = [name for name in named if message[name]]
    name = next(iter(spoken or named), None)
    return {} if name is None else {"thought": {name: message[name]}}


def _is_sealed(around: Mapping[str, Any]) -> bool:
    return any(key in around for key in (*_SEALED, "content"))


def _first_message(native: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = native.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return _fields(_fields(choice).get("message"))


def _fields(value: Any) -> Mapping[str, Any]:
    """Take an object; what was kept may be another language's, and of any shape."""
    return value if isinstance(value, dict) else {}


def _present(parent: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: parent[key] for key in keys if parent.get(key)}


def _texts(parts: Any) -> str:
    """Join the texts of parts; those without text say nothing."""
    return "".join(
        _text(_fields(part).get("text")) for part in (parts if isinstance(parts, list) else ())
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
