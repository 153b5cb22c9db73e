"""Streams of the Messages API for the unit tests, and both SDKs' accumulators as oracles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx2
from anthropic.lib.streaming._beta_messages import accumulate_event
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from translators import each, run, samples

from dolphin_logger.proxy.translate import TRANSLATIONS, StreamTranslator

CHAT_TO_MESSAGES = TRANSLATIONS["openai.chat", "anthropic.messages"]
WITH_USAGE = {"stream_options": {"include_usage": True}}
USAGE = {"input_tokens": 5, "output_tokens": 1}


# Some were stored compressed, and broken by that.
RECORDINGS = [
    path for path in samples("anthropic_messages/*.sse") if b"message_start" in path.read_bytes()
]
EVERY_RECORDING = each(RECORDINGS)


def sse(kind: str, **fields: Any) -> bytes:
    """Write one event."""
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


def begin(*, usage: dict[str, Any] | None = None) -> bytes:
    """Write the event that begins a message."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage or USAGE,
    }
    return sse("message_start", message=message)


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> bytes:
    """Write all events of one block."""
    return b"".join(
        (
            sse("content_block_start", index=index, content_block=content),
            *(sse("content_block_delta", index=index, delta=delta) for delta in deltas),
            sse("content_block_stop", index=index),
        )
    )


def end(stop_reason: str | None = "end_turn", **fields: Any) -> bytes:
    """Write the events that end a message."""
    usage = fields.pop("usage", {"output_tokens": 9})
    delta = {"stop_reason": stop_reason, "stop_sequence": None, **fields}
    return sse("message_delta", delta=delta, usage=usage) + sse("message_stop")


def text(index: int, *pieces: str) -> bytes:
    """Write a block of text."""
    deltas = ({"type": "text_delta", "text": piece} for piece in pieces)
    return block(index, {"type": "text", "text": ""}, *deltas)


def thinking(index: int, *pieces: str, signature: str = "c2ln") -> bytes:
    """Write a thought with its signature."""
    return block(
        index,
        {"type": "thinking", "thinking": "", "signature": ""},
        *({"type": "thinking_delta", "thinking": piece} for piece in pieces),
        {"type": "signature_delta", "signature": signature},
    )


def tool(index: int, *pieces: str, call_id: str = "toolu_1", name: str = "f") -> bytes:
    """Write a tool call; its arguments begin with an empty piece, as they do in nature."""
    return block(
        index,
        {"type": "tool_use", "id": call_id, "name": name, "input": {}},
        *({"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)),
    )


def translate(
    chunks: Iterable[bytes], *, request: dict[str, Any] | None = None
) -> tuple[list[bytes], StreamTranslator]:
    """Translate a stream; return the client's events and the translator."""
    return run(CHAT_TO_MESSAGES, chunks, request)


def payloads(events: Iterable[bytes]) -> list[dict[str, Any]]:
    """Read the client's events, without comments and `[DONE]`."""
    return [
        json.loads(event[6:])
        for event in events
        if event.startswith(b"data: ") and event != b"data: [DONE]\n\n"
    ]


def deltas(*events: bytes) -> list[dict[str, Any]]:
    """Translate a message of these events; return the deltas between the role and the end."""
    out, translator = translate([begin(), *events, end()])
    assert translator.finished
    said = [chunk["choices"][0]["delta"] for chunk in payloads(out)]
    assert said[0] == {"role": "assistant", "content": ""}
    assert said[-1] == {}
    return said[1:-1]


def openai_accumulates(events: Iterable[bytes]) -> dict[str, Any]:
    """Give what OpenAI's SDK makes of a client's stream."""
    state: Any = ChatCompletionStreamState()
    for chunk in payloads(events):
        list(state.handle_chunk(ChatCompletionChunk.construct(**chunk)))
    completion: dict[str, Any] = state.current_completion_snapshot.to_dict(mode="json")
    message = completion["choices"][0]["message"]
    message.pop("parsed", None)
    for call in message.get("tool_calls") or ():
        call["function"].pop("parsed_arguments", None)
    return completion


def anthropic_accumulates(stream: bytes) -> dict[str, Any]:
    """Give what Anthropic's SDK makes of a provider's stream: the message, as if not streamed."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for line in stream.split(b"\n"):
        value = json.loads(line[6:]) if line.startswith(b"data: {") else {"type": "ping"}
        if value["type"] not in ("ping", "error"):
            snapshot = accumulate_event(
                event=value,
                current_snapshot=snapshot,
                json_bufs=buffers,
                request_headers=httpx2.Headers(),
            )
    message: dict[str, Any] = snapshot.to_dict(mode="json")
    return message
