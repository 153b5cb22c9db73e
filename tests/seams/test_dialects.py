"""The promise of `dialects/_api.py`, held by every dialect of the list, and by real recordings.

The recordings are found through the variable WIRE_SAMPLES; without it those tests are skipped.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Answer, Dialect, StreamDecoder
from dolphin_logger.messages import Usage

FOLDERS = {"openai.chat": "openai_chat", "openai.responses": "openai_responses"}
# Dialects whose streams nobody recorded; their unit tests bring streams of their own.
NOT_RECORDED = {"openai.completions", "ollama.chat", "ollama.generate"}
# Dialects whose recordings have a file of their own beside this one.
RECORDED_ELSEWHERE = {"anthropic.messages", "gemini"}
# The media type of a dialect's streams, where it is not server-sent events.
STREAM_TYPES = dict.fromkeys(
    ("ollama.chat", "ollama.generate", "ollama.embed"), "application/x-ndjson"
)


def start(dialect: Dialect) -> StreamDecoder | None:
    """Begin to decode a stream of this dialect; None when it has no streams."""
    return dialect.decoder(STREAM_TYPES.get(dialect.name, "text/event-stream"), asked=True)


def recordings(dialect: str) -> list[Path]:
    """Find the recorded streams of one dialect; none without the variable."""
    root = os.environ.get("WIRE_SAMPLES")
    return sorted(Path(root, FOLDERS[dialect]).glob("*.sse")) if root else []


NEEDS_SAMPLES = pytest.mark.skipif(
    not os.environ.get("WIRE_SAMPLES"),
    reason="WIRE_SAMPLES is not set: no recordings to compare with",
)
EVERY_DIALECT = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
STREAMING = {name: dialect for name, dialect in DIALECTS.items() if start(dialect)}
EVERY_STREAMING_DIALECT = pytest.mark.parametrize(
    "dialect", STREAMING.values(), ids=STREAMING.keys()
)
EVERY_RECORDING = pytest.mark.parametrize(
    ("dialect", "recording"),
    [
        pytest.param(DIALECTS[name], path, id=f"{name}-{path.stem}")
        for name in FOLDERS
        for path in recordings(name)
    ]
    or [pytest.param(None, None, id="no-recordings")],
)


def decode(dialect: Dialect, chunks: Iterable[bytes]) -> tuple[Answer, bool]:
    """Give the answer to a stream in these chunks, and whether it had finished."""
    decoder = start(dialect)
    assert decoder
    for chunk in chunks:
        decoder.feed(chunk)
    answer = decoder.answer()
    return answer, decoder.finished


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


def test_every_dialect_is_tried_with_recordings_and_listed_by_its_name():
    """The list is keyed by name, and a dialect that joins it is tried here."""
    assert {dialect.name: dialect for dialect in DIALECTS.values()} == DIALECTS
    assert {*FOLDERS, *NOT_RECORDED, *RECORDED_ELSEWHERE} == set(STREAMING)


@EVERY_DIALECT
def test_only_a_dialect_with_streams_expects_their_end(dialect):
    """A plain answer is never decoded as a stream, and without streams there is no last event."""
    assert dialect.asks_stream({"stream": False}) is False
    assert dialect.decoder("application/json", asked=False) is None
    assert dialect.decoder("image/png", asked=True) is None
    if dialect.name not in STREAMING:
        assert not dialect.may_finish(b"data: [DONE]\n\n" * 2)


@EVERY_STREAMING_DIALECT
def test_nothing_received_is_no_response(dialect):
    """An empty stream has no response, no error, and has not finished."""
    assert decode(dialect, []) == (Answer(None, exact=True, error=None, terminated=False), False)


@EVERY_STREAMING_DIALECT
@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\xff" * 50,
        b"<html>no</html>",
        b"data: {\n\n",
        b"data: [[]]\n\n",
        b"\xef\xbb\xbf",
        b"data: null",
    ],
)
def test_noise_never_raises(dialect, noise):
    """Bytes that are no answer raise nothing, in any split, and mean no end."""
    answer, finished = decode(dialect, [noise])
    assert (answer, finished) == decode(dialect, one_by_one(noise))
    assert answer.response is None
    assert not finished


@EVERY_DIALECT
def test_error_body_is_json_with_the_message(dialect):
    """An error of ours is a JSON object that holds the message, for every status."""
    for status in (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 499, 500, 502, 503, 504, 529):
        body = dialect.error_body('no "way"\n', status=status, param=None, code=None)
        assert 'no "way"\n' in json.dumps(json.loads(body)).encode().decode(
            "unicode_escape"
        ).replace('\\"', '"')


@EVERY_STREAMING_DIALECT
def test_error_event_is_an_error_and_no_end(dialect):
    """What we send in the middle of a stream is read back as an error, and finishes nothing."""
    event = dialect.error_event("the provider went away", status=502, code="upstream_unreachable")
    for chunks in ([event], one_by_one(event)):
        answer, finished = decode(dialect, chunks)
        assert answer.error == "the provider went away"
        assert not finished
    assert not dialect.may_finish(event)


@EVERY_DIALECT
@pytest.mark.parametrize("value", [{}, {"usage": 1}, {"usage": {"a": []}}, {"choices": None}])
def test_unknown_usage_is_unknown(dialect, value):
    """Where nothing is counted, nothing is known."""
    assert dialect.usage(value) == Usage()


@EVERY_DIALECT
@pytest.mark.parametrize(
    "request_", [{}, {"messages": 1}, {"messages": [[]]}, {"input": {}}, {"contents": [None]}]
)
def test_no_user_text_is_none(dialect, request_):
    """A request without a user message has no text, whatever its types."""
    assert dialect.first_user_text(request_) is None


@NEEDS_SAMPLES
def test_there_are_recordings():
    """The variable points at recordings of every dialect."""
    assert all(recordings(name) for name in FOLDERS)


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_in_any_split_gives_the_same_answer(dialect, recording):
    """Whole, byte by byte and in random splits, the answer is the same."""
    stream = recording.read_bytes()
    whole = decode(dialect, [stream])
    assert whole[0].response
    assert decode(dialect, one_by_one(stream)) == whole
    for seed in range(5):
        assert decode(dialect, cut(stream, seed=seed)) == whole


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_finishes_exactly_with_its_last_event(dialect, recording):
    """The decoder finishes in the chunk that `may_finish` announced, and in none before it."""
    stream = recording.read_bytes()
    decoder = start(dialect)
    window = b""
    for byte in one_by_one(stream):
        window = window[-16:] + byte
        before = decoder.finished
        decoder.feed(byte)
        if decoder.finished and not before:
            assert dialect.may_finish(window)
    assert decoder.finished is (decoder.answer().error is None or b"[DONE]" in stream)


# --- openai.chat: nothing is lost, and the SDK's own accumulator as oracle

EVERY_CHAT = pytest.mark.parametrize(
    "recording", recordings("openai.chat") or [None], ids=lambda path: path and path.stem
)


def chunks_of(recording: Path) -> Iterator[dict[str, Any]]:
    """Read a recording with nothing of ours but a loop over lines."""
    for line in recording.read_bytes().split(b"\n"):
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])


def strings_of(value: Any) -> Iterator[str]:
    """Give every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)


@NEEDS_SAMPLES
@EVERY_CHAT
def test_every_string_of_every_delta_is_in_the_answer(recording):
    """No word of any delta, log-probability, usage or error is lost."""
    answer, _ = decode(DIALECTS["openai.chat"], [recording.read_bytes()])
    text = "\n".join(strings_of(answer.response))
    for chunk in chunks_of(recording):
        kept = [value for key, value in chunk.items() if key not in ("id", "object", "obfuscation")]
        for string in strings_of(kept):
            assert string in text


@NEEDS_SAMPLES
@EVERY_CHAT
def test_the_texts_of_all_deltas_in_order_are_the_answers_texts(recording):
    """Joined by hand, text by text, the deltas give what the answer holds."""
    answer, _ = decode(DIALECTS["openai.chat"], [recording.read_bytes()])
    for choice in answer.response.get("choices", []):
        joined: dict[str, str] = {}
        for chunk in chunks_of(recording):
            for piece in chunk.get("choices") or []:
                if piece["index"] == choice["index"]:
                    for key in ("content", "reasoning", "reasoning_content", "refusal"):
                        part = piece["delta"].get(key)
                        joined[key] = joined.get(key, "") + "".join(
                            strings_of(_without_types(part))
                        )
        for key, text in joined.items():
            assert "".join(strings_of(_without_types(choice["message"].get(key)))) == text


def _without_types(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_types(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _without_types(inner) for key, inner in value.items() if key != "type"}
    return value


def _sdk_answer(recording: Path) -> dict[str, Any] | None:
    """Let the SDK accumulate a recording; None where it gives up."""
    state: Any = ChatCompletionStreamState()
    for chunk in chunks_of(recording):
        if "choices" not in chunk:
            break  # an error event: the SDK raises here
        try:
            list(state.handle_chunk(ChatCompletionChunk.construct(**chunk)))
        except (IndexError, TypeError, RuntimeError):
            return None
    return state.current_completion_snapshot.to_dict(mode="json")


# Where the SDK gives up: a list in a delta, without `index`, that comes twice.
def _sdk_gives_up(recording: Path) -> bool:
    deltas = [
        choice["delta"] for chunk in chunks_of(recording) for choice in chunk.get("choices") or []
    ]
    unindexed = [
        value
        for delta in deltas
        for key, value in delta.items()
        if isinstance(value, list)
        and value
        and not all(isinstance(part, dict) and "index" in part for part in value)
    ]
    return len(unindexed) > 1


# Where the SDK differs, by rule; what no rule explains has to be equal.
# Sent again in each delta; the SDK strings them together:
_LABELS = ("role", "channel", "format", "id", "name")
# Added by the SDK's helper:
_OF_THE_SDK = ("parsed", "parsed_arguments")
# Beside a delta the SDK keeps only the first chunk's extras:
_NOT_UPDATED = ("native_finish_reason",)


def _assert_same(ours: Any, sdk: Any, *, key: str) -> None:
    """Hold our value against the SDK's; see the rules above."""
    if isinstance(ours, dict) and isinstance(sdk, dict):
        for inner in {*ours, *sdk} - {*_OF_THE_SDK, *_NOT_UPDATED}:
            if inner == "index" and "index" not in ours:
                continue  # a plain answer has no index on its tool calls
            _assert_same(ours.get(inner), sdk.get(inner), key=inner)
    elif key == "executed_tools":
        # Groq sends a tool twice, without and with its output: the SDK doubles it
        assert ours[0]["arguments"] * 2 == sdk[0]["arguments"]
    elif key == "content" and isinstance(ours, list):
        # of text that comes as parts (Mistral) the SDK keeps only the strings
        assert sdk == ours[-1]["text"]
    elif isinstance(ours, list) and isinstance(sdk, list):
        assert len(ours) == len(sdk)
        for one, other in zip(ours, sdk, strict=True):
            _assert_same(one, other, key=key)
    elif key in _LABELS and ours and isinstance(sdk, str):
        assert sdk == ours * (len(sdk) // len(ours))
    elif key == "content" and ours is None:
        # beside tool calls a plain answer's empty text is null
        assert sdk in ("", None)
    elif key == "role":
        # a stream that names no role
        assert (ours, sdk) == ("assistant", None)
    elif [] in (ours, sdk):
        assert not ours
        assert not sdk
    else:
        assert ours == sdk, key


def assert_what_the_sdk_accumulates(ours: dict[str, Any], recording: Path) -> None:
    """Hold a re-assembled answer against the SDK's; the rules above explain every difference."""
    sdk = _sdk_answer(recording)
    if sdk is None:
        assert _sdk_gives_up(recording)
        return
    for key in ("id", "created", "model", "object", "service_tier"):
        _assert_same(ours.get(key) or None, sdk.get(key) or None, key=key)
    # the SDK keeps the last chunk's usage and fingerprint, also when they are null
    usages = [chunk["usage"] for chunk in chunks_of(recording) if chunk.get("usage")]
    assert ours.get("usage") == (usages[-1] if usages else None)
    assert sdk.get("usage") in (None, ours.get("usage"))
    if sdk.get("system_fingerprint"):
        assert ours["system_fingerprint"] == sdk["system_fingerprint"]
    _assert_same(ours["choices"], sdk["choices"], key="choices")


@NEEDS_SAMPLES
@EVERY_CHAT
@pytest.mark.filterwarnings(
    "ignore:Pydantic serializer warnings"
)  # the SDK about a list as content
def test_answer_is_what_the_sdk_accumulates_or_better(recording):
    """Ours equals the SDK's snapshot, but for the differences that the rules above name."""
    answer, _ = decode(DIALECTS["openai.chat"], [recording.read_bytes()])
    assert_what_the_sdk_accumulates(answer.response, recording)
