"""Complete chat completions as messages, the way back, what is kept for it, and errors."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from anthropic.types import Message
from chat_streams import DONE, chunk, entry
from hypothesis import given
from hypothesis import strategies as st
from messages_on_chat import CALL, HELLO, MESSAGES_ON_CHAT, accumulated, translate
from translators import CREATED, NEEDS_SAMPLES, each, samples, whole

from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.translate import TranslateOptions
from dolphin_logger.proxy.translate.call_ids import decode_id, encode_id

SIGNED = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
DETAILS = [{"type": "reasoning.text", "text": "hm", "signature": "c2ln", "index": 0}]
EVERY_RECORDING = each(samples("openai_chat/*.sse"))


def native(finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    """Write a complete chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    counts = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [choice],
        "usage": counts,
    }


def answer(completion: dict[str, Any]) -> dict[str, Any]:
    """Translate a complete chat completion; the SDK's type accepts the result."""
    before = deepcopy(completion)
    message = MESSAGES_ON_CHAT.answer(completion, created=CREATED)
    assert completion == before
    Message.model_validate(message)
    return message


def sent_back(message: dict[str, Any], completion: dict[str, Any]) -> dict[str, Any]:
    """Send an answer in a next request, with what was kept of the provider's; give it there."""
    kept = json.loads(json.dumps(MESSAGES_ON_CHAT.kept(completion)))
    said = {"role": "assistant", "content": message["content"]}
    result = MESSAGES_ON_CHAT.request(
        {"messages": [HELLO, said]}, model="m", options=TranslateOptions(recall=kept.get)
    )
    found: dict[str, Any] = result.body["messages"][1]
    return found


# --- the answer


def test_answer():
    """Thought, text and call, why it stops, and the counts."""
    message = answer(native(content="Hi", reasoning="hm", tool_calls=[CALL]))
    assert message == {
        "id": "c1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 9},
    }


def test_arguments_that_are_no_json():
    """The model's own text stands beside an empty input."""
    call = {**CALL, "function": {"name": "f", "arguments": '{"a": tru'}}
    (block,) = MESSAGES_ON_CHAT.answer(native(tool_calls=[call]), created=CREATED)["content"]
    assert (block["input"], block["partial_json"]) == ({}, '{"a": tru')


@pytest.mark.parametrize("value", [{}, {"choices": []}, {"choices": "x"}, {"error": {}}])
def test_no_completion_is_the_providers_fault(value):
    """What is no chat completion is answered with 502."""
    with pytest.raises(ProviderError, match="no chat completion") as caught:
        MESSAGES_ON_CHAT.answer(value, created=CREATED)
    assert (caught.value.status, caught.value.kind) == (502, "protocol")


def comparable(message: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the SDK's objects add."""
    return {key: value for key, value in message.items() if value is not None}


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_streamed_and_plain_are_the_same(recording):
    """What the client accumulates is what it would have got at once, but for the order of the blocks."""
    stream = recording.read_bytes()
    events, translator = translate([stream])
    if translator.failed:
        return
    completion = whole("openai.chat", stream)
    assert completion is not None
    plain, streamed = comparable(answer(completion)), comparable(accumulated(events))
    for key in ("model", "stop_reason"):
        assert plain.get(key) == streamed.get(key)
    assert plain["id"] == streamed["id"] or not completion["id"]
    assert comparable(plain["usage"]) == comparable(streamed["usage"])
    order = ("thinking", "text", "tool_use")
    for message in (plain, streamed):
        message["content"].sort(key=lambda block: order.index(block["type"]))
    assert plain["content"] == streamed["content"]


# --- the way back


def test_seals_of_calls_come_back():
    """Google's, on the call that they came with."""
    calls = [{**CALL, **SIGNED}, {**CALL, "id": "call_2"}]
    completion = native(tool_calls=calls)
    assert MESSAGES_ON_CHAT.kept(completion) == {"call_1": {"call": SIGNED}}
    assert sent_back(answer(completion), completion)["tool_calls"] == calls


def test_sealed_thoughts_come_back():
    """OpenRouter's and LiteLLM's, verbatim, in place of the plain thought."""
    for key in ("reasoning_details", "thinking_blocks"):
        completion = native(content="a", reasoning="hm", tool_calls=[CALL], **{key: DETAILS})
        message = sent_back(answer(completion), completion)
        assert message == {"role": "assistant", "content": "a", "tool_calls": [CALL], key: DETAILS}


@pytest.mark.parametrize(
    "thought",
    [
        {"reasoning_content": "hm"},
        {"reasoning_content": ""},
        {"reasoning": "hm"},
        {"reasoning_content": "", "reasoning": "hm"},
    ],
)
def test_thoughts_come_back_under_the_providers_name(thought):
    """The one that it spoke under, also where there was no thought; a null is none."""
    completion = native(tool_calls=[CALL], **thought)
    spoken = {key: text for key, text in thought.items() if text} or thought
    message = sent_back(answer(completion), completion)
    assert message == {"role": "assistant", "content": None, "tool_calls": [CALL], **spoken}
    usual = native(tool_calls=[CALL], reasoning_content="hm", reasoning=None)
    assert MESSAGES_ON_CHAT.kept(usual) == {"call_1": {"thought": {"reasoning_content": "hm"}}}


def test_nothing_is_kept_without_calls():
    """Without calls no provider wants anything back."""
    assert MESSAGES_ON_CHAT.kept(native(content="a", reasoning_details=DETAILS)) == {}
    assert MESSAGES_ON_CHAT.kept(native(tool_calls=[{**CALL, "id": None, **SIGNED}])) == {}


VALUES = st.recursive(
    st.none() | st.text(max_size=2) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ("choices", "message", "tool_calls", "id", "extra_content", "reasoning")
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries({"choices": VALUES | st.lists(VALUES, max_size=1)}))
def test_keeping_never_fails(completion):
    """Whatever the provider sent."""
    assert isinstance(MESSAGES_ON_CHAT.kept(completion), dict)


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_sent_back_is_the_providers_own(recording):
    """Text, calls with their arguments, and beside calls the thoughts: as the provider said them."""
    stream = recording.read_bytes()
    events, translator = translate([stream])
    completion = whole("openai.chat", stream)
    if translator.failed or completion is None:
        return
    own = completion["choices"][0]["message"]
    message = sent_back(accumulated(events), completion)
    if isinstance(own["content"], str):
        assert message["content"] == own["content"]
    calls = own.get("tool_calls") or []
    for call in (*calls, *message.get("tool_calls", ())):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"] or "{}")
        call.pop("index", None)
    assert message.get("tool_calls", []) == calls
    if calls:
        for key in ("reasoning_details", "thinking_blocks"):
            assert message.get(key) == own.get(key)


def test_streamed_answer_comes_back_with_its_results():
    """Ids that the client's language does not allow are the provider's own again."""
    stream = chunk({"tool_calls": [entry(0, "functions.f:0", "f", '{"a": 1}')]}) + DONE
    (block,) = accumulated(translate([stream])[0])["content"]
    result = {"type": "tool_result", "tool_use_id": block["id"], "content": "4"}
    history = [
        HELLO,
        {"role": "assistant", "content": [block]},
        {"role": "user", "content": [result]},
    ]
    body = MESSAGES_ON_CHAT.request(
        {"messages": history}, model="m", options=TranslateOptions()
    ).body
    assert body["messages"][1]["tool_calls"] == [{**CALL, "id": "functions.f:0"}]
    assert body["messages"][2]["tool_call_id"] == "functions.f:0"


# --- ids


@given(st.text())
def test_every_id_survives(native):
    """In the characters that the client's language allows, without a memory."""
    encoded = encode_id(native)
    assert decode_id(encoded) == native
    assert encoded
    assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in encoded)


def test_ids():
    """Allowed ones stay, also those of another provider; calls and results agree."""
    for same in ("call_1", "toolu_01A", "c-9"):
        assert encode_id(same) == decode_id(same) == same
    assert decode_id("toolu_as_!") == "toolu_as_!"
    assert encode_id("toolu_as_x") != "toolu_as_x"


# --- errors


def error(status: int, body: Any) -> dict[str, Any]:
    """Translate an error answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found: dict[str, Any] = json.loads(MESSAGES_ON_CHAT.error(status, data))
    assert found.keys() == {"type", "error"}
    assert found["type"] == "error"
    assert found["error"].keys() == {"type", "message", "upstream"}
    return found["error"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
    ],
)
def test_errors(status, kind):
    """The type is that of the status, the message is verbatim, the original stands beside it."""
    body = {"error": {"message": "m", "type": "overloaded_error", "param": None, "code": "c"}}
    assert error(status, body) == {"type": kind, "message": "m", "upstream": body}


@pytest.mark.parametrize(
    "body",
    [
        [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}],
        {"error": "m"},
        {"object": "error", "message": "m", "code": 400},
        {"detail": "m"},
        {"detail": [{"loc": ["body"], "msg": "m", "type": "missing"}]},
        b"m",
    ],
)
def test_errors_of_other_servers(body):
    """Google's, Ollama's, vLLM's and FastAPI's words are found, and those of a server that sends plain text."""
    assert error(400, body)["message"] == "m"


@pytest.mark.parametrize(
    "body", [b"<html>bad gateway</html>", b"", b"\xff", b"[]", b"{}", b'{"error":{"message":7}}']
)
def test_errors_of_another_shape(body):
    """What is no error that anybody knows gives its status, and stands beside it as it is."""
    found = error(502, body)
    assert found["message"] == "the provider answered with status 502 and no message"
    assert found["type"] == "api_error"


def test_error_that_is_too_deep_to_be_written_is_text():
    """JSON that can be read but not be written again is passed on as text."""
    body = b'{"error":{"message":"m","x":%s}}' % (b"[" * 1000 + b"]" * 1000)
    assert error(400, body)["upstream"] == body.decode()


def test_error_in_place_of_an_answer():
    """A completion that holds an error is the provider's fault, in its words."""
    broken = {**native(content="a"), "error": {"message": "m"}}
    with pytest.raises(ProviderError, match="m"):
        MESSAGES_ON_CHAT.answer(broken, created=CREATED)
