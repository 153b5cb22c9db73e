"""Streams of Gemini for the unit tests, written by hand, in both formats."""

from __future__ import annotations

import json
from typing import Any

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.gemini import Gemini

EVENTS = "text/event-stream"


ARRAY = "application/json"


def chunk(*parts: object, index: int | None = None, **fields: object) -> dict[str, Any]:
    """Make one chunk with one candidate; `finishReason` and the like belong to the candidate."""
    content = {"parts": list(parts), "role": "model"}
    candidate: dict[str, Any] = {"content": content, **fields}
    if index is not None:
        candidate["index"] = index
    return {"candidates": [candidate]}


def events(*chunks: object) -> bytes:
    """Write chunks as Gemini does with `alt=sse`."""
    return b"".join(b"data: " + json.dumps(part).encode() + b"\r\n\r\n" for part in chunks)


def array(*chunks: object, close: bool = True) -> bytes:
    """Write chunks as Gemini does without `alt=sse`: pretty, piece by piece."""
    texts = [json.dumps(part, indent=2).encode() for part in chunks]
    return b"[" + b"\n,\r\n".join(texts) + (b"\n]" if close else b"")


def decode(stream: bytes, *, media_type: str = EVENTS) -> Answer:
    """Decode a stream whole, and byte by byte, to the same answer."""
    answers = []
    for size in (len(stream) or 1, 1):
        decoder = Gemini().decoder(media_type, asked=True)
        assert decoder
        for place in range(0, len(stream), size):
            decoder.feed(stream[place : place + size])
        answers.append(decoder.answer())
    assert answers[0] == answers[1]
    return answers[0]


def parts(*chunks: object, exact: bool = True) -> list[Any]:
    """Decode chunks in both formats to the parts of their candidate."""
    answer = decode(events(*chunks))
    assert answer == decode(array(*chunks), media_type=ARRAY)
    assert answer.exact is exact
    assert answer.response is not None
    return answer.response["candidates"][0]["content"]["parts"]


def call(**fields: object) -> dict[str, Any]:
    """Make a part that calls a function."""
    return {"functionCall": fields}


def arguments(*bodies: dict[str, Any], exact: bool = True) -> dict[str, Any]:
    """Decode the bodies of one streamed call, one per chunk, to the call."""
    (part,) = parts(*(chunk({"functionCall": body}) for body in bodies), exact=exact)
    return part["functionCall"]


def partial(path: object, **fields: object) -> dict[str, Any]:
    """Make a call's body that brings one value."""
    return {"partialArgs": [{"jsonPath": path, **fields}], "willContinue": True}


NAMED = {"name": "f", "id": "c", "willContinue": True}
