"""Real streams of three more languages through the real proxy, in every split.

The recordings are found through the variable WIRE_SAMPLES; without it these tests are skipped. What
the decoders make of them is held against the SDKs elsewhere; here the record holds what the decoder
says when it is fed directly, and the client gets the provider's bytes.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Answer
from tests.support import languages as said
from tests.support.http import exchange, post
from tests.support.pair import Pair

LANGUAGES = {  # by folder: provider, dialect, path
    "openai_responses": ("openai", "openai.responses", "/v1/responses"),
    "anthropic_messages": ("anthropic", "anthropic.messages", "/v1/messages?beta=true"),
    "gemini": ("google", "gemini", "/v1beta/models/gemini:streamGenerateContent?alt=sse"),
}
BYTE_BY_BYTE_LIMIT = 10_000  # bytes of a recording; larger ones are cut at random only


def recordings() -> list[Any]:
    """Find the recorded streams; none without the variable."""
    root = os.environ.get("WIRE_SAMPLES")
    return [
        pytest.param(path, id=f"{folder}-{path.stem}")
        for folder in LANGUAGES
        for path in (sorted(Path(root, folder).glob("*.sse")) if root else [])
    ]


EVERY_RECORDING = pytest.mark.parametrize(
    "recording",
    recordings() or [pytest.param(None, marks=pytest.mark.skip(reason="WIRE_SAMPLES is not set"))],
)


@pytest.fixture(scope="module")
def running_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run one provider for every language, and a proxy with one model for each."""
    with said.running(tmp_path_factory.mktemp("home")) as pair:
        yield pair


def splits(data: bytes, *, seed: str) -> Iterator[tuple[str, list[bytes]]]:
    """Cut a recording in several ways."""
    yield "whole", [data]
    if len(data) <= BYTE_BY_BYTE_LIMIT:
        yield "bytes", [data[place : place + 1] for place in range(len(data))]
    for sizes in ((1, 2, 3, 17, 90), (40, 700, 5000)):
        chance, pieces, place = random.Random(f"{seed} {sizes}"), [], 0
        while place < len(data):
            size = chance.choice(sizes) * (1 + len(data) // 20_000)
            pieces.append(data[place : place + size])
            place += size
        yield f"random {sizes}", pieces


def request_of(recording: Path) -> tuple[bytes, bytes]:
    """Give the recorded request as a client of ours sends it, and as the provider must get it."""
    provider, _, _ = LANGUAGES[recording.parent.name]
    body = recording.with_suffix(".request.json").read_bytes()
    pattern = re.compile(rb'("model": )"' + re.escape(str(json.loads(body).get("model")).encode()))
    if provider == "google":
        return body, body
    ours, theirs = (
        pattern.sub(rb'\1"' + name.encode(), body, count=1)
        for name in (said.ALIASES[provider], said.real_name(provider))
    )
    assert json.loads(ours) == json.loads(body) | {"model": said.ALIASES[provider]}
    return ours, theirs


def headers_of(data: bytes) -> list[tuple[str, str]]:
    """Say what a provider said: some of these answers were compressed although nobody asked."""
    coded = data.startswith(b"\x1f\x8b")
    return said.EVENT_STREAM + [("content-encoding", "gzip")] * coded


def uncoded(data: bytes) -> bytes:
    """Undo the compression, as far as the bytes go."""
    return zlib.decompressobj(31).decompress(data) if data.startswith(b"\x1f\x8b") else data


def decode(dialect: str, data: bytes) -> Answer:
    """Feed the decoder directly."""
    decoder = DIALECTS[dialect].decoder("text/event-stream", asked=True)
    assert decoder is not None
    decoder.feed(data)
    return decoder.answer()


def check_record(record: dict[str, Any], answer: Answer, *, request: bytes, data: bytes) -> None:
    """The record holds both sides; the bytes too where the decoder was not sure, or was cut."""
    assert record["request"] == json.loads(request)
    assert record["stream"] is True
    assert record["response"] == json.loads(json.dumps(answer.response))
    if answer.error is not None:
        assert (record["outcome"], record["error"]["kind"]) == ("provider_error", "stream_error")
    elif answer.terminated:
        assert (record["outcome"], record["error"]) == ("completed", None)
    else:
        assert record["outcome"] == "provider_truncated"
    if answer.exact and answer.terminated:
        assert "raw" not in record
    else:
        assert base64.b64decode(record["raw"]["response"]) == data


@EVERY_RECORDING
def test_recording_arrives_as_sent_and_is_recorded_as_decoded(pair: Pair, recording: Path):
    """In every split: the same bytes out, the request but for its model, the same answer recorded."""
    provider, dialect, path = LANGUAGES[recording.parent.name]
    data = recording.read_bytes()
    ours, theirs = request_of(recording)
    plain = uncoded(data)
    answer = decode(dialect, plain)
    assert answer.response is not None
    for name, pieces in splits(data, seed=recording.stem):
        pair.begin()
        pair.provider.script = said.pieces_of(pieces, headers=headers_of(data))
        got = exchange(pair.proxy, post(ours, "content-type: application/json", path=path))
        assert got.complete, name
        assert (got.status, got.body) == (200, data), name
        assert got.all("content-type") == ["text/event-stream; charset=utf-8"]
        (request,) = pair.provider.requests
        assert bytes(request.sent) == data
        assert request.body == theirs, name
        assert request.target == path.replace("models/gemini:", "models/gemini-real-1:")
        record = pair.record()
        assert (record["dialect"], record["provider"]) == (dialect, provider)
        usage = DIALECTS[dialect].usage(answer.response)
        assert record["usage"] == {key: getattr(usage, key) for key in record["usage"]}
        check_record(record, answer, request=ours, data=plain)


@EVERY_RECORDING
def test_recording_cut_in_the_middle_ends_broken_and_keeps_its_part(pair: Pair, recording: Path):
    """Half of a recording is forwarded to its last byte, ends visibly broken, and is kept raw."""
    _, dialect, path = LANGUAGES[recording.parent.name]
    data = recording.read_bytes()
    half = data[: len(data) // 2]
    ours, _ = request_of(recording)
    pair.provider.script = said.broken_after([half], headers=headers_of(data))
    got = exchange(pair.proxy, post(ours, "content-type: application/json", path=path))
    assert not got.complete
    assert got.body.startswith(half)
    assert got.body == half or half.endswith((b"\n\n", b"\r\n\r\n"))
    plain = uncoded(half)
    record = pair.record()
    assert (record["outcome"], record["error"]["kind"]) == ("provider_truncated", "truncated")
    assert base64.b64decode(record["raw"]["response"]) == plain
    assert record["response"] == json.loads(json.dumps(decode(dialect, plain).response))
