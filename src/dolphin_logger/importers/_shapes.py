"""Shapes of wire languages that importers build: only what every one of them needs.

It knows the outline of an answer, no program.
"""

from __future__ import annotations

from typing import Any


def completion(
    message: dict[str, Any], *, model: str | None, finish: str | None = None
) -> dict[str, Any]:
    """Put a message where a chat completion has it."""
    return {
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }


def function_call(call_id: str | None, name: str, arguments: str) -> dict[str, Any]:
    """Write a call as a chat message holds it."""
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def answer_blocks(
    blocks: list[dict[str, Any]], *, model: str | None, stop: str | None = None
) -> dict[str, Any]:
    """Put blocks where an answer of the Messages API has them."""
    return {
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": stop,
    }


def text_block(text: str) -> dict[str, Any]:
    """Write a text as a block."""
    return {"type": "text", "text": text}
