"""Streams of responses for the unit tests, written by hand."""

from __future__ import annotations

import itertools
import json
from typing import Any

from dolphin_logger.dialects._api import Answer, StreamDecoder
from dolphin_logger.dialects.openai_responses import OpenAIResponses

Event = dict[str, Any]


def response(**fields: object) -> Event:
    """Write a response as a plain request would get it."""
    return {"id": "resp_1", "object": "response", "status": "in_progress", "output": [], **fields}


def event(kind: str, **fields: object) -> Event:
    """Write one event, without its number."""
    return {"type": f"response.{kind}", **fields}


def created(**fields: object) -> Event:
    """Write the first event."""
    return event("created", response=response(**fields))


def completed(*output: object, **fields: object) -> Event:
    """Write the last event."""
    return event(
        "completed", response=response(**{"status": "completed", "output": [*output], **fields})
    )


def added(item: Event, *, index: int = 0) -> Event:
    """Write the beginning of an output item."""
    return event("output_item.added", output_index=index, item=item)


def done(item: Event, *, index: int = 0) -> Event:
    """Write the end of an output item."""
    return event("output_item.done", output_index=index, item=item)


def about(kind: str, *, index: int = 0, item: str = "i", **fields: object) -> Event:
    """Write an event about an output item."""
    return event(kind, item_id=item, output_index=index, **fields)


def to_bytes(*events: Event, start: int = 0) -> bytes:
    """Number the events that have no number, and write them all."""
    numbers = itertools.count(start)
    numbered = [{"sequence_number": next(numbers), **one} for one in events]
    return b"".join(
        b"event: " + one["type"].encode() + b"\ndata: " + _data(one) + b"\n\n" for one in numbered
    )


def _data(payload: Event) -> bytes:
    try:
        return json.dumps(payload, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(payload).encode()


def decoder() -> StreamDecoder:
    """Start to decode."""
    found = OpenAIResponses().decoder("text/event-stream", asked=True)
    assert found
    return found


def decode_bytes(stream: bytes) -> Answer:
    """Decode a stream whole; the seam tests cut it."""
    running = decoder()
    running.feed(stream)
    return running.answer()


def decode(*events: Event, start: int = 0) -> Answer:
    """Decode events."""
    return decode_bytes(to_bytes(*events, start=start))


def item(*events: Event, exact: bool = True) -> Event:
    """Decode events of a stream that was cut, to its only item."""
    answer = decode(created(), *events)
    assert answer.exact is exact
    assert not answer.terminated
    assert answer.response
    (only,) = answer.response["output"]
    return only


MESSAGE: Event = {
    "id": "i",
    "type": "message",
    "status": "in_progress",
    "content": [],
    "role": "assistant",
}


def part(text: str = "", **fields: object) -> Event:
    """Write a text part."""
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text, **fields}


def message(*parts: Event, **fields: object) -> Event:
    """Write a message that is done."""
    return {**MESSAGE, "status": "completed", "content": [*parts], **fields}


# A message in two pieces, without its end; and what it comes to.
TEXT: list[Event] = [
    created(),
    event("in_progress", response=response()),
    added(MESSAGE),
    about("content_part.added", content_index=0, part=part()),
    about("output_text.delta", content_index=0, delta="Hel", logprobs=[], obfuscation="x"),
    about("output_text.delta", content_index=0, delta="lo \u2028", logprobs=[]),
    about("output_text.done", content_index=0, text="Hello \u2028", logprobs=[]),
    about("content_part.done", content_index=0, part=part("Hello \u2028")),
    done(message(part("Hello \u2028"))),
]
WHOLE: Event = message(part("Hello \u2028"))
