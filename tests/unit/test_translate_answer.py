"""Complete messages as chat completions, the way back, and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion
from translated_streams import (
    CHAT_TO_MESSAGES,
    EVERY_RECORDING,
    WITH_USAGE,
    anthropic_accumulates,
    begin,
    block,
    end,
    openai_accumulates,
    text,
    thinking,
    tool,
    translate,
)
from translators import CREATED, NEEDS_SAMPLES

from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.translate import TranslateOptions

THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SEALED = {"type": "redacted_thinking", "data": "eA=="}
TEXT = {"type": "text", "text": "Hello"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}


def native(*content: Any, **fields: Any) -> dict[str, Any]:
    """Write a complete message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 9},
        **fields,
    }


def answer(*content: Any, **fields: Any) -> dict[str, Any]:
    """Translate a complete message; the SDK's type accepts the result."""
    completion = CHAT_TO_MESSAGES.answer(native(*content, **fields), created=CREATED)
    ChatCompletion.model_validate(completion)
    return completion


def message(*content: Any, **fields: Any) -> dict[str, Any]:
    """Translate, and give the message alone."""
    found: dict[str, Any] = answer(*content, **fields)["choices"][0]["message"]
    return found


def sent_back(said: dict[str, Any]) -> list[dict[str, Any]]:
    """Send an assistant's message in a next request; give its blocks there."""
    body = {"messages": [{"role": "user", "content": "hi"}, said, {"role": "user", "content": "?"}]}
    result = CHAT_TO_MESSAGES.request(body, model="claude-x", options=TranslateOptions())
    blocks: list[dict[str, Any]] = result.body["messages"][1]["content"]
    return blocks


# --- blocks


def test_plain_answer():
    """Id and model stay, the time is ours, and nothing else is added."""
    assert answer(TEXT) == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": CREATED,
        "model": "claude-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14},
    }


def test_texts_are_joined_and_absent_beside_calls():
    """Content is all text; null when there are only calls, empty when there is nothing."""
    assert message(TEXT, USE, TEXT)["content"] == "HelloHello"
    assert message(USE)["content"] is None
    assert message()["content"] == ""
    assert message(THOUGHT)["content"] == ""


def test_thoughts():
    """Text for people, and blocks for the way back with a dense index."""
    said = message(THOUGHT, SEALED, TEXT, THOUGHT)
    assert said["reasoning_content"] == "hmhm"
    assert said["thinking_blocks"] == [
        {"index": 0, **THOUGHT},
        {"index": 1, **SEALED},
        {"index": 2, **THOUGHT},
    ]
    assert "reasoning_content" not in message(SEALED)


def test_calls():
    """Arguments are written as the model writes them; what was no JSON stays a string."""
    said = message(USE, {**USE, "input": {}}, {**USE, "input": '{"a": tru'}, {**USE, "input": None})
    assert [call["function"]["arguments"] for call in said["tool_calls"]] == [
        '{"a": 1}',
        "{}",
        '{"a": tru',
        "{}",
    ]
    assert said["tool_calls"][0] == {
        "id": "toolu_1",
        "type": "function",
        "function": {"name": "f", "arguments": '{"a": 1}'},
    }


def test_tools_that_run_at_the_provider_are_not_the_clients():
    """Server tools and their results are in the record only."""
    server = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    assert message(server, result, TEXT) == message(TEXT)


def test_citations_of_web_pages():
    """Each notes the characters of its block; other kinds have no words in this language."""
    page = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c"}
    cited = {**TEXT, "citations": [page, page, {"type": "char_location"}]}
    place = {"start_index": 5, "end_index": 10}
    assert message(TEXT, cited)["annotations"] == [
        {"type": "url_citation", "url_citation": {**place, "url": "u", "title": "t"}}
    ]


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("compaction", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_finish_reasons(stop_reason, finish):
    """Each stop reason has its finish reason."""
    assert answer(TEXT, stop_reason=stop_reason)["choices"][0]["finish_reason"] == finish


def test_refusal_in_the_providers_words():
    """The explanation is the refusal; without one no text is made up."""
    assert message(stop_reason="refusal", stop_details={"explanation": "No."})["refusal"] == "No."
    assert message(stop_reason="refusal", stop_details={"explanation": None})["refusal"] is None


def test_usage():
    """Cached tokens are prompt tokens; reasoning is never estimated, unknown is never zero."""
    usage = {"input_tokens": 5, "output_tokens": 9, "cache_read_input_tokens": 0}
    assert answer(TEXT, usage=usage)["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 9,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    full = {
        **usage,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    assert answer(TEXT, usage=full)["usage"] == {
        "prompt_tokens": 125,
        "completion_tokens": 9,
        "total_tokens": 134,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    bare = CHAT_TO_MESSAGES.answer(native(usage={"output_tokens": 9}), created=CREATED)
    assert bare["usage"] == {"completion_tokens": 9}
    assert "usage" not in CHAT_TO_MESSAGES.answer(native(usage=None), created=CREATED)


@pytest.mark.parametrize("value", [{}, {"content": "text"}, {"type": "error", "error": {}}])
def test_no_message_is_the_providers_fault(value):
    """What is no message is answered with 502."""
    with pytest.raises(ProviderError, match="no message") as caught:
        CHAT_TO_MESSAGES.answer(value, created=CREATED)
    assert (caught.value.status, caught.value.kind) == (502, "protocol")


# --- streamed and plain are the same


def comparable(completion: dict[str, Any]) -> dict[str, Any]:
    """Leave out what differs by the rules of OpenAI's SDK: null keys, indices of calls, null text."""
    (choice,) = completion["choices"]
    said = {key: value for key, value in choice["message"].items() if value is not None}
    for call in said.get("tool_calls", ()):
        call.pop("index", None)
    if said.get("tool_calls") and not said.get("content"):
        said.pop("content", None)  # a stream begins with "" before it can know
    kept = ("id", "object", "created", "model", "usage")
    return {
        **{key: completion.get(key) for key in kept},
        "message": said,
        "finish_reason": choice["finish_reason"],
    }


def assert_same(stream: bytes) -> None:
    """Hold the accumulated stream against the plain answer to the same message."""
    streamed = openai_accumulates(translate([stream], request=WITH_USAGE)[0])
    plain = CHAT_TO_MESSAGES.answer(anthropic_accumulates(stream), created=CREATED)
    assert comparable(streamed) == comparable(plain)


def test_stream_and_answer_are_the_same():
    """All kinds of blocks at once."""
    web = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c"}
    stream = (
        begin()
        + thinking(0, "h", "m")
        + block(1, {"type": "redacted_thinking", "data": "eA=="})
        + thinking(2, signature="Mg==")
        + text(3, "Hel", "lo")
        + block(
            4,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "!"},
            {"type": "citations_delta", "citation": web},
        )
        + tool(5, '{"a": ', "1}")
        + tool(6, call_id="toolu_2")
        + end("tool_use")
    )
    assert_same(stream)
    assert_same(begin() + tool(0) + end("tool_use"))
    assert_same(begin() + end("refusal", stop_details={"type": "refusal", "explanation": "No."}))


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_streamed_and_plain_are_the_same(recording):
    """Every recording, accumulated and complete."""
    assert_same(recording.read_bytes())


# --- the way back


@pytest.mark.parametrize(
    "blocks",
    [
        [TEXT],
        [THOUGHT, TEXT],
        [THOUGHT, USE],
        [SEALED, THOUGHT, TEXT, USE, {**USE, "id": "toolu_2", "input": {}}],
        [{**THOUGHT, "thinking": ""}, TEXT],
    ],
)
def test_answer_sent_back_is_the_message_again(blocks):
    """Byte for byte: altered thoughts would be refused."""
    assert json.dumps(sent_back(message(*blocks))) == json.dumps(blocks)


def test_answer_sent_back_through_the_sdk_is_the_message_again():
    """The SDK's message object keeps the keys that it does not know."""
    blocks = [THOUGHT, SEALED, TEXT, USE]
    completion = ChatCompletion.model_validate(answer(*blocks))
    assert sent_back(completion.choices[0].message.model_dump()) == blocks


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_sent_back_keeps_its_blocks(recording):
    """Thoughts with their seals, text and calls of a real answer come back byte for byte."""
    stream = recording.read_bytes()
    content = anthropic_accumulates(stream)["content"]
    expected: list[dict[str, Any]] = []
    for kind, keys in {
        "thinking": ("type", "thinking", "signature"),
        "text": ("type", "text"),
        "tool_use": ("type", "id", "name", "input"),
    }.items():
        found = [{key: part[key] for key in keys} for part in content if part["type"] == kind]
        if kind == "text" and found:  # a chat completion has one text
            found = [{"type": "text", "text": "".join(part["text"] for part in found)}]
        expected += found
    said = openai_accumulates(translate([stream])[0])["choices"][0]["message"]
    assert json.dumps(sent_back(said)) == json.dumps(expected)


# --- errors


def error(status: int, body: Any) -> dict[str, Any]:
    """Translate an error answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found: dict[str, Any] = json.loads(CHAT_TO_MESSAGES.error(status, data))["error"]
    return found


@pytest.mark.parametrize(
    ("status", "kind", "message_", "type_", "code"),
    [
        (400, "invalid_request_error", "bad", "invalid_request_error", None),
        (
            *(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
            *("invalid_request_error", "context_length_exceeded"),
        ),
        (401, "authentication_error", "key", "invalid_request_error", "invalid_api_key"),
        (402, "billing_error", "pay", "insufficient_quota", "insufficient_quota"),
        (403, "permission_error", "no", "invalid_request_error", "permission_denied"),
        (404, "not_found_error", "model: x", "invalid_request_error", "model_not_found"),
        (404, "not_found_error", "file", "invalid_request_error", "not_found"),
        (413, "request_too_large", "big", "invalid_request_error", "request_too_large"),
        (429, "rate_limit_error", "slow", "rate_limit_error", "rate_limit_exceeded"),
        (500, "api_error", "oops", "api_error", None),
        (504, "timeout_error", "late", "api_error", "timeout_error"),
        (529, "overloaded_error", "Overloaded", "api_error", "overloaded_error"),
    ],
)
def test_errors(status, kind, message_, type_, code):
    """Type and code are OpenAI's, the message is verbatim, the original stands beside it."""
    body = {"type": "error", "error": {"type": kind, "message": message_}, "request_id": "req_1"}
    assert error(status, body) == {
        "message": message_,
        "type": type_,
        "param": None,
        "code": code,
        "upstream": body,
    }


@pytest.mark.parametrize(
    "body", [b"<html>bad gateway</html>", b"", b"\xff", b"[]", b"{}", b'{"error":{"message":7}}']
)
def test_errors_of_another_shape(body):
    """What is no error of Anthropic's gives its status, and stands beside it as it is."""
    found = error(502, body)
    assert found["message"] == "the provider answered with status 502 and no message"
    assert found["type"] == "api_error"
    assert "upstream" in found


def test_errors_in_plain_text():
    """What stands before a provider (a gateway, a firewall) may say it in a sentence."""
    assert error(502, b"upstream connect error")["message"] == "upstream connect error"


def test_error_that_is_too_deep_to_be_written_is_text():
    """JSON that can be read but not be written again is passed on as text."""
    body = b'{"error":{"message":"m","x":%s}}' % (b"[" * 1000 + b"]" * 1000)
    assert error(400, body)["upstream"] == body.decode()
