"""A made-up world of clients: a clock, writers, models that say something, and the truth about each record.

Clients are generators in `stitching_chats.py` and `stitching_agents.py`; they say what they send, what they got, and to which
conversation it belongs. Records go through the project's own identification and record format. The
world knows nothing of stitching.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Exchange, Failure, Outcome, new_id
from dolphin_logger.journal.format import encode
from dolphin_logger.proxy.identity import identify

SECOND = 1_000_000_000
BEGIN = 1_790_000_000 * SECOND
WORDS = [
    "river",
    "stone",
    "paper",
    "light",
    "engine",
    "garden",
    "window",
    "number",
    "shadow",
    "market",
    "signal",
    "carbon",
    "mirror",
    "bridge",
    "letter",
    "copper",
    "orange",
    "winter",
    "module",
    "parser",
    "buffer",
    "thread",
    "socket",
    "cursor",
    "vector",
    "matrix",
    "kernel",
    "branch",
    "commit",
    "deploy",
    "schema",
    "column",
    "record",
    "folder",
    "script",
    "button",
    "layout",
    "filter",
    "handle",
    "object",
]
GREETINGS = ("hi", "hello", "Hi!", "help me", "test", "hey, can you help me with something?")
REPLIES = ("Hello! How can I help you today?", "Hi there!", "Of course, go ahead.", "Sure.")
GO_ON = ("thanks", "continue", "yes", "ok, and now?", "explain it more simply")
PATHS = {
    "openai.chat": "/v1/chat/completions",
    "openai.responses": "/v1/responses",
    "anthropic.messages": "/v1/messages",
    "gemini": "/v1beta/models/{model}:streamGenerateContent",
    "ollama.chat": "/api/chat",
}


@dataclass(frozen=True)
class Truth:
    """What a record is: its conversation (any name), its relation, and the record it is to."""

    client: str
    conversation: str
    relation: str
    parent: str | None


@dataclass
class Said:
    """One message in no language. `calls`: (id, name, arguments); `results`: (id, name, text)."""

    role: str
    text: str = ""
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    results: list[tuple[str, str, str]] = field(default_factory=list)
    think: str = ""
    more: list[str] = field(
        default_factory=list
    )  # texts that stand before it in parts of their own


@dataclass
class Ask:
    """One request on its way."""

    dialect: str
    body: dict[str, Any]
    headers: dict[str, str]
    truth: Truth
    answer: dict[str, Any] | None
    outcome: Outcome = Outcome.COMPLETED
    run: str | None = None
    path: str | None = None
    seconds: float = 0.5
    provider: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


Client = Callable[["World", str], Iterator[float]]


class World:
    """Runs clients side by side on one clock and keeps what was recorded."""

    def __init__(self, seed: int, *, writers: int = 3) -> None:
        self.random = random.Random(seed)
        self.now = BEGIN
        self.truth: dict[str, Truth] = {}
        self._writers: list[list[tuple[int, Exchange]]] = [[] for _ in range(writers)]
        self._count = itertools.count()

    def run(self, clients: list[Iterator[float]], *, within: float) -> None:
        """Start each client at some moment within so many seconds, and run all to their ends."""
        waiting = [
            (BEGIN + int(self.random.random() * within * SECOND), next(self._count), client)
            for client in clients
        ]
        heapq.heapify(waiting)
        while waiting:
            self.now, _, client = heapq.heappop(waiting)
            pause = next(client, None)
            if pause is not None:
                later = self.now + int(pause * SECOND) + 1000
                heapq.heappush(waiting, (later, next(self._count), client))

    def ask(self, ask: Ask, *, writer: int | None = None) -> str:
        """Record one request that begins now; give the record's id."""
        headers = [(name.encode(), value.encode()) for name, value in ask.headers.items()]
        kept = {k: v for k, v in ask.headers.items() if k.startswith("x-stainless-")}
        exchange = Exchange(
            id=self.made_id(),
            time_ns=self.now,
            dialect=ask.dialect,
            path=ask.path or PATHS[ask.dialect],
            model=ask.body.get("model"),
            status=200 if ask.outcome is Outcome.COMPLETED else 529,
            outcome=ask.outcome,
            client=identify(headers, ask.body, run=ask.run),
            request_headers=kept,
            total_ms=ask.seconds * 1000,
            request=json.dumps(ask.body, ensure_ascii=False).encode(),
            response=None if ask.answer is None else json.dumps(ask.answer).encode(),
        )
        exchange.provider = ask.provider
        exchange.client.tags |= ask.tags
        if ask.outcome is not Outcome.COMPLETED:
            exchange.error = Failure("overloaded", "provider", 529, "overloaded")
        place = self.random.randrange(len(self._writers)) if writer is None else writer
        end = self.now + int(ask.seconds * SECOND)
        self._writers[place % len(self._writers)].append((end, exchange))
        self.truth[exchange.id] = ask.truth
        return exchange.id

    def write(self, folder: Path) -> list[Path]:
        """Write one segment a writer, its records in the order in which they ended."""
        paths = []
        for number, records in enumerate(self._writers):
            path = folder / f"2026-09-21_{number:08x}-0000-4000-8000-000000000000.jsonl"
            ended = sorted(records, key=lambda one: one[0])
            lines = [encode(exchange, seq=seq) for seq, (_, exchange) in enumerate(ended, 1)]
            path.write_bytes(b"".join(lines))
            paths.append(path)
        return paths

    def made_id(self) -> str:
        """Make a record's id of this world's randomness."""
        state = random.getstate()
        random.seed(self.random.random())
        try:
            return new_id(self.now)
        finally:
            random.setstate(state)

    def name(self, prefix: str = "") -> str:
        """Make an id as clients and providers do."""
        return f"{prefix}{self.random.getrandbits(96):024x}"

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def sentence(self, least: int = 4, most: int = 14) -> str:
        count = self.random.randint(least, most)
        return " ".join(self.random.choices(WORDS, k=count)).capitalize() + "."

    def prose(self) -> str:
        """Say something of a few paragraphs, at times with white space behind it."""
        paragraphs = [
            " ".join(self.sentence() for _ in range(self.random.randint(1, 4)))
            for _ in range(self.random.randint(1, 3))
        ]
        return "\n\n".join(paragraphs) + self.random.choice(["", "", "\n", " "])


def chat_body(
    said: list[Said], *, system: str | None, tools: list[str], model: str
) -> dict[str, Any]:
    """Write a history for chat completions, as clients do: no thoughts, arguments written anew."""
    messages: list[dict[str, Any]] = [] if system is None else [_chat("system", system)]
    for one in said:
        if one.role == "tool":
            for call, _, text in one.results:
                messages.append({"role": "tool", "tool_call_id": call, "content": text})
        elif one.role == "assistant":
            message: dict[str, Any] = _chat("assistant", one.text.rstrip() or None)
            if one.calls:
                message["tool_calls"] = [
                    {
                        "id": call,
                        "type": "function",
                        "function": {"name": name, "arguments": json.dumps(arguments, indent=1)},
                    }
                    for call, name, arguments in one.calls
                ]
            messages.append(message)
        else:
            messages += [_chat("user", text) for text in one.more]
            messages.append(_chat(one.role, one.text))
    body: dict[str, Any] = {"model": model, "messages": messages, "stream": True}
    if tools:
        body["tools"] = [{"type": "function", "function": {"name": name}} for name in tools]
    return body


def _chat(role: str, text: str | None) -> dict[str, Any]:
    return {"role": role, "content": text}


def chat_answer(said: Said, identity: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.think:
        message["reasoning_content"] = said.think
    if said.calls:
        message["tool_calls"] = [
            {
                "id": call,
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for call, name, arguments in said.calls
        ]
    return {"id": identity, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def messages_body(
    said: list[Said], *, system: list[str], tools: list[str], model: str, stream: bool = True
) -> dict[str, Any]:
    """Write a history for Anthropic: blocks, cache marks that move on, thoughts with their seals."""
    messages: list[dict[str, Any]] = []
    for one in said:
        blocks: list[dict[str, Any]] = [{"type": "text", "text": text} for text in one.more]
        if one.think:
            blocks.append({"type": "thinking", "thinking": one.think, "signature": "c2VhbA=="})
        blocks += [
            {"type": "tool_result", "tool_use_id": call, "content": [{"type": "text", "text": t}]}
            for call, _, t in one.results
        ]
        if one.text.strip():
            blocks.append({"type": "text", "text": one.text.rstrip()})
        blocks += [
            {"type": "tool_use", "id": call, "name": name, "input": arguments}
            for call, name, arguments in one.calls
        ]
        role = "assistant" if one.role == "assistant" else "user"
        messages.append({"role": role, "content": blocks})
    messages[-1]["content"][-1]["cache_control"] = {"type": "ephemeral"}
    body = {
        "model": model,
        "system": [{"type": "text", "text": text} for text in system],
        "messages": messages,
        "stream": stream,
    }
    if tools:
        body["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in tools]
    return body


def messages_answer(said: Said, identity: str) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if said.think:
        blocks.append({"type": "thinking", "thinking": said.think, "signature": "c2VhbA=="})
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    for call, name, arguments in said.calls:
        blocks.append({"type": "tool_use", "id": call, "name": name, "input": arguments})
    return {"id": identity, "type": "message", "role": "assistant", "content": blocks}


def responses_body(
    said: list[Said], *, developer: str, context: str, tools: list[str], model: str
) -> dict[str, Any]:
    """Write a history for Responses as Codex does: instructions and facts of the machine in front."""
    items: list[dict[str, Any]] = []
    if developer:
        items.append(_item("developer", developer))
    if context:
        items.append(_item("user", context))
    for one in said:
        if one.think:
            items.append(
                {
                    "type": "reasoning",
                    "summary": [{"type": "summary_text", "text": one.think}],
                    "encrypted_content": "c2VhbA==",
                }
            )
        if one.text.strip():
            items.append(_item(one.role, one.text))
        for call, name, arguments in one.calls:
            items.append(
                {
                    "type": "function_call",
                    "call_id": call,
                    "name": name,
                    "arguments": json.dumps(arguments),
                }
            )
        for call, _, text in one.results:
            items.append({"type": "function_call_output", "call_id": call, "output": text})
    body: dict[str, Any] = {"model": model, "input": items, "stream": True, "store": False}
    if tools:
        body["tools"] = [{"type": "function", "name": name} for name in tools]
    return body


def _item(role: str, text: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def responses_answer(said: Said, identity: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    if said.think:
        thought = [{"type": "summary_text", "text": said.think}]
        items.append({"type": "reasoning", "id": "rs_1", "summary": thought})
    if said.text:
        items.append(_item("assistant", said.text) | {"id": "msg_1", "status": "completed"})
    for call, name, arguments in said.calls:
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{call}",
                "call_id": call,
                "name": name,
                "arguments": json.dumps(arguments, separators=(",", ":")),
                "status": "completed",
            }
        )
    return {"id": identity, "status": "completed", "output": items}


def gemini_body(said: list[Said], *, system: str, tools: list[str]) -> dict[str, Any]:
    contents = []
    for one in said:
        parts: list[dict[str, Any]] = [{"text": text} for text in one.more]
        if one.text.strip():
            parts.append({"text": one.text})
        parts += [
            {"functionCall": {"name": name, "args": args, "id": call}}
            for call, name, args in one.calls
        ]
        parts += [
            {"functionResponse": {"name": name, "id": call, "response": {"output": text}}}
            for call, name, text in one.results
        ]
        contents.append({"role": "model" if one.role == "assistant" else "user", "parts": parts})
    body: dict[str, Any] = {
        "systemInstruction": {"parts": [{"text": system}]},
        "contents": contents,
    }
    if tools:
        body["tools"] = [{"functionDeclarations": [{"name": name} for name in tools]}]
    return body


def gemini_answer(said: Said, identity: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if said.think:
        parts.append({"text": said.think, "thought": True})
    if said.text:
        parts.append({"text": said.text})
    for call, name, args in said.calls:
        parts.append({"functionCall": {"name": name, "args": args, "id": call}})
    content = {"role": "model", "parts": parts}
    return {"responseId": identity, "candidates": [{"content": content, "finishReason": "STOP"}]}
