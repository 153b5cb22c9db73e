"""Recorded streams of `anthropic.messages`, with the SDK's own accumulators as oracle.

The recordings are found through the variable WIRE_SAMPLES; without it these tests are skipped.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic.lib.streaming import _beta_messages, _messages

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.anthropic_messages import AnthropicMessages

ROOT = os.environ.get("WIRE_SAMPLES")
RECORDINGS = sorted(Path(ROOT, "anthropic_messages").glob("*.sse")) if ROOT else []
EVERY_RECORDING = pytest.mark.parametrize(
    "stream",
    [
        pytest.param(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body, id=path.stem)
        for path in RECORDINGS
        for body in (path.read_bytes(),)
    ],
)
pytestmark = pytest.mark.skipif(
    not ROOT, reason="WIRE_SAMPLES is not set: no recordings to compare with"
)


def decode(chunks: Iterable[bytes]) -> tuple[Answer, bool]:
    """Give the answer to a stream in these chunks, and whether it had finished."""
    decoder = AnthropicMessages().decoder("text/event-stream", asked=True)
    assert decoder
    for chunk in chunks:
        decoder.feed(chunk)
    return decoder.answer(), decoder.finished


def cut(stream: bytes, *, seed: int) -> Iterator[bytes]:
    """Cut into chunks of random sizes."""
    random_ = random.Random(seed)
    place = 0
    while place < len(stream):
        size = random_.choice((1, 2, 3, 17, 200, 5000))
        yield stream[place : place + size]
        place += size


def events_of(stream: bytes) -> list[dict[str, Any]]:
    """Read a recording with nothing of ours but a loop over lines."""
    return [json.loads(line[6:]) for line in stream.split(b"\n") if line.startswith(b"data: ")]


def texts_of(event: dict[str, Any]) -> Iterator[str]:
    """Give what an event adds to the content, but for the JSON of a tool's input."""
    values = [event.get("content_block"), event.get("delta"), event.get("message")]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values += [part for key, part in value.items() if key not in ("type", "partial_json")]
        elif isinstance(value, list):
            values += value


def strings_of(value: Any) -> Iterator[str]:
    """Give every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings_of(inner)


def test_there_are_recordings():
    """The variable points at recordings."""
    assert len(RECORDINGS) > 20


@EVERY_RECORDING
def test_recording_in_any_split_gives_the_same_exact_answer(stream):
    """Whole, byte by byte and in random splits, the answer is the same, and nothing is unknown."""
    whole = decode([stream])
    assert whole[0].exact
    assert whole[0].error is None
    assert whole[0].terminated
    assert whole[1]
    assert decode(stream[place : place + 1] for place in range(len(stream))) == whole
    for seed in range(5):
        assert decode(cut(stream, seed=seed)) == whole


@EVERY_RECORDING
def test_recording_finishes_in_the_chunk_that_was_announced(stream):
    """The decoder finishes with the last byte of `message_stop`, where `may_finish` said so."""
    dialect = AnthropicMessages()
    decoder = dialect.decoder("text/event-stream", asked=True)
    assert decoder
    window = b""
    for place in range(len(stream)):
        byte = stream[place : place + 1]
        window = window[-16:] + byte
        decoder.feed(byte)
        if decoder.finished:
            break
    assert dialect.may_finish(window)
    assert not stream[place + 1 :].strip()
    assert stream[:place].rstrip(b" }\n").endswith(b'"message_stop"')


@EVERY_RECORDING
def test_recording_cut_after_any_event_loses_no_text(stream):
    """Nothing raises, the answer holds all that came, and says whether it was cut."""
    pieces = [piece + b"\n\n" for piece in stream.split(b"\n\n") if piece.strip()]
    for count in range(len(pieces)):
        (answer, finished), came = decode(pieces[:count]), events_of(b"".join(pieces[:count]))
        assert not finished
        reasons = [event for event in came if event["type"] == "message_delta"]
        assert answer.terminated is bool(reasons)
        assert (answer.response is None) is (not came)
        whole = "\n".join(strings_of(answer.response))
        for event in came:
            for text in texts_of(event):
                assert text in whole
        for index in {event["index"] for event in came if "index" in event}:
            assert _input(answer, index) == _typed_input(came, index)


def _input(answer: Answer, index: int) -> Any:
    """Give a block's input: the object, or what was written of it."""
    assert answer.response is not None
    block = answer.response["content"][index]
    return block.get("partial_json") or block.get("input")


def _typed_input(events: list[dict[str, Any]], index: int) -> Any:
    """Join the pieces of one block's input by hand."""
    mine = [event for event in events if event.get("index") == index]
    raw = "".join(event["delta"].get("partial_json", "") for event in mine if "delta" in event)
    try:
        return json.loads(raw) if raw else mine[0]["content_block"].get("input")
    except ValueError:
        return raw


def _accumulate(stream: bytes, *, beta: bool) -> dict[str, Any]:
    """Let the SDK accumulate a recording, but for the pings that it skips."""
    accumulate: Any = (_beta_messages if beta else _messages).accumulate_event
    more: dict[str, Any] = {"request_headers": None} if beta else {}
    snapshot, buffers = None, {}  # type: Any, dict[int, bytes]
    for event in events_of(stream):
        if event["type"] != "ping":
            snapshot = accumulate(event=event, current_snapshot=snapshot, json_bufs=buffers, **more)
    found: dict[str, Any] = snapshot.to_dict(mode="json", exclude_unset=False)
    return found


# Where the SDK differs, by rule; what no rule explains has to be equal.
# Set by the SDK's helper:
_OF_THE_SDK = ("parsed_output",)
# Of `message_delta` the base SDK keeps what its types name; the rest of the counts, and
# `context_management`, only the beta one:
_ONLY_BETA = ("iterations", "fallback_credit", "context_management", "input_transformations")


def _assert_same(ours: Any, sdk: Any, *, beta: bool, key: str) -> None:
    """Hold our value against the SDK's: absent and null are one, and the rules above hold."""
    if isinstance(ours, dict) and isinstance(sdk, dict):
        for inner in {*ours, *sdk} - {*_OF_THE_SDK}:
            if not beta and inner in _ONLY_BETA and sdk.get(inner) is None:
                continue
            _assert_same(ours.get(inner), sdk.get(inner), beta=beta, key=inner)
    elif isinstance(ours, list) and isinstance(sdk, list):
        assert len(ours) == len(sdk)
        for one, other in zip(ours, sdk, strict=True):
            _assert_same(one, other, beta=beta, key=key)
    elif isinstance(ours, str) and key.endswith("_at"):
        assert ours[:19] == sdk[:19]  # the SDK reads times and writes them in its own way
    else:
        assert ours == sdk, key


@EVERY_RECORDING
@pytest.mark.parametrize("beta", [False, True], ids=["base", "beta"])
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # the base SDK about beta blocks
def test_answer_is_what_the_sdk_accumulates_or_better(stream, beta):
    """Ours equals the SDK's snapshot, but for the differences that the rules above name."""
    answer, _ = decode([stream])
    sdk = _accumulate(stream, beta=beta)
    ours = answer.response
    assert ours is not None
    if not beta:
        # The base SDK does not know these blocks, and leaves their deltas out.
        strangers = [block["type"] in ("compaction", "mcp_tool_use") for block in ours["content"]]
        kept = [block for block, odd in zip(ours["content"], strangers, strict=True) if not odd]
        theirs = [block for block, odd in zip(sdk["content"], strangers, strict=True) if not odd]
        ours, sdk = {**ours, "content": kept}, {**sdk, "content": theirs}
    _assert_same(ours, sdk, beta=beta, key="")
