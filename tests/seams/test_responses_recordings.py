"""Recordings of `openai.responses`, held against the SDK's accumulator, and cut everywhere.

The recordings are found through the variable WIRE_SAMPLES; without it these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from test_dialects import NEEDS_SAMPLES, decode, recordings

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Answer

RESPONSES = DIALECTS["openai.responses"]
EVERY_RECORDING = pytest.mark.parametrize(
    "recording", recordings(RESPONSES.name) or [None], ids=lambda path: path and path.stem
)
TERMINAL = ("response.completed", "response.incomplete", "response.failed")
# The keys under which a complete part or item repeats what was streamed to it.
TEXT_KEYS = ("text", "refusal", "arguments", "input", "code")


def pieces_of(recording: Path) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
    """Read a recording, event by event, with nothing of ours: its bytes and its payload."""
    for block in recording.read_bytes().split(b"\n\n"):
        data = [line[6:] for line in block.split(b"\n") if line.startswith(b"data: {")]
        yield block + b"\n\n", json.loads(data[0]) if data else None


def payloads_of(recording: Path) -> list[dict[str, Any]]:
    """Read all payloads of a recording."""
    return [payload for _, payload in pieces_of(recording) if payload]


def answer_to(stream: bytes) -> Answer:
    """Decode a stream whole."""
    return decode(RESPONSES, [stream])[0]


def texts_of(response: dict[str, Any]) -> Iterator[str]:
    """Give every text that a model wrote, item by item, in order."""
    for item in response["output"]:
        parts = [*(item.get("summary") or []), *(item.get("content") or [])]
        for holder in (item, *parts):
            yield from (holder[key] for key in TEXT_KEYS if isinstance(holder.get(key), str))


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_answer_is_the_terminal_response(recording):
    """The answer is what the terminal event carries, and everything before it agrees."""
    payloads = payloads_of(recording)
    last = next(payload for payload in payloads if payload["type"] in TERMINAL)
    assert answer_to(recording.read_bytes()) == Answer(
        last["response"], exact=True, error=None, terminated=True
    )


# Where the SDK gives up, by rule: a gateway invents another id each time it sends a reasoning item.
def _changes_its_ids(payloads: list[dict[str, Any]]) -> bool:
    done = {p["item"]["id"] for p in payloads if p["type"] == "response.output_item.done"}
    return not done <= {item["id"] for item in payloads[-1]["response"]["output"]}


@NEEDS_SAMPLES
@EVERY_RECORDING
@pytest.mark.parametrize("output", ["as sent", "null"])
@pytest.mark.filterwarnings(
    "ignore:Pydantic serializer warnings"
)  # the SDK about a source of a web search that it has no type for
def test_answer_is_what_the_sdk_accumulates(recording, output):
    """Ours equals the SDK's final response, also where it has to collect the items itself."""
    payloads = payloads_of(recording)
    done = {p["output_index"] for p in payloads if p["type"] == "response.output_item.done"}
    if output == "null":
        payloads[-1]["response"]["output"] = None
        if len(done) != sum(p["type"] == "response.output_item.added" for p in payloads):
            return  # an item was never done: the SDK refuses to complete
    state = ResponseStreamState(input_tools=omit, text_format=omit)
    try:
        for payload in payloads:
            state.handle_event(construct_type_unchecked(value=payload, type_=ResponseStreamEvent))
    except RuntimeError:
        assert _changes_its_ids(payloads)
        return
    sdk = state._completed_response.to_dict(mode="json")
    stream = b"".join(b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads)
    assert answer_to(stream).response == _without_parsed(sdk)


def _without_parsed(value: Any) -> Any:
    """Leave out what the SDK's helper adds."""
    if isinstance(value, list):
        return [_without_parsed(inner) for inner in value]
    if isinstance(value, dict):
        return {
            key: _without_parsed(inner)
            for key, inner in value.items()
            if key not in ("parsed", "parsed_arguments")
        }
    return value


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_cut_anywhere_the_answer_holds_every_text_so_far(recording):
    """After each event an answer that ends there is unterminated, exact, and lacks no delta."""
    stream, deltas = b"", ""
    for block, payload in pieces_of(recording):
        if payload and payload["type"] in TERMINAL:
            break
        stream += block
        answer = answer_to(stream)
        assert (answer.terminated, answer.exact, answer.error) == (False, True, None)
        if payload is None:
            continue
        if payload["type"].endswith(".delta"):
            deltas += payload["delta"]
        assert answer.response["status"] in ("in_progress", "queued")
        assert "".join(texts_of(answer.response)) == deltas


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_cut_within_its_last_event_the_answer_is_what_had_come(recording):
    """Half a terminal event is no end: the items stand as they were done, and raw is kept."""
    stream = b""
    for block, payload in pieces_of(recording):
        if payload and payload["type"] in TERMINAL:
            answer = answer_to(stream + block[: len(block) // 2])
            assert not answer.terminated
            assert not answer.exact
            assert answer.response == answer_to(stream).response
            return
        stream += block


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_without_the_events_that_repeat_the_deltas_alone_are_enough(recording):
    """Where no part, text or item ever came whole, the texts of the deltas are the same."""
    kept, whole = b"", b""
    for block, payload in pieces_of(recording):
        if payload and payload["type"] in TERMINAL:
            break
        whole += block
        if not (payload and payload["type"].endswith(".done")):
            kept += block
    alone, all_ = answer_to(kept).response, answer_to(whole).response
    assert list(texts_of(alone)) == list(texts_of(all_))
    assert [item["type"] for item in alone["output"]] == [item["type"] for item in all_["output"]]


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_resumed_anywhere_the_answer_is_the_terminal_response(recording):
    """A stream that begins in the middle (`starting_after`) has the same answer, exactly."""
    pieces = list(pieces_of(recording))
    whole = answer_to(recording.read_bytes())
    for number in range(len(pieces)):
        rest = pieces[number:]
        if not any(payload and payload["type"] in TERMINAL for _, payload in rest):
            break
        assert answer_to(b"".join(block for block, _ in rest)) == whole


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_end_is_expected_only_where_events_end_that_began_before(recording):
    """Event by event, only the terminal one is suspected; other cuts may only suspect too often."""
    window = b""
    for block, payload in pieces_of(recording):
        window = window[-16:] + block
        if payload:
            assert RESPONSES.may_finish(window) is (payload["type"] in TERMINAL)
