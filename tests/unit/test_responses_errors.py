"""Streams of `openai.responses` that go wrong: errors in all spellings, and failures."""

from __future__ import annotations

import pytest
from responses_streams import (
    MESSAGE,
    TEXT,
    created,
    decode,
    decode_bytes,
    event,
    part,
    response,
)

from dolphin_logger.dialects._api import Answer


@pytest.mark.parametrize(
    ("error", "text", "kept"),
    [
        (
            {"type": "error", "code": "c", "message": "no", "param": None},
            "no",
            {"code": "c", "message": "no", "param": None},
        ),
        (
            {"type": "error", "error": {"type": "t", "message": "no"}},
            "no",
            {"type": "t", "message": "no"},
        ),
        ({"type": "error", "error": "text"}, "text", "text"),
        ({"type": "error", "code": "c"}, '{"code": "c"}', {"code": "c"}),
    ],
)
def test_error_events(error, text, kept):
    """An error stands beside what came before it, or alone; it is no end."""
    answer = decode(*TEXT[:5], error)
    assert (answer.error, answer.exact, answer.terminated) == (text, True, False)
    assert answer.response["error"] == kept
    assert answer.response["output"][0]["content"] == [part("Hel")]
    assert decode(error) == Answer({"error": kept}, exact=True, error=text, terminated=False)


def test_errors_without_a_type():
    """Gateways send the error of a chat completion, and text that is no JSON."""
    assert decode_bytes(b'data: {"error":{"message":"no"}}\n\n').error == "no"
    answer = decode_bytes(b"event: error\ndata: gone\n\n")
    assert (answer.error, answer.exact) == ("gone", False)
    assert answer.response == {"error": {"message": "gone"}}
    other = b'event: error\ndata: {"type":"server_error","message":"no"}\n\n'
    assert decode_bytes(other).error == "no"


def test_errors_that_say_more_keep_raw():
    """Keys beside a nested error, and a second error, have no place."""
    nested = {"type": "error", "error": {"message": "no"}}
    assert decode(nested, nested).exact
    assert decode({**nested, "status": 429, "message": "no"}).exact
    assert not decode({**nested, "novelty": 1}).exact
    answer = decode(nested, {"type": "error", "error": {"message": "other"}})
    assert (answer.error, answer.exact) == ("no", False)


def test_failed_response():
    """A failure ends the answer and tells its message; an error event before it counts first."""
    failed = event(
        "failed", response=response(status="failed", error={"code": "c", "message": "no"})
    )
    answer = decode(*TEXT[:3], failed)
    assert (answer.error, answer.exact, answer.terminated) == ("no", True, True)
    assert answer.response["output"] == [MESSAGE]
    answer = decode(created(), {"type": "error", "message": "first"}, failed)
    assert answer.error == "first"
    assert answer.response["error"] == {"code": "c", "message": "no"}
    assert decode(event("failed", response=response(status="failed"))).error == "response.failed"
    limit = {"reason": "max_output_tokens"}
    assert decode(event("incomplete", response=response(incomplete_details=limit))).error is None
