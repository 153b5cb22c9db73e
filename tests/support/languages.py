"""One model per wire language, and what a provider says in each: plain, and the same as a stream."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.pair import Pair
from tests.support.provider import FakeProvider, Received, Script, Wire
from tests.support.proxy import Proxy

KEYS = {
    "openai": ("authorization", "Bearer sk-openai"),
    "anthropic": ("x-api-key", "sk-anthropic"),
    "google": ("x-goog-api-key", "sk-google"),
    "ollama": ("authorization", "Bearer sk-ollama"),
}
ALIASES = {"openai": "gpt", "anthropic": "claude", "google": "gemini", "ollama": "llama"}
BASES = {"openai": "/v1", "anthropic": "", "google": "/v1beta/openai", "ollama": "/v1"}
EVENT_STREAM = [("content-type", "text/event-stream; charset=utf-8")]


def real_name(provider: str) -> str:
    """Give the name that a provider has for its model."""
    return f"{ALIASES[provider]}-real-1"


def every_language(origin: str, **more: Any) -> dict[str, Any]:
    """Configure one model of each provider, all at one address and with a key each."""
    models = [
        {
            "provider": provider,
            "model": alias,
            "providerModel": real_name(provider),
            "apiBase": origin + BASES[provider],
            "apiKey": KEYS[provider][1].removeprefix("Bearer "),
        }
        for provider, alias in ALIASES.items()
    ]
    return {"models": models, **more}


@contextmanager
def running(home: Path, **settings: Any) -> Iterator[Pair]:
    """Run one provider, and a proxy with `every_language` and more of them.

    `claude-v1` is `claude` with `/v1` in its address; nobody listens at the address of `nobody-*`,
    and `impatient-*` are waited for half a second.
    """
    with FakeProvider() as provider, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        origin = provider.base.removesuffix("/v1")
        config = every_language(origin, **settings)
        claude = config["models"][1]
        nobody = {"apiBase": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        impatient = {"timeouts": {"firstByte": 0.5, "idle": 0.5}}
        config["models"] += [claude | {"model": "claude-v1", "apiBase": origin + "/v1/"}]
        config["models"] += [
            model | change | {"model": f"{word}-{model['model']}"}
            for word, change in (("nobody", nobody), ("impatient", impatient))
            for model in config["models"][:4]
        ]
        with Proxy(home, config) as proxy:
            yield Pair(provider, proxy)
            assert "Traceback" not in proxy.output(), proxy.output()


# --- Anthropic

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-real-1",
    "content": [
        {"type": "thinking", "thinking": "It is\u2028late.", "signature": "c2lnbmF0dXJl"},
        {"type": "text", "text": "Good night, wörld"},
        {"type": "tool_use", "id": "toolu_1", "name": "lamp", "input": {"on": False, "room": "a"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 4,
        "output_tokens": 20,
    },
}


def message_events() -> list[bytes]:
    """Write MESSAGE as a stream."""
    usage = MESSAGE["usage"] | {"output_tokens": 1}
    start = MESSAGE | {"content": [], "stop_reason": None, "usage": usage}
    thought, text, call = MESSAGE["content"]

    def delta(index: int, kind: str, **more: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **more}}

    def begin(index: int, block: dict[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": block}

    events = [
        {"type": "message_start", "message": start},
        begin(0, {"type": "thinking", "thinking": "", "signature": ""}),
        {"type": "ping"},
        delta(0, "thinking_delta", thinking=thought["thinking"][:5]),
        delta(0, "thinking_delta", thinking=thought["thinking"][5:]),
        delta(0, "signature_delta", signature=thought["signature"]),
        {"type": "content_block_stop", "index": 0},
        begin(1, {"type": "text", "text": ""}),
        delta(1, "text_delta", text=text["text"][:4]),
        delta(1, "text_delta", text=text["text"][4:]),
        {"type": "content_block_stop", "index": 1},
        begin(2, call | {"input": {}}),
        delta(2, "input_json_delta", partial_json=""),
        delta(2, "input_json_delta", partial_json='{"on": fal'),
        delta(2, "input_json_delta", partial_json='se, "room": "a"}'),
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"output_tokens": 20},
        },
        {"type": "message_stop"},
    ]
    return [named(event) for event in events]


def named(event: dict[str, Any]) -> bytes:
    """Write an event whose name is its type."""
    return f"event: {event['type']}\ndata: {as_text(event)}\n\n".encode()


# --- OpenAI Responses

ITEM: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [
        {"type": "output_text", "text": "Good night, wörld", "annotations": [], "logprobs": []}
    ],
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1700000000,
    "status": "completed",
    "model": "gpt-real-1",
    "output": [ITEM],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "usage": {
        "input_tokens": 8,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 13,
    },
}


def response_events() -> list[bytes]:
    """Write RESPONSE as a stream."""
    begun = RESPONSE | {"status": "in_progress", "output": [], "usage": None}
    part = ITEM["content"][0]
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": ITEM | {"status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": part | {"text": ""}},
        *(
            {
                "type": "response.output_text.delta",
                **place,
                "delta": piece,
                "logprobs": [],
                "obfuscation": "x" * number,
            }
            for number, piece in enumerate(("Good ", "night, ", "wörld"))
        ),
        {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
        {"type": "response.completed", "response": RESPONSE},
    ]
    return [named(event | {"sequence_number": n}) for n, event in enumerate(events)]


# --- Gemini

CONTENT: dict[str, Any] = {
    "candidates": [
        {
            "content": {"parts": [{"text": "Good night, wörld"}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 6,
        "candidatesTokenCount": 4,
        "totalTokenCount": 12,
        "thoughtsTokenCount": 2,
    },
    "modelVersion": "gemini-real-1",
    "responseId": "r1",
}


def content_pieces() -> list[dict[str, Any]]:
    """Cut CONTENT into the objects of a stream."""
    pieces = []
    for text in ("Good ", "night, ", "wörld"):
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        pieces.append(CONTENT | {"candidates": [candidate]})
    pieces[-1]["candidates"][0]["finishReason"] = "STOP"
    return pieces


def content_events() -> list[bytes]:
    """Write CONTENT as Google's events, which end in CRLF."""
    return [f"data: {as_text(piece)}\r\n\r\n".encode() for piece in content_pieces()]


# --- Ollama

COUNTS = {
    "total_duration": 9,
    "load_duration": 1,
    "prompt_eval_count": 7,
    "prompt_eval_duration": 2,
    "eval_count": 3,
    "eval_duration": 6,
}
_OLLAMA = {"model": "llama-real-1", "created_at": "2026-01-02T03:04:05.678901Z"}
CHAT: dict[str, Any] = {
    **_OLLAMA,
    "message": {"role": "assistant", "content": "Good night, wörld"},
    "done": True,
    "done_reason": "stop",
    **COUNTS,
}
GENERATED: dict[str, Any] = {
    **_OLLAMA,
    "response": "Good night, wörld",
    "done": True,
    "done_reason": "stop",
    "context": [1, 2, 3],
    **COUNTS,
}


def ollama_lines(whole: dict[str, Any]) -> list[bytes]:
    """Write CHAT or GENERATED as lines."""

    def said(text: str) -> dict[str, Any]:
        if "message" in whole:
            return {"message": {"role": "assistant", "content": text}}
        return {"response": text}

    words = [_OLLAMA | said(text) | {"done": False} for text in ("Good ", "night, ", "wörld")]
    return [as_text(line).encode() + b"\n" for line in (*words, whole | said(""))]


# --- the other surfaces

COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1700000000,
    "model": "gpt-real-1",
    "choices": [{"index": 0, "text": "Good night", "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
}


def completion_events() -> list[bytes]:
    """Write COMPLETION as a stream."""
    base = {key: COMPLETION[key] for key in ("id", "object", "created", "model")}
    blank = {"index": 0, "logprobs": None, "finish_reason": None}
    pieces: list[dict[str, Any]] = [
        base | {"choices": [blank | {"text": "Good "}]},
        base | {"choices": [blank | {"text": "night"}]},
        base | {"choices": [blank | {"text": "", "finish_reason": "stop"}]},
        base | {"choices": [], "usage": COMPLETION["usage"]},
    ]
    return [f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces] + [b"data: [DONE]\n\n"]


EMBEDDING = {
    "object": "list",
    "model": "gpt-real-1",
    "data": [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAMA="}],
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}
IMAGES = {"created": 1700000000, "data": [{"b64_json": "aGk="}]}
EMBEDDED = {"embeddings": [{"values": [0.25, -1.0]}]}
OLLAMA_EMBEDDED = {
    "model": "llama-real-1",
    "embeddings": [[0.25, -1.0]],
    "total_duration": 5,
    "prompt_eval_count": 4,
}
SHOWN = {
    "details": {"family": "llama", "format": "gguf"},
    "modelfile": "FROM x",
    "model_info": {"a": 1},
}


# --- scripts


def as_text(value: Any) -> str:
    """Write JSON as providers do: not all of it escaped."""
    return json.dumps(value, ensure_ascii=False)


def pieces_of(pieces: Iterable[bytes], *, headers: Iterable[tuple[str, str]]) -> Script:
    """Answer in these pieces, each a chunk of its own."""
    pieces, headers = list(pieces), list(headers)

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, headers)
        for piece in pieces:
            await wire.chunk(piece)
            await asyncio.sleep(0)
        await wire.end()

    return script


def broken_after(pieces: Iterable[bytes], *, headers: Iterable[tuple[str, str]]) -> Script:
    """Begin to answer, and break off."""
    pieces, headers = list(pieces), list(headers)

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, headers)
        for piece in pieces:
            await wire.chunk(piece)
        wire.close()

    return script
