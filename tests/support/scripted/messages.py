"""Anthropic's Messages as a provider speaks them: thinking with a signature, text, tool calls.

Written from the vendor's documentation (platform.claude.com/docs/en/api/messages-streaming); imports
nothing of the project.
"""

from __future__ import annotations

import json
from typing import Any

from tests.support.provider import Received
from tests.support.scripted.model import Asked, Part, Said, Say, Step, Think, as_json, in_pieces

USAGE = {"input_tokens": 40, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7}


class Messages:
    """The speech of api.anthropic.com."""

    def serves(self, received: Received) -> bool:
        return received.target.partition("?")[0] == "/v1/messages"

    def read(self, received: Received) -> Asked:
        body = received.json()
        texts: list[str] = []
        results: list[str] = []
        for message in body["messages"]:
            if message["role"] == "assistant":
                continue
            content = message["content"]
            for block in (
                [{"type": "text", "text": content}] if isinstance(content, str) else content
            ):
                if block["type"] == "text":
                    texts.append(block["text"])
                elif block["type"] == "tool_result":
                    results.append(json.dumps(block.get("content")))
        tools = [tool["name"] for tool in body.get("tools", [])]
        return Asked("\n".join(texts), results, tools, bool(body.get("stream")), body["model"])

    def plain(self, said: Said, step: Step) -> dict[str, Any]:
        return {
            "id": f"msg_{said.number:04}",
            "type": "message",
            "role": "assistant",
            "model": said.asked.model,
            "content": [_block(part, said.number, at) for at, part in enumerate(step.parts)],
            "stop_reason": "tool_use" if step.calls() else "end_turn",
            "stop_sequence": None,
            "usage": USAGE | {"output_tokens": 20},
        }

    def events(self, said: Said, step: Step) -> list[bytes]:
        whole = self.plain(said, step)
        start = whole | {"content": [], "stop_reason": None, "usage": USAGE | {"output_tokens": 1}}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
        for index, block in enumerate(whole["content"]):
            empty, deltas = _grow(block)
            events.append({"type": "content_block_start", "index": index, "content_block": empty})
            events.append({"type": "ping"})
            events += [
                {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
            ]
            events.append({"type": "content_block_stop", "index": index})
        stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 20}})
        events.append({"type": "message_stop"})
        return [b"event: %s\ndata: %s\n\n" % (e["type"].encode(), as_json(e)) for e in events]

    def error(self, status: int) -> dict[str, Any]:
        kind = {404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        error = {"type": kind.get(status, "api_error"), "message": f"scripted {status}"}
        return {"type": "error", "error": error, "request_id": "req_error"}

    def other(self, received: Received) -> dict[str, Any] | None:
        if "count_tokens" in received.target:
            return {"input_tokens": 40}
        return None


def _block(part: Part, number: int, at: int) -> dict[str, Any]:
    if isinstance(part, Think):
        return {"type": "thinking", "thinking": part.text, "signature": part.proof}
    if isinstance(part, Say):
        return {"type": "text", "text": part.text}
    return {
        "type": "tool_use",
        "id": f"toolu_{number:04}_{at}",
        "name": part.name,
        "input": part.arguments,
    }


def _grow(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give a block as it starts, and the deltas that make it whole."""
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": p} for p in in_pieces(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return block | {"thinking": "", "signature": ""}, deltas
    if block["type"] == "text":
        deltas = [{"type": "text_delta", "text": piece} for piece in in_pieces(block["text"])]
        return block | {"text": ""}, deltas
    written = json.dumps(block["input"])
    pieces = ["", *in_pieces(written)]
    return block | {"input": {}}, [
        {"type": "input_json_delta", "partial_json": piece} for piece in pieces
    ]
