"""The dialect `openai.chat`: usage, first user text, errors, and streams of nonsense."""

from __future__ import annotations

import json

import pytest
from chat_streams import chunk, decode, event
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import APIError

from dolphin_logger.dialects.openai_chat import OpenAIChat
from dolphin_logger.messages import Usage


@pytest.mark.parametrize(
    ("response", "usage"),
    [
        ({}, Usage()),
        ({"usage": None}, Usage()),
        (
            {
                "usage": {
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
                    "completion_tokens_details": {"reasoning_tokens": 2},
                }
            },
            Usage(10, 5, 4, 3, 2),
        ),
        (
            {
                "usage": {
                    "prompt_tokens": 10,
                    "prompt_cache_hit_tokens": 8,
                    "prompt_cache_miss_tokens": 2,
                }
            },
            Usage(10, None, 8),
        ),
        (
            {
                "usage": {
                    "prompt_tokens_details": {"cached_tokens": 0},
                    "prompt_cache_hit_tokens": 8,
                }
            },
            Usage(cache_read_tokens=0),
        ),
        ({"x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}, Usage(1, 2)),
        (
            {
                "usage": {
                    "prompt_tokens": "10",
                    "completion_tokens": True,
                    "prompt_tokens_details": [],
                    "completion_tokens_details": "x",
                }
            },
            Usage(),
        ),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": 1.5}}, Usage()),
        ({"usage": [], "x_groq": 3}, Usage()),
    ],
)
def test_usage(response, usage):
    """Counts are read from every place; what is missing or no count is unknown."""
    assert OpenAIChat().usage(response) == usage


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        (
            [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "u"},
                {"role": "user", "content": "v"},
            ],
            "u",
        ),
        (
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url"},
                        {"type": "text", "text": "t"},
                        {"type": "text", "text": "x"},
                    ],
                }
            ],
            "t",
        ),
        (
            [
                {"role": "user", "content": [{"type": "image_url"}]},
                {"role": "user", "content": "v"},
            ],
            None,
        ),
        ([{"role": "user"}], None),
        ([{"role": "assistant", "content": "a"}], None),
        ([1, "x", None, {"role": "user", "content": [1, {"type": "text", "text": 2}]}], None),
        ("user", None),
        (None, None),
    ],
)
def test_first_user_text(messages, text):
    """The first user message counts, with its text or its first text part, and no later one."""
    assert OpenAIChat().first_user_text({"messages": messages}) == text


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (400, "invalid_request_error"),
        (401, "invalid_request_error"),
        (404, "invalid_request_error"),
        (413, "invalid_request_error"),
        (415, "invalid_request_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (502, "api_error"),
        (503, "api_error"),
        (504, "api_error"),
    ],
)
def test_error_body(status, type_):
    """Errors of ours have OpenAI's four keys, whatever the message holds."""
    body = OpenAIChat().error_body('a "\ud83d\n', status=status, param="model", code="c")
    assert json.loads(body) == {
        "error": {"message": 'a "\ud83d\n', "type": type_, "param": "model", "code": "c"}
    }


def test_error_event_is_raised_by_the_sdk_and_read_by_us():
    """An error in the middle of a stream is raised by OpenAI's SDK, and is no clean end for us."""
    import httpx2
    from openai import OpenAI

    last = OpenAIChat().error_event("gone\n\nfar", status=502, code="upstream_unreachable")
    body = chunk({"content": "a"}) + last
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    )
    client = OpenAI(
        api_key="k", base_url="http://test/v1", http_client=httpx2.Client(transport=transport)
    )
    with pytest.raises(APIError, match="gone"):
        list(client.chat.completions.create(model="m", messages=[], stream=True))
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    decoder.feed(body)
    assert (decoder.answer().error, decoder.finished) == ("gone\n\nfar", False)


_KEYS = st.sampled_from(
    [
        "id",
        "object",
        "created",
        "model",
        "choices",
        "usage",
        "error",
        "x_groq",
        "index",
        "delta",
        "message",
        "finish_reason",
        "logprobs",
        "content",
        "role",
        "refusal",
        "reasoning",
        "reasoning_details",
        "thinking_blocks",
        "tool_calls",
        "function_call",
        "function",
        "custom",
        "name",
        "arguments",
        "input",
        "audio",
        "data",
        "transcript",
        "annotations",
        "extra_content",
        "text",
        "type",
        "thinking",
        "signature",
        "executed_tools",
        "unknown",
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from(["", "a", "=", "text", "thinking", "\ud83d", 1.5, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_DELTAS = st.dictionaries(_KEYS, _VALUES, max_size=4).map(
    lambda delta: {"choices": [{"index": 0, "delta": delta}]}
)


@settings(max_examples=500)
@given(st.lists(_VALUES | _DELTAS, max_size=6))
def test_wrong_types_never_raise(payloads):
    """Any JSON in any place gives an answer that can be written as JSON."""
    events = [b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads]
    answer = decode(*events)
    json.dumps(answer.response, allow_nan=False)
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    for one in events:
        decoder.feed(one)
    assert decoder.answer() == answer
    if answer.response is not None:
        OpenAIChat().usage(answer.response)


@settings(max_examples=500)
@given(st.lists(_DELTAS, max_size=5))
def test_no_text_of_an_exact_answer_is_lost(payloads):
    """Where the answer is exact, each word of each delta stands in it."""
    marked = [
        json.loads(json.dumps(payload).replace('"a"', f'"<{number}>"'))
        for number, payload in enumerate(payloads)
    ]
    answer = decode(*(event(payload) for payload in marked))
    if answer.exact:
        text = json.dumps(answer.response)
        assert all(
            f"<{number}>" in text
            for number, payload in enumerate(marked)
            if f"<{number}>" in json.dumps(payload)
        )
