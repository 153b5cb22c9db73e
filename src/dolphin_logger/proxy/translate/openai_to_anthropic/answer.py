"""A complete message, as the chat completion that a client without a stream gets.

It knows the blocks of a message; streams are the business of `stream`.
Invariant: it equals what a client accumulates from the streamed translation of the same message.

Source: https://platform.openai.com/docs/api-reference/chat/object.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.translate.chat_answer import Annotations
from dolphin_logger.proxy.translate.json_text import write_arguments
from dolphin_logger.proxy.translate.openai_to_anthropic.words import (
    add_citations,
    finish_reason,
    refusal_text,
    translate_usage,
)

_THOUGHTS: Final = {"thinking": ("thinking", "signature"), "redacted_thinking": ("data",)}


def translate_answer(native: dict[str, Any], *, created: int) -> dict[str, Any]:
    """Translate; `created` in Unix seconds.

    Raises:
        ProviderError: 502, this is no message.
    """
    blocks = native.get("content")
    if not isinstance(blocks, list):
        fault = "the provider's answer is no message of the Anthropic API: it has no content"
        raise ProviderError(fault, status=502, kind="protocol")
    message = _Message()
    for block in blocks:
        if isinstance(block, dict):
            message.take(block)
    choice = {
        "index": 0,
        "message": message.result(refusal=refusal_text(native.get("stop_details"))),
        "logprobs": None,
        "finish_reason": finish_reason(native.get("stop_reason")),
    }
    answer = {
        "id": native.get("id"),
        "object": "chat.completion",
        "created": created,
        "model": native.get("model"),
        "choices": [choice],
    }
    usage = translate_usage(native.get("usage"))
    return answer if usage is None else {**answer, "usage": usage}


class _Message:
    """Takes the blocks of one message."""

    def __init__(self) -> None:
        self._text = ""
        self._thoughts: list[dict[str, Any]] = []
        self._calls: list[dict[str, Any]] = []
        self._annotations = Annotations()

    def take(self, block: dict[str, Any]) -> None:
        """Take the next block; tools that ran at the provider are in the record only."""
        kind = block.get("type")
        if kind == "text":
            start = len(self._text)
            self._text += _string(block.get("text"))
            citations = block.get("citations")
            if isinstance(citations, list):
                add_citations(self._annotations, citations, start=start, end=len(self._text))
        elif kind in ("thinking", "redacted_thinking"):
            kept = {key: block[key] for key in _THOUGHTS[kind] if block.get(key) is not None}
            self._thoughts.append({"index": len(self._thoughts), "type": kind, **kept})
        elif kind == "tool_use":
            function = {
                "name": block.get("name"),
                "arguments": write_arguments(block.get("input") or {}),
            }
            call = {"id": block.get("id"), "type": "function", "function": function}
            self._calls.append(call)

    def result(self, *, refusal: str | None) -> dict[str, Any]:
        """Put the message together; keys with nothing to say are left out."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if self._calls and not self._text else self._text,
            "refusal": refusal,
        }
        if self._thoughts:
            reasoning = "".join(_string(thought.get("thinking")) for thought in self._thoughts)
            if reasoning:
                message["reasoning_content"] = reasoning
            message["thinking_blocks"] = self._thoughts
        if self._calls:
            message["tool_calls"] = self._calls
        if self._annotations:
            message["annotations"] = list(self._annotations)
        return message


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
