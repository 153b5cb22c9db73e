"""Real streams through the real proxy: what the client gets, and what the record holds.

The recordings are found through the variable WIRE_SAMPLES; without it these tests are skipped. How
their answers are re-assembled is held against the SDK by the same rule as in the seam's tests.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.dialects import DIALECTS
from tests.seams.test_dialects import (
    EVERY_CHAT,
    NEEDS_SAMPLES,
    assert_what_the_sdk_accumulates,
    cut,
    decode,
    one_by_one,
)
from tests.support.http import exchange, post
from tests.support.pair import REAL_NAME, Pair
from tests.support.provider import stream

BYTE_BY_BYTE_LIMIT = 6500  # bytes of a recording; larger ones are cut at random only

SPLITS = {
    "whole": lambda data: [data],
    "bytes": one_by_one,
    "random-1": lambda data: cut(data, seed=1),
    "random-2": lambda data: cut(data, seed=2),
}


def request_of(recording: Path) -> bytes:
    """Give the recorded request, with our model's name in the place of the recorded one."""
    body = recording.with_suffix(".request.json").read_bytes()
    name = json.dumps(json.loads(body)["model"]).encode()
    changed = body.replace(b'"model": ' + name, b'"model": "alias"')
    assert json.loads(changed) == json.loads(body) | {"model": "alias"}
    return changed


def check_record(record: dict[str, Any], recording: Path, sent: bytes) -> None:
    """The request is the one sent; the answer is as the SDK has it, or the bytes are kept."""
    assert record["request"] == json.loads(sent)
    answer, _ = decode(DIALECTS["openai.chat"], [recording.read_bytes()])
    assert record["response"] == json.loads(json.dumps(answer.response))
    assert_what_the_sdk_accumulates(record["response"], recording)
    assert record["stream"] is True
    if answer.error is None:
        assert (record["outcome"], record["error"]) == ("completed", None)
    else:
        assert (record["outcome"], record["error"]["kind"]) == ("provider_error", "stream_error")
    if "raw" in record:
        assert base64.b64decode(record["raw"]["response"]) == recording.read_bytes()
    else:
        assert answer.exact


@NEEDS_SAMPLES
@EVERY_CHAT
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_recording_arrives_as_sent_and_is_recorded_as_meant(pair: Pair, recording: Path):
    """Whole, byte by byte and in random splits: the same bytes out, the same answer in the record."""
    data = recording.read_bytes()
    sent = request_of(recording)
    for name, split in SPLITS.items():
        if name == "bytes" and len(data) > BYTE_BY_BYTE_LIMIT:
            continue
        pair.begin()
        pair.provider.script = stream(split(data))
        got = exchange(pair.proxy, post(sent, "content-type: application/json"))
        assert got.complete
        assert (got.status, got.body) == (200, data), name
        (received,) = pair.provider.requests
        assert bytes(received.sent) == data
        assert received.body == sent.replace(b'"alias"', b'"%s"' % REAL_NAME.encode(), 1)
        check_record(pair.record(), recording, sent)
