"""The events of a streamed message, as Anthropic's own accumulators and Claude Code accept them.

It knows their envelopes, and not when they come. Invariant: every event has its name beside its type,
without which Anthropic's SDKs pass it over.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.json_text import write_json

MESSAGE_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_DELTA: Final = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s",'
    b'"%s":'
)


def write_event(kind: str, **fields: Any) -> bytes:
    """Write any event."""
    return f"event: {kind}\ndata: ".encode() + write_json({"type": kind, **fields}) + b"\n\n"


def write_message_start(*, id: str, model: str, usage: Mapping[str, int]) -> bytes:  # noqa: A002
    """Write who answers; `id` is the name that the language uses."""
    message: dict[str, Any] = {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return write_event("message_start", message=message)


def delta_head(index: int, *, kind: bytes, key: bytes) -> bytes:
    """Write what all deltas of a block begin with, once."""
    return _DELTA % (index, kind, key)


def write_delta(head: bytes, piece: str) -> bytes:
    """Write one piece of a block."""
    return head + write_json(piece) + b"}}\n\n"
