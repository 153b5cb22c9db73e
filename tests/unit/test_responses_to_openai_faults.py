"""Answers without a stream, and errors: whole, in the middle of a stream, before one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from responses_from_chat import (
    RESPONSES_TO_CHAT,
    USAGE,
    assert_accepted,
    calling,
    chunk,
    completion,
    payloads,
    response_of,
    sse,
    translate,
)
from translators import CREATED

from dolphin_logger.errors import ProviderError

SEALED = {"include": ["reasoning.encrypted_content"]}
ASKED = {"tools": [{"type": "custom", "name": "patch"}], **SEALED}
CITATION = {"url": "https://example.com", "title": "E", "start_index": 0, "end_index": 2}
CALLS = (("call_a", "f", '{"x":1}'), ("call_b", "patch", '{"input":"a\\nb"}'))


def test_an_error_in_the_middle_is_the_last_event() -> None:
    """The response fails with the provider's words; what came before is in it, as incomplete."""
    error = {"error": {"message": "Overloaded.", "type": "x", "code": 529}}
    begun = chunk({"reasoning_content": "Hm"}) + chunk({"content": "Hel"})
    begun += b"".join(chunk(delta) for delta in calling(("c", "f", '{"x')))
    out, translator = translate([begun + sse(error) + chunk({"content": "more"})], request=SEALED)
    assert (translator.failed, translator.finished) == (True, False)
    assert translator.error == "Overloaded."
    assert_accepted(out)
    last = payloads(out)[-1]
    assert last["type"] == "response.failed"
    response = last["response"]
    assert response["status"] == "failed"
    assert response["error"] == {
        "code": "server_error",
        "message": "Overloaded.",
        "upstream": error,
    }
    assert [item.get("status") for item in response["output"]] == [None, "completed", "incomplete"]
    assert response["output"][2]["arguments"] == '{"x'


def test_an_error_before_the_answer_begins_it() -> None:
    """The SDK takes no failure of a response that has not begun."""
    out, translator = translate([sse({"error": "Busy."})])
    assert translator.error == "Busy."
    assert [event["type"] for event in payloads(out)][::2] == [
        "response.created",
        "response.failed",
    ]
    assert_accepted(out)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"message": "m", "code": "context_length_exceeded"}, "context_length_exceeded"),
        ({"message": "m", "code": 429}, "rate_limit_exceeded"),
        ({"message": "m", "code": None}, "server_error"),
        ("m", "server_error"),
    ],
)
def test_agents_find_the_code(error: Any, code: str) -> None:
    """A word for what went wrong stays; a number becomes one."""
    out, _ = translate([chunk({"content": "a"}) + sse({"error": error})])
    failed = payloads(out)[-1]["response"]["error"]
    assert (failed["code"], failed["message"]) == (code, "m")


def test_a_whole_answer_is_what_its_stream_comes_to() -> None:
    """A client without a stream gets the response that a stream of the same would end with."""
    calls = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in CALLS
    ]
    told = {
        "reasoning_content": "Hm, ä😀",
        "content": "Hello\u2028",
        "annotations": [{"type": "url_citation", "url_citation": CITATION}],
    }
    stream = completion(*({key: value} for key, value in told.items()), *calling(*CALLS))
    message = {"role": "assistant", **told, "tool_calls": calls}
    native = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "local-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    answer = RESPONSES_TO_CHAT.answer(native, created=CREATED, request=ASKED)
    assert answer == response_of(stream, request=ASKED)
    without = RESPONSES_TO_CHAT.answer(native, created=CREATED)
    assert without["output"][3]["type"] == "function_call"


@pytest.mark.parametrize("native", [{}, {"choices": []}, {"choices": None}, {"error": "x"}])
def test_what_is_no_completion_is_the_providers_fault(native: dict[str, Any]) -> None:
    """An answer without choices is reported, not completed."""
    with pytest.raises(ProviderError, match="no chat completion"):
        RESPONSES_TO_CHAT.answer(native, created=CREATED)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "m", "type": "t", "param": None, "code": None}},
        {"error": {"message": "m", "type": "t", "code": "c", "extra": 1}},
    ],
)
def test_errors_in_openais_shape_go_out_as_they_came(body: dict[str, Any]) -> None:
    """Chat completions and Responses share their errors."""
    raw = json.dumps(body).encode()
    assert RESPONSES_TO_CHAT.error(400, raw) == raw


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            400,
            b'[{"error":{"code":400,"message":"m","status":"S"}}]',
            ("m", "invalid_request_error", None),
        ),
        (404, b'{"error":"m"}', ("m", "invalid_request_error", None)),
        (400, b'{"error":{"message":"m","type":"t","code":400}}', ("m", "t", None)),
        (422, b'{"detail":"m"}', ("m", "invalid_request_error", None)),
        (400, b'{"object":"error","message":"m","type":"T","code":400}', ("m", "T", None)),
        (429, b'{"error":{"message":"m"}}', ("m", "rate_limit_error", "rate_limit_exceeded")),
        (502, b"Bad gateway", ("Bad gateway", "api_error", None)),
        (500, b"", ("the provider answered with status 500 and no message", "api_error", None)),
        (500, b"[]", ("the provider answered with status 500 and no message", "api_error", None)),
    ],
)
def test_other_errors_get_openais_shape(
    status: int, body: bytes, expected: tuple[str, str, str | None]
) -> None:
    """The message stays verbatim, and all that the provider said stands beside it."""
    error = json.loads(RESPONSES_TO_CHAT.error(status, body))["error"]
    assert (error["message"], error["type"], error["code"]) == expected
    assert "upstream" in error


def test_errors_too_deep_to_write_are_told_as_text() -> None:
    """Nothing that a provider sends as an error breaks the answer."""
    deep = b'{"error":{"message":"m","deep":' + b"[" * 500 + b"]" * 500 + b"}}"
    assert json.loads(RESPONSES_TO_CHAT.error(500, deep))["error"]["message"] == "m"
