"""An answer as OpenAI writes it: one JSON body, or server-sent events.

It only writes; what is said was decided before. Invariant: id, time and model are the same in all
chunks, a choice's role comes once, ids and names of calls come once, a finish reason ends each
choice, and `[DONE]` ends the stream.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from random import Random
from typing import Any

from dolphin_logger.providers.demo.answer import Choice, Made
from dolphin_logger.providers.demo.tools import Call


def body(made: Made) -> bytes:
    """Write the answer in one piece."""
    choices = [
        {
            "index": index,
            "message": _message(choice, seed=made.seed + index),
            "logprobs": None,
            "finish_reason": choice.finish_reason,
        }
        for index, choice in enumerate(made.choices)
    ]
    value = _envelope(made, kind="chat.completion", choices=choices)
    return json.dumps({**value, "usage": made.usage}).encode()


def events(made: Made) -> Iterator[bytes]:
    """Write the answer as events, the choices in turns."""
    usage: dict[str, Any] = {"usage": None} if made.usage_wanted else {}
    streams = [
        _deltas(choice, index=index, seed=made.seed + index)
        for index, choice in enumerate(made.choices)
    ]
    for row in zip_longest(*streams):
        for choice in row:
            if choice is not None:
                value = _envelope(made, kind="chat.completion.chunk", choices=[choice])
                yield _event({**value, **usage})
    if made.usage_wanted:
        value = _envelope(made, kind="chat.completion.chunk", choices=[])
        yield _event({**value, "usage": made.usage})
    yield b"data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _envelope(made: Made, *, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": made.id,
        "object": kind,
        "created": made.created,
        "model": made.model,
        "system_fingerprint": "fp_demo",
        "choices": choices,
    }


def _message(choice: Choice, *, seed: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.content, "refusal": None}
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    if choice.calls:
        message["tool_calls"] = [
            _write_call(call, seed=seed, index=index, text=call.arguments)
            for index, call in enumerate(choice.calls)
        ]
    return message


def _write_call(call: Call, *, seed: int, index: int, text: str) -> dict[str, Any]:
    identity = f"call_demo{Random(seed * 31 + index).getrandbits(80):020x}"  # noqa: S311  # a name
    written = {"name": call.name, _field(call): text}
    return {"id": identity, "type": call.kind, call.kind: written}


def _field(call: Call) -> str:
    return "arguments" if call.kind == "function" else "input"


def _deltas(choice: Choice, *, index: int, seed: int) -> Iterator[dict[str, Any]]:
    random = Random(seed)  # noqa: S311  # sizes of chunks, not keys
    opening = {"role": "assistant", "content": None if choice.calls else "", "refusal": None}
    yield _delta(index, opening)
    for piece in _cut_words(choice.reasoning, random=random):
        yield _delta(index, {"reasoning_content": piece})
    for piece in _cut_words(choice.content or "", random=random):
        yield _delta(index, {"content": piece})
    for call in _call_deltas(choice.calls, seed=seed):
        yield _delta(index, {"tool_calls": [call]})
    yield _delta(index, {}, finish_reason=choice.finish_reason)


def _delta(
    index: int, delta: dict[str, Any], *, finish_reason: str | None = None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _call_deltas(calls: list[Call], *, seed: int) -> Iterator[dict[str, Any]]:
    """Open every call, then write the arguments of all of them in turns."""
    for index, call in enumerate(calls):
        yield {"index": index, **_write_call(call, seed=seed, index=index, text="")}
    pieces = [re.findall(r".{1,6}", call.arguments, re.DOTALL) for call in calls]
    for row in zip_longest(*pieces):
        for index, piece in enumerate(row):
            if piece is not None:
                call = calls[index]
                yield {"index": index, call.kind: {_field(call): piece}}


def _cut_words(text: str, *, random: Random) -> Iterator[str]:
    words = re.findall(r"\s*\S+|\s+", text)
    while words:
        size = random.randint(1, 3)
        yield "".join(words[:size])
        words = words[size:]
