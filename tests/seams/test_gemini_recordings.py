"""Recorded streams of `gemini`: nothing is lost, and a second re-assembly gives the same.

No SDK accumulates Gemini's streams, so the oracle is written here, from the wire, in another way.
The recordings are found through the variable WIRE_SAMPLES; without it these tests are skipped.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from google.genai import types

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.gemini import Gemini

ROOT = os.environ.get("WIRE_SAMPLES")
RECORDINGS = sorted(Path(ROOT, "gemini").glob("*.sse")) if ROOT else []
EVERY_RECORDING = pytest.mark.parametrize(
    "stream", [pytest.param(path.read_bytes(), id=path.stem) for path in RECORDINGS]
)
pytestmark = pytest.mark.skipif(
    not ROOT, reason="WIRE_SAMPLES is not set: no recordings to compare with"
)


def decode(chunks: Iterable[bytes], *, media_type: str = "text/event-stream") -> Answer:
    """Give the answer to a stream in these chunks."""
    decoder = Gemini().decoder(media_type, asked=True)
    assert decoder
    for chunk in chunks:
        decoder.feed(chunk)
    return decoder.answer()


def cut(stream: bytes, *, seed: int) -> Iterator[bytes]:
    """Cut into chunks of random sizes."""
    random_ = random.Random(seed)
    place = 0
    while place < len(stream):
        size = random_.choice((1, 2, 3, 17, 200, 5000))
        yield stream[place : place + size]
        place += size


def chunks_of(stream: bytes) -> list[dict[str, Any]]:
    """Read a recording with nothing of ours but a loop over lines."""
    return [
        json.loads(line.rstrip(b"\r")[6:])
        for line in stream.split(b"\n")
        if line.startswith(b"data: ")
    ]


def parts_of(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give every part of the only candidate, in order, unmerged."""
    return [
        part
        for chunk in chunks
        for candidate in chunk.get("candidates", [])
        for part in candidate.get("content", {}).get("parts", [])
    ]


def merge(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Re-assemble by grouping the whole list of parts, instead of one after another."""

    def group(numbered: tuple[int, dict[str, Any]]) -> tuple[bool, ...] | int:
        number, part = numbered
        plain = set(part) <= {"text", "thought"}
        return (True, part.get("thought", False)) if plain else number

    parts = []
    for _, members in groupby(enumerate(parts_of(chunks)), key=group):
        run = [part for _, part in members]
        if "text" in run[0]:
            run[0] = {**run[0], "text": "".join(part["text"] for part in run)}
        parts.append(run[0])
    merged: dict[str, Any] = {}
    candidate: dict[str, Any] = {}
    for chunk in chunks:
        merged |= chunk
        candidate |= chunk["candidates"][0]
    candidate["content"] = {**candidate["content"], "parts": parts}
    return {**merged, "candidates": [candidate]}


def test_there_are_recordings():
    """The variable points at recordings."""
    assert len(RECORDINGS) > 5


@EVERY_RECORDING
def test_recording_in_any_split_gives_the_same_answer(stream):
    """Whole, byte by byte and in random splits, the answer is the same, ended and without error."""
    whole = decode([stream])
    assert (whole.error, whole.terminated) == (None, True)
    assert decode(stream[place : place + 1] for place in range(len(stream))) == whole
    for seed in range(5):
        assert decode(cut(stream, seed=seed)) == whole


@EVERY_RECORDING
def test_answer_is_what_another_re_assembly_gives(stream):
    """Ours equals the oracle's; only counts that the last chunk leaves out make it inexact."""
    chunks = chunks_of(stream)
    answer = decode([stream])
    assert answer.response == merge(chunks)
    counted = {key for chunk in chunks for key in chunk["usageMetadata"]}
    assert answer.exact is (counted == set(chunks[-1]["usageMetadata"]))


@EVERY_RECORDING
def test_every_part_of_every_chunk_is_in_the_answer_in_order(stream):
    """Texts, thoughts, calls and signatures come out in the order in which they came in."""
    chunks = chunks_of(stream)
    answer = decode([stream])
    assert answer.response is not None
    kept = answer.response["candidates"][0]["content"]["parts"]
    came = parts_of(chunks)
    for thought in (False, True):
        texts = [
            "".join(part.get("text", "") for part in parts if part.get("thought", False) is thought)
            for parts in (kept, came)
        ]
        assert texts[0] == texts[1]
    for key in ("thoughtSignature", "functionCall", "toolCall", "toolResponse"):
        found, sent = ([part for part in parts if key in part] for parts in (kept, came))
        assert found == sent


@EVERY_RECORDING
def test_recording_as_an_array_gives_the_same_answer(stream):
    """The same chunks in Gemini's other format, in any split, give the same answer."""
    texts = [json.dumps(chunk, indent=2).encode() for chunk in chunks_of(stream)]
    array = b"[" + b"\n,\r\n".join(texts) + b"\n]\n"
    whole = decode([stream])
    assert decode([array], media_type="application/json") == whole
    one_by_one = (array[place : place + 1] for place in range(len(array)))
    assert decode(one_by_one, media_type="application/json") == whole
    for seed in range(5):
        assert decode(cut(array, seed=seed), media_type="application/json") == whole


@EVERY_RECORDING
def test_recording_cut_after_any_event_loses_no_part(stream):
    """Nothing raises, all that came is there, and the answer says that it was cut."""
    events = [
        event + b"\r\n\r\n" for event in stream.replace(b"\r\n", b"\n").split(b"\n\n") if event
    ]
    for count in range(len(events)):
        answer = decode(events[:count])
        assert not answer.terminated
        assert answer.response == (merge(chunks_of(b"".join(events[:count]))) if count else None)


@EVERY_RECORDING
def test_sdk_reads_the_answer(stream):
    """The answer is a valid GenerateContentResponse, and says the same as its chunks."""
    answer = decode([stream])
    ours, *read = (
        types.GenerateContentResponse._from_response(response=response, kwargs={})
        for response in (answer.response, *chunks_of(stream))
    )
    assert "".join(part.text or "" for part in ours.parts or []) == "".join(
        part.text or "" for chunk in read for part in chunk.parts or []
    )
    calls = [call for chunk in read for call in chunk.function_calls or []]
    assert (ours.function_calls or []) == calls
    assert ours.usage_metadata == read[-1].usage_metadata
