"""Complete chat completions as answers of the Gemini API, and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chat_streams import decode, entry
from content_streams import (
    EVERY_RECORDING,
    GEMINI_TO_CHAT,
    USAGE,
    messages,
    read,
    stream,
    translate,
    user,
)
from google.genai import errors, types
from translators import CREATED, NEEDS_SAMPLES

from dolphin_logger.errors import ProviderError

CALLS = {"tool_calls": [entry(0, "c1", "f", '{"a": [1, 2.5]}'), entry(1, "c2", "g", "")]}


def answer(native: dict[str, Any]) -> dict[str, Any]:
    """Translate a complete completion; Google's SDK reads the result."""
    found = GEMINI_TO_CHAT.answer(native, created=CREATED)
    types.GenerateContentResponse.model_validate(found)
    return found


def native(**message: Any) -> dict[str, Any]:
    """Write a complete completion."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return {"id": "c1", "model": "m", "choices": [choice], "usage": USAGE}


def test_plain_answer():
    """One candidate with joined text, its reason and the counts; thoughts are in the record only."""
    assert answer(native(content="Hello", reasoning_content="hm", refusal=None)) == {
        "candidates": [
            {
                "content": {"parts": [{"text": "Hello"}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 9, "totalTokenCount": 14},
        "modelVersion": "m",
        "responseId": "c1",
    }


def test_thoughts_that_were_asked_for():
    """A client that asks for thoughts gets them without a stream, too."""
    asked = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
    whole = native(content="Hello", reasoning_content="hm")
    found = GEMINI_TO_CHAT.answer(whole, created=CREATED, request=asked)
    parts = found["candidates"][0]["content"]["parts"]
    assert parts == [{"text": "hm", "thought": True}, {"text": "Hello"}]


@pytest.mark.parametrize(
    "deltas",
    [
        [{"content": "a"}, {"content": "b"}],
        [{"reasoning_content": "hm"}, {"content": "a"}, CALLS],
        [CALLS],
        [{"refusal": "no"}],
        [{"content": None}],
    ],
)
@pytest.mark.parametrize("reason", ["stop", "tool_calls", "length"])
def test_answer_equals_the_stream(deltas, reason):
    """A client without a stream gets what a client with one puts together."""
    body = stream(*deltas, reason=reason)
    whole = decode(body).response
    assert whole is not None
    assert answer(whole) == read(translate([body])[0]).response


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recorded_answer_equals_the_stream(recording):
    """The same holds for every recorded stream that came to its end."""
    body = recording.read_bytes()
    events, translator = translate([body])
    whole = decode(body)
    if translator.finished:
        assert answer(whole.response) == read(events).response


@pytest.mark.parametrize("value", [{}, {"choices": None}, {"choices": []}, {"error": {}}])
def test_no_completion_is_the_providers_fault(value):
    """What is no chat completion is answered with 502."""
    with pytest.raises(ProviderError) as caught:
        GEMINI_TO_CHAT.answer(value, created=CREATED)
    assert (caught.value.status, caught.value.kind) == (502, "protocol")


def test_answer_sent_back_is_the_same():
    """Text, calls and ids of an answer are the provider's again in the next request."""
    said = answer(decode(stream({"content": "Hello"}, CALLS)).response)
    content = said["candidates"][0]["content"]
    back = messages(user("hi"), content)[1]
    assert back["content"] == "Hello"
    assert [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in back["tool_calls"]
    ] == [("c1", "f", {"a": [1, 2.5]}), ("c2", "g", {})]


# --- errors


def error(status: int, body: bytes) -> dict[str, Any]:
    """Translate an error answer; Google's SDK reads the result."""
    found: dict[str, Any] = json.loads(GEMINI_TO_CHAT.error(status, body))
    raised = errors.APIError(status, found)
    assert (raised.code, raised.message) == (status, found["error"]["message"])
    assert raised.status == found["error"]["status"]
    return found["error"]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (404, "NOT_FOUND"),
        (422, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_error_by_status(status, name):
    """The status has its name; message and original are the provider's."""
    upstream = {"error": {"message": "Füße", "type": "t", "param": None, "code": "c"}}
    assert error(status, json.dumps(upstream, ensure_ascii=False).encode()) == {
        "code": status,
        "message": "Füße",
        "status": name,
        "upstream": upstream,
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": "model not found"}', "model not found"),  # Ollama
        (b'{"object": "error", "message": "too long", "code": 400}', "too long"),  # older vLLM
        (b'{"error": {"message": ""}}', None),
        (b'{"detail": [1]}', None),
        (b"[1]", None),
        (b"<html>", None),
        (b"\xff", None),
        (b"", None),
        (b'{"error":%s}' % (b"[" * 1000 + b"]" * 1000), None),
    ],
)
def test_error_bodies_of_any_kind(body, message):
    """Whatever a server sends stays beside a message, which is never made up."""
    found = error(500, body)
    none = "the provider answered with status 500 and no message"
    assert found["message"] == (message or none)
    assert "upstream" in found
