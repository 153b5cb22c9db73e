"""What the tests of every translation share: recorded streams, ways to cut them, and how to run one."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Answer
from dolphin_logger.proxy.translate import StreamTranslator, Translation

CREATED = 1_795_000_000
NEEDS_SAMPLES = pytest.mark.skipif(
    not os.environ.get("WIRE_SAMPLES"),
    reason="WIRE_SAMPLES is not set: no recordings to translate",
)


def samples(pattern: str) -> list[Path]:
    """Find recordings, such as `gemini/*.sse`."""
    root = os.environ.get("WIRE_SAMPLES")
    return sorted(Path(root).glob(pattern)) if root else []


def each(recordings: list[Path]) -> Any:
    """Give a decorator that runs a test on each recording; one parameter, `recording`."""
    return pytest.mark.parametrize(
        "recording", recordings or [None], ids=lambda path: path and path.stem
    )


def one_by_one(stream: bytes) -> list[bytes]:
    """Cut after each byte."""
    return [stream[place : place + 1] for place in range(len(stream))]


def cut(stream: bytes, *, seed: int) -> list[bytes]:
    """Cut into chunks of random sizes."""
    random_ = random.Random(seed)
    chunks, place = [], 0
    while place < len(stream):
        size = random_.choice((1, 2, 3, 17, 200, 5000))
        chunks.append(stream[place : place + size])
        place += size
    return chunks


def run(
    translation: Translation, chunks: Iterable[bytes], request: dict[str, Any] | None = None
) -> tuple[list[bytes], StreamTranslator]:
    """Translate a stream; return the client's events and the translator."""
    translator = translation.stream(request or {}, created=CREATED)
    events = [event for chunk in chunks for event in translator.feed(chunk)]
    return events + translator.finish(), translator


def read_as(dialect: str, events: Iterable[bytes]) -> Answer:
    """Re-assemble a stream with the decoder of a language, as the record does."""
    decoder = DIALECTS[dialect].decoder("text/event-stream", asked=True)
    assert decoder is not None
    for event in events:
        decoder.feed(event)
    return decoder.answer()


def whole(dialect: str, stream: bytes) -> dict[str, Any]:
    """Give the answer that a stream says, as if it were not streamed."""
    response = read_as(dialect, [stream]).response
    assert response is not None
    return response
