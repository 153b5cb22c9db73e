"""Chat completions as an OpenAI-compatible server speaks them: reasoning, text, parallel calls, usage.

Written from the vendor's documentation (platform.openai.com/docs/api-reference/chat-streaming) with the
`reasoning_content` of DeepSeek and vLLM; imports nothing of the project.
"""

from __future__ import annotations

import json
from typing import Any

from tests.support.provider import Received
from tests.support.scripted.model import Asked, Call, Said, Say, Step, Think, as_json, in_pieces

USAGE = {
    "prompt_tokens": 52,
    "completion_tokens": 20,
    "total_tokens": 72,
    "prompt_tokens_details": {"cached_tokens": 7},
}


class Chat:
    """The speech of a server that knows chat completions and nothing else."""

    def serves(self, received: Received) -> bool:
        return received.target.partition("?")[0] == "/v1/chat/completions"

    def read(self, received: Received) -> Asked:
        body = received.json()
        texts: list[str] = []
        results: list[str] = []
        for message in body["messages"]:
            content = message.get("content")
            parts = [{"text": content}] if isinstance(content, str) else content or []
            text = "\n".join(part.get("text", "") for part in parts)
            if message["role"] == "user":
                texts.append(text)
            elif message["role"] == "tool":
                results.append(text)
        tools = [tool["function"]["name"] for tool in body.get("tools", [])]
        return Asked("\n".join(texts), results, tools, bool(body.get("stream")), body["model"])

    def plain(self, said: Said, step: Step) -> dict[str, Any]:
        thought = "".join(part.text for part in step.parts if isinstance(part, Think))
        text = "".join(part.text for part in step.parts if isinstance(part, Say))
        message: dict[str, Any] = {"role": "assistant", "content": text or None}
        if thought:
            message["reasoning_content"] = thought
        calls = [
            {
                "id": f"call_{said.number:04}_{at}",
                "type": "function",
                "function": {"name": part.name, "arguments": json.dumps(part.arguments)},
            }
            for at, part in enumerate(step.parts)
            if isinstance(part, Call)
        ]
        if calls:
            message["tool_calls"] = calls
        finish = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        usage = {"usage": USAGE} if _counts(said) else {}
        return _frame(said, "chat.completion") | {"choices": [choice], **usage}

    def events(self, said: Said, step: Step) -> list[bytes]:
        (choice,) = self.plain(said, step)["choices"]
        message = choice["message"]
        deltas: list[dict[str, Any]] = [{"role": "assistant"}]
        for key in ("reasoning_content", "content"):
            deltas += [{key: piece} for piece in in_pieces(message.get(key) or "")]
        for index, call in enumerate(message.get("tool_calls", [])):
            begun = call | {"function": {"name": call["function"]["name"], "arguments": ""}}
            deltas.append({"tool_calls": [{"index": index, **begun}]})
            deltas += [
                {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
                for piece in in_pieces(call["function"]["arguments"])
            ]
        chunks = [_chunk(said, delta, None) for delta in deltas if delta != {"content": ""}]
        chunks = [chunk for chunk in chunks if chunk["choices"][0]["delta"] != _NO_THOUGHT]
        chunks.append(_chunk(said, {}, choice["finish_reason"]))
        if _counts(said):
            chunks.append(_frame(said, "chat.completion.chunk") | {"choices": [], "usage": USAGE})
        return [b"data: %s\n\n" % as_json(chunk) for chunk in chunks] + [b"data: [DONE]\n\n"]

    def error(self, status: int) -> dict[str, Any]:
        code = {404: "not_found", 429: "rate_limit_exceeded"}.get(status, "server_error")
        return {
            "error": {"message": f"scripted {status}", "type": code, "param": None, "code": code}
        }

    def other(self, received: Received) -> dict[str, Any] | None:
        return None


_NO_THOUGHT = {"reasoning_content": ""}


def _counts(said: Said) -> bool:
    """Say whether an answer counts tokens: a stream only where that is asked for."""
    options = said.received.json().get("stream_options") or {}
    return not said.asked.stream or bool(options.get("include_usage"))


def _frame(said: Said, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{said.number:04}",
        "object": kind,
        "created": 1700000000,
        "model": said.asked.model,
    }


def _chunk(said: Said, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _frame(said, "chat.completion.chunk") | {"choices": [choice]}
