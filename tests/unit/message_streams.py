"""Streams of Anthropic messages for the unit tests, written by hand."""

from __future__ import annotations

import json
from typing import Any

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.anthropic_messages import AnthropicMessages

USAGE = {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": USAGE,
}


def event(kind: str, *, padding: int = 0, **fields: object) -> bytes:
    """Write one event, padded within its JSON as Anthropic does."""
    data = json.dumps({"type": kind, **fields})
    return f"event: {kind}\ndata: {data[:-1]}{' ' * padding}}}\n\n".encode()


def start(**fields: object) -> bytes:
    """Write the beginning of a message."""
    return event("message_start", message={**MESSAGE, **fields})


def block(content: object, *deltas: dict[str, Any], index: int = 0, stop: bool = True) -> bytes:
    """Write one block with its deltas."""
    events = [event("content_block_start", index=index, content_block=content)]
    events += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
    return b"".join(events) + (event("content_block_stop", index=index) if stop else b"")


def text(*pieces: str, index: int = 0, stop: bool = True) -> bytes:
    """Write one block of text."""
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return block({"type": "text", "text": ""}, *deltas, index=index, stop=stop)


def change(*, usage: object = None, stop: str | None = "end_turn", **fields: object) -> bytes:
    """Write a `message_delta`."""
    delta = {"stop_reason": stop, "stop_sequence": None}
    return event("message_delta", delta=delta, usage=usage or {"output_tokens": 9}, **fields)


STOP = event("message_stop", padding=6)


END = change() + STOP


def decode(*events: bytes) -> Answer:
    """Decode a stream whole; the seam tests cut it."""
    decoder = AnthropicMessages().decoder("text/event-stream", asked=True)
    assert decoder
    decoder.feed(b"".join(events))
    return decoder.answer()


def content(*events: bytes, exact: bool = True) -> list[dict[str, Any]]:
    """Decode a whole message around these events to its blocks."""
    answer = decode(start(), *events, END)
    assert answer.response is not None
    assert answer.exact is exact
    return answer.response["content"]
