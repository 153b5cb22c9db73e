"""OpenAI's Responses as a provider speaks them: encrypted reasoning, messages, function and custom calls.

Written from the vendor's documentation (platform.openai.com/docs/api-reference/responses-streaming);
imports nothing of the project.
"""

from __future__ import annotations

import json
from typing import Any

from tests.support.provider import Received
from tests.support.scripted.model import Asked, Part, Said, Say, Step, Think, as_json, in_pieces

USAGE = {
    "input_tokens": 52,
    "input_tokens_details": {"cached_tokens": 7},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 72,
}


class Responses:
    """The speech of api.openai.com."""

    def serves(self, received: Received) -> bool:
        return received.method == "POST" and received.target.partition("?")[0] == "/v1/responses"

    def read(self, received: Received) -> Asked:
        body = received.json()
        texts: list[str] = []
        results: list[str] = []
        items = body["input"]
        for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
            if item.get("type", "").endswith("_output"):
                results.append(json.dumps(item.get("output", item.get("tools"))))
            elif item.get("role") == "user" or item.get("type") == "agent_message":
                content = item["content"]
                parts = [{"text": content}] if isinstance(content, str) else content
                texts += [part.get("text") or part.get("encrypted_content", "") for part in parts]
        tools = [tool.get("name", tool["type"]) for tool in body.get("tools", [])]
        return Asked("\n".join(texts), results, tools, bool(body.get("stream")), body["model"])

    def plain(self, said: Said, step: Step) -> dict[str, Any]:
        return {
            "id": f"resp_{said.number:04}",
            "object": "response",
            "created_at": 1700000000,
            "status": "completed",
            "model": said.asked.model,
            "output": [_item(part, said.number, at) for at, part in enumerate(step.parts)],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "usage": USAGE,
        }

    def events(self, said: Said, step: Step) -> list[bytes]:
        whole = self.plain(said, step)
        begun = whole | {"status": "in_progress", "output": [], "usage": None}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
        ]
        for index, item in enumerate(whole["output"]):
            empty, deltas = _grow(item)
            place = {"output_index": index}
            events.append({"type": "response.output_item.added", **place, "item": empty})
            events += [{**delta, **place, "item_id": item["id"]} for delta in deltas]
            events.append({"type": "response.output_item.done", **place, "item": item})
        events.append({"type": "response.completed", "response": whole})
        numbered = [event | {"sequence_number": number} for number, event in enumerate(events)]
        return [b"event: %s\ndata: %s\n\n" % (e["type"].encode(), as_json(e)) for e in numbered]

    def error(self, status: int) -> dict[str, Any]:
        code = {404: "not_found", 429: "rate_limit_exceeded"}.get(status, "server_error")
        return {
            "error": {"message": f"scripted {status}", "type": code, "param": None, "code": code}
        }

    def other(self, received: Received) -> dict[str, Any] | None:
        return None


def _item(part: Part, number: int, at: int) -> dict[str, Any]:
    place = f"{number:04}_{at}"
    if isinstance(part, Think):
        summary = [{"type": "summary_text", "text": part.text}]
        return {
            "id": f"rs_{place}",
            "type": "reasoning",
            "summary": summary,
            "encrypted_content": part.proof,
        }
    if isinstance(part, Say):
        text = {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}
        return {
            "id": f"msg_{place}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
    if part.name == "tool_search":  # the client looks for tools that it did not list
        return {
            "id": f"tsc_{place}",
            "type": "tool_search_call",
            "status": "completed",
            "call_id": f"call_{place}",
            "execution": "client",
            "arguments": part.arguments,
        }
    item = {"status": "completed", "call_id": f"call_{place}", "name": part.name}
    if part.custom is not None:
        return {"id": f"ctc_{place}", "type": "custom_tool_call", **item, "input": part.custom}
    written = json.dumps(part.arguments)
    found = {"id": f"fc_{place}", "type": "function_call", **item, "arguments": written}
    return found | ({"namespace": part.namespace} if part.namespace else {})


def _grow(item: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give an item as it is added, and the deltas that make it whole."""
    if item["type"] == "reasoning":
        text, place = item["summary"][0]["text"], {"summary_index": 0}
        part = {"type": "summary_text", "text": ""}
        return item | {"summary": [], "encrypted_content": ""}, [
            {"type": "response.reasoning_summary_part.added", **place, "part": part},
            *(
                {"type": "response.reasoning_summary_text.delta", **place, "delta": piece}
                for piece in in_pieces(text)
            ),
            {"type": "response.reasoning_summary_text.done", **place, "text": text},
            {
                "type": "response.reasoning_summary_part.done",
                **place,
                "part": part | {"text": text},
            },
        ]
    begun = item | {"status": "in_progress"}
    if item["type"] == "message":
        part, place = item["content"][0], {"content_index": 0}
        return begun | {"content": []}, [
            {"type": "response.content_part.added", **place, "part": part | {"text": ""}},
            *(
                {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
                for piece in in_pieces(part["text"])
            ),
            {
                "type": "response.output_text.done",
                **place,
                "text": part["text"],
                "logprobs": [],
            },
            {"type": "response.content_part.done", **place, "part": part},
        ]
    if item["type"] == "tool_search_call":
        return begun, []
    key, kind = "arguments", "response.function_call_arguments"
    if item["type"] == "custom_tool_call":
        key, kind = "input", "response.custom_tool_call_input"
    return begun | {key: ""}, [
        *({"type": f"{kind}.delta", "delta": piece} for piece in in_pieces(item[key])),
        {"type": f"{kind}.done", key: item[key]},
    ]
