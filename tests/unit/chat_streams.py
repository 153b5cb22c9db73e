"""Streams of chat completions for the unit tests, written by hand."""

from __future__ import annotations

import json
from typing import Any

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.openai_chat import OpenAIChat

DONE = b"data: [DONE]\n\n"


def event(payload: object) -> bytes:
    """Write one event, as text in full Unicode where JSON allows it."""
    text = json.dumps(payload, ensure_ascii=False)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = json.dumps(payload).encode()
    return b"data: " + data + b"\n\n"


def chunk(
    delta: object = None,
    *,
    index: object = 0,
    choice: dict[str, Any] | None = None,
    **fields: object,
) -> bytes:
    """Write one ordinary chunk around a delta."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    choices = [
        {
            "index": index,
            "delta": {} if delta is None else delta,
            "finish_reason": None,
            **(choice or {}),
        }
    ]
    return event({**head, "choices": choices, **fields})


def decode(*events: bytes) -> Answer:
    """Decode a stream whole; the seam tests cut it."""
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    decoder.feed(b"".join(events))
    return decoder.answer()


def message(*deltas: object, exact: bool = True) -> dict[str, Any]:
    """Decode deltas of one choice to its message."""
    answer = decode(*(chunk(delta) for delta in deltas), DONE)
    assert answer.response is not None
    assert answer.exact is exact
    return answer.response["choices"][0]["message"]


def calls(*entries: object, exact: bool = True) -> list[tuple[str | None, str | None, str | None]]:
    """Decode tool call entries, one per event; give (id, name, arguments) of each call."""
    found = message(
        *({"tool_calls": entry if isinstance(entry, list) else [entry]} for entry in entries),
        exact=exact,
    )
    assert all("index" not in call for call in found["tool_calls"])
    bodies = [(call, call["function"]) for call in found["tool_calls"]]
    return [(call.get("id"), body.get("name"), body.get("arguments")) for call, body in bodies]


def entry(
    index: int | None, id_: str | None, name: str | None, arguments: str | None
) -> dict[str, Any]:
    """Write one entry of `tool_calls`; None leaves a key out."""
    body = {
        key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None
    }
    fields = {key: value for key, value in (("index", index), ("id", id_)) if value is not None}
    return {**fields, "function": body}
