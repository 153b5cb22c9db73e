"""Answers as providers stream them, a text cut over as many deltas as one likes.

The frames have the form that each vendor documents; with a recorded stream at hand its own frames
carry the text. What comes out went through the project's decoder, as in a proxy.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.example import Chat, chats_of

STREAMS = (
    "openai.chat",
    "openai.chat, arguments",
    "anthropic.messages",
    "anthropic.messages, arguments",
    "gemini",
)


def pieces(text: str, rng: random.Random) -> list[str]:
    """Cut a text into deltas of one to seven characters."""
    cut, at = [], 0
    while at < len(text):
        size = rng.randrange(1, 8)
        cut.append(text[at : at + size])
        at += size
    return cut


def answered(stream: str, text: str, rng: random.Random) -> list[Chat]:
    """Stream a text, decode the stream from chunks of any size, and give the messages."""
    name, _, form = stream.partition(", ")
    said = json.dumps({"content": text}) if form else text
    frames = {"openai.chat": _openai, "anthropic.messages": _anthropic, "gemini": _gemini}[name]
    body = "".join(frames(pieces(said, rng), bool(form))).encode()
    return decoded(name, body, rng)


def decoded(dialect: str, body: bytes, rng: random.Random) -> list[Chat]:
    """Decode a streamed body that arrives in chunks of any size."""
    spoken = DIALECTS[dialect]
    decoder = spoken.decoder("text/event-stream", asked=True)
    assert decoder is not None
    at = 0
    while at < len(body):
        size = rng.randrange(1, 400)
        decoder.feed(body[at : at + size])
        at += size
    response = decoder.answer().response
    assert response is not None
    choices = spoken.read_response(response).choices
    return chats_of([choice.message for choice in choices])


def spread(recorded: bytes, text: str) -> bytes:
    """Put a text in the place of what a recorded stream of `openai.chat` says, over all its deltas."""
    lines = recorded.decode().splitlines()
    places = [at for at, line in enumerate(lines) if _content(line)]
    size = -(-len(text) // len(places))
    for number, at in enumerate(places):
        event = json.loads(lines[at].removeprefix("data:"))
        event["choices"][0]["delta"]["content"] = text[number * size : (number + 1) * size]
        lines[at] = f"data: {json.dumps(event)}"
    return ("\n".join(lines) + "\n").encode()


def deltas(recorded: bytes) -> int:
    """Count the deltas of a recorded stream of `openai.chat` that say something."""
    return sum(1 for line in recorded.decode().splitlines() if _content(line))


def _content(line: str) -> str:
    if not line.startswith("data:") or "[DONE]" in line:
        return ""
    choices = json.loads(line.removeprefix("data:")).get("choices") or [{}]
    return (
        (choices[0].get("delta") or {}).get("content") or ""
        if choices[0].get("index", 0) == 0
        else ""
    )


def _openai(deltas: list[str], arguments: bool) -> Iterator[str]:
    def frame(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [choice],
        }
        return f"data: {json.dumps(event)}\n\n"

    yield frame({"role": "assistant", "content": None if arguments else ""})
    if arguments:
        call = {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "write", "arguments": ""},
        }
        yield frame({"tool_calls": [call]})
    for delta in deltas:
        part = {"tool_calls": [{"index": 0, "function": {"arguments": delta}}]}
        yield frame(part if arguments else {"content": delta})
    yield frame({}, "tool_calls" if arguments else "stop")
    yield "data: [DONE]\n\n"


def _anthropic(deltas: list[str], arguments: bool) -> Iterator[str]:
    def frame(kind: str, **fields: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"

    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    block: dict[str, Any] = {"type": "text", "text": ""}
    if arguments:
        block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
    yield frame(
        "message_start",
        message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage},
    )
    yield frame("content_block_start", index=0, content_block=block)
    for delta in deltas:
        part = (
            {"type": "input_json_delta", "partial_json": delta}
            if arguments
            else {"type": "text_delta", "text": delta}
        )
        yield frame("content_block_delta", index=0, delta=part)
    yield frame("content_block_stop", index=0)
    yield frame(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": 9},
    )
    yield frame("message_stop")


def _gemini(deltas: list[str], _arguments: bool) -> Iterator[str]:
    for number, delta in enumerate(deltas):
        candidate: dict[str, Any] = {
            "content": {"role": "model", "parts": [{"text": delta}]},
            "index": 0,
        }
        if number == len(deltas) - 1:
            candidate["finishReason"] = "STOP"
        yield f"data: {json.dumps({'candidates': [candidate], 'modelVersion': 'm'})}\n\n"
