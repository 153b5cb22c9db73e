"""Gemini's whole answers as chat completions, and its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gemini_answers import CHAT_TO_GEMINI, EVERY_RECORDING, call, counted, end, said, translate
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion
from translated_streams import WITH_USAGE, openai_accumulates
from translators import CREATED, NEEDS_SAMPLES, whole

from dolphin_logger.errors import ProviderError

SUPPORT = {"segment": {"startIndex": 0, "endIndex": 1, "text": "a"}, "groundingChunkIndices": [0]}
GROUNDING = {"groundingChunks": [{"web": {"uri": "u"}}], "groundingSupports": [SUPPORT]}
IMAGE = {"inlineData": {"mimeType": "image/png", "data": "aQ=="}, "thoughtSignature": "eA=="}
PARTIAL = {"partialArgs": [{"jsonPath": "$.a", "stringValue": "b"}], "willContinue": True}
STREAMS = {
    "text": said({"text": "Hel"}) + said({"text": "lo"}) + end(),
    "nothing": end(),
    "thoughts": said({"text": "hm", "thought": True})
    + end({"text": "a", "thoughtSignature": "eA=="}),
    "calls": said({"text": "x"}, call(args={"a": 1}, signature="eA==")) + end(call("g", id="y")),
    "streamed call": said(call(id="x", **PARTIAL)) + said({"functionCall": {}}) + end(),
    "cut call": said(call(id="x", **PARTIAL)) + end(reason="MAX_TOKENS"),
    "sources": said({"text": "a"}) + end(groundingMetadata=GROUNDING),
    "image": end(IMAGE),
    "filtered": end({"text": "a"}, reason="SAFETY", finishMessage="No."),
    "tokens": said({"text": "a"}) + counted(promptTokenCount=1, candidatesTokenCount=2) + end(),
}


def _as_one(completion: dict[str, Any]) -> dict[str, Any]:
    """Take away how the two say that there is nothing."""
    for choice in completion["choices"]:
        choice["message"] = {key: value for key, value in choice["message"].items() if value}
        for asked in choice["message"].get("tool_calls", ()):
            asked.pop("index", None)
    return {key: value for key, value in completion.items() if value is not None}


def assert_same_as_stream(stream: bytes) -> None:
    """Hold a whole answer against what OpenAI's SDK makes of the stream."""
    out, translator = translate([stream], request=WITH_USAGE)
    assert translator.finished
    native = whole("gemini", stream)
    answer = CHAT_TO_GEMINI.answer(native, created=CREATED)
    ChatCompletion.model_validate(answer)
    streamed = openai_accumulates(out)
    counts = native.get("usageMetadata", {"candidatesTokenCount": None})
    if "candidatesTokenCount" not in counts:
        # The stream knows a count that Gemini's last event left out, and its whole answer does not.
        assert streamed.pop("usage")["completion_tokens"] > answer.pop("usage")["completion_tokens"]
    assert _as_one(answer) == _as_one(streamed)


def test_plain_answer():
    """Id and model stay, the time is ours, and nothing else is added."""
    stream = said({"text": "Hello"}) + counted(promptTokenCount=5, candidatesTokenCount=1) + end()
    assert CHAT_TO_GEMINI.answer(whole("gemini", stream), created=CREATED) == {
        "id": "r1",
        "object": "chat.completion",
        "created": CREATED,
        "model": "gemini-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
    }


def test_calls_alone_have_no_content():
    """It is null, as at OpenAI."""
    answer = CHAT_TO_GEMINI.answer(whole("gemini", end(call(args={}))), created=CREATED)
    assert answer["choices"][0]["message"]["content"] is None
    assert answer["choices"][0]["message"]["tool_calls"] == [
        {"id": "call_r1_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]


def test_an_answer_without_an_id_gets_one_of_its_time():
    """Clients need one; streamed and whole it is the same."""
    native = {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}
    answer = CHAT_TO_GEMINI.answer(native, created=CREATED)
    assert (answer["id"], answer["model"]) == (f"gemini-{CREATED}", None)


def test_several_candidates():
    """All of them come, in the order of their indices."""
    stream = said({"text": "b"}, index=1) + end({"text": "a"}) + end(index=1, reason="MAX_TOKENS")
    choices = CHAT_TO_GEMINI.answer(whole("gemini", stream), created=CREATED)["choices"]
    assert [(c["index"], c["message"]["content"], c["finish_reason"]) for c in choices] == [
        (0, "a", "stop"),
        (1, "b", "length"),
    ]


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS.keys())
def test_whole_answers_equal_streamed_ones(stream: bytes):
    """A client without a stream gets what one with a stream puts together."""
    assert_same_as_stream(stream)


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_whole_recordings_equal_streamed_ones(recording: Any):
    """Real answers too."""
    assert_same_as_stream(recording.read_bytes())


@pytest.mark.parametrize(
    ("native", "message"),
    [
        ({}, "no finish reason"),
        ({"candidates": []}, "no finish reason"),
        ({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}, "no finish reason"),
        ({"candidates": [{"finishReason": "OTHER", "finishMessage": "Broken."}]}, "Broken."),
        ({"error": {"message": "No."}}, "No."),
    ],
)
def test_what_is_no_answer_is_an_error(native: dict[str, Any], message: str):
    """Nothing is made of it."""
    with pytest.raises(ProviderError, match=message) as caught:
        CHAT_TO_GEMINI.answer(native, created=CREATED)
    assert caught.value.status == 502


# --- errors

GOOGLES: list[tuple[int, str, str, str, str | None]] = [
    (400, "INVALID_ARGUMENT", "Bad.", "invalid_request_error", None),
    (
        *(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of"),
        *("invalid_request_error", "context_length_exceeded"),
    ),
    (400, "FAILED_PRECONDITION", "Billing.", "invalid_request_error", "failed_precondition"),
    (401, "UNAUTHENTICATED", "Key.", "invalid_request_error", "invalid_api_key"),
    (402, "RESOURCE_EXHAUSTED", "Credit.", "insufficient_quota", "insufficient_quota"),
    (403, "PERMISSION_DENIED", "No.", "invalid_request_error", "permission_denied"),
    (404, "NOT_FOUND", "models/x is not found", "invalid_request_error", "model_not_found"),
    (404, "NOT_FOUND", "File is gone.", "invalid_request_error", "not_found"),
    (409, "ABORTED", "Again.", "invalid_request_error", "conflict"),
    (429, "RESOURCE_EXHAUSTED", "Slow.", "rate_limit_error", "rate_limit_exceeded"),
    (500, "INTERNAL", "Oops.", "api_error", None),
    (503, "UNAVAILABLE", "Later.", "api_error", "unavailable"),
    (504, "DEADLINE_EXCEEDED", "Long.", "api_error", "deadline_exceeded"),
]


@pytest.mark.parametrize(("status", "word", "message", "type_", "code"), GOOGLES)
@pytest.mark.parametrize("wrapped", [False, True])
def test_errors(status: int, word: str, message: str, type_: str, code: str | None, wrapped: bool):
    """Google's word decides; the message stays verbatim, and the original stands beside it."""
    upstream: Any = {"error": {"code": status, "message": message, "status": word}}
    upstream = [upstream] if wrapped else upstream
    assert json.loads(CHAT_TO_GEMINI.error(status, json.dumps(upstream).encode())) == {
        "error": {
            "message": message,
            "type": type_,
            "param": None,
            "code": code,
            "upstream": upstream,
        }
    }


def test_a_key_that_is_not_valid():
    """Google says it with 400; clients look for the code."""
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    error = {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT", "details": [detail]}
    found = json.loads(CHAT_TO_GEMINI.error(400, json.dumps({"error": error}).encode()))
    assert found["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b"{}", b'{"error": []}'])
def test_errors_without_words(body: bytes):
    """The status tells the kind."""
    found = json.loads(CHAT_TO_GEMINI.error(429, body))["error"]
    assert (found["type"], found["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert found["message"] == "the provider answered with status 429 and no message"


def test_an_error_that_is_too_deep_to_be_written():
    """It stands there as text."""
    body = b'{"error": {"message": "x", "details": ' + b"[" * 900 + b"]" * 900 + b"}}"
    assert json.loads(CHAT_TO_GEMINI.error(500, body))["error"]["type"] == "api_error"


@given(st.integers(400, 599), st.binary(max_size=30))
def test_no_error_breaks_the_translation(status: int, body: bytes):
    """Whatever a provider sends becomes OpenAI's shape."""
    assert json.loads(CHAT_TO_GEMINI.error(status, body))["error"]["message"]
