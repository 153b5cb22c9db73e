"""The dialect `openai.responses`: usage, first user text, errors, ends, and streams of nonsense."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import APIError
from responses_streams import (
    MESSAGE,
    about,
    added,
    completed,
    created,
    decode_bytes,
    decoder,
    message,
    part,
    to_bytes,
)

from dolphin_logger.dialects.openai_responses import OpenAIResponses
from dolphin_logger.messages import Usage


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        (None, Usage()),
        (
            {
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
                "output_tokens": 5,
                "output_tokens_details": {"reasoning_tokens": 2},
                "total_tokens": 15,
            },
            Usage(10, 5, 4, 3, 2),
        ),
        ({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}}, Usage(10, None, 0)),
        ({"input_tokens": "10", "output_tokens": True, "output_tokens_details": 3}, Usage()),
        ({"prompt_tokens": 10}, Usage()),
    ],
)
def test_usage(usage, found):
    """Counts are read from every place; what is missing or no count is unknown."""
    assert OpenAIResponses().usage({"usage": usage}) == found


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        (None, None),
        ({}, None),
        ([{"role": "developer", "content": "d"}, {"role": "user", "content": "u"}], "u"),
        ([{"type": "message", "role": "user", "content": "u"}], "u"),
        ([{"type": None, "role": "user", "content": "u"}], "u"),
        ([{"type": "reasoning", "role": "user", "content": "u"}], None),
        (
            [
                {"type": "reasoning", "summary": []},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": "x"},
                        {"type": "output_text", "text": "o"},
                        {"type": "input_text", "text": "t"},
                    ],
                },
            ],
            "t",
        ),
        ([{"role": "user", "content": []}, {"role": "user", "content": "second"}], None),
        ([1, None, {"role": "user", "content": [1, {"type": "input_text", "text": 2}]}], None),
    ],
)
def test_first_user_text(given_, text):
    """The input itself, or the first user message's text or first text part, and no later one."""
    assert OpenAIResponses().first_user_text({"input": given_}) == text


def test_asks_stream_and_what_is_one():
    """Only `true` asks for a stream, and only server-sent events are one."""
    dialect = OpenAIResponses()
    assert dialect.asks_stream({"stream": True})
    assert not any(dialect.asks_stream({"stream": value}) for value in (False, None, 1, "true"))
    assert not dialect.asks_stream({})
    assert dialect.decoder("text/event-stream", asked=False)
    assert dialect.decoder("application/json", asked=True) is None


def test_error_body():
    """Errors of ours have OpenAI's four keys."""
    body = OpenAIResponses().error_body("no", status=404, param="model", code="c")
    assert json.loads(body) == {
        "error": {"message": "no", "type": "invalid_request_error", "param": "model", "code": "c"}
    }


def test_error_event_is_raised_by_the_sdk_and_has_the_documented_shape():
    """An error in the middle of a stream is raised by OpenAI's SDK, and is no clean end for us."""
    import httpx2
    from openai import OpenAI
    from openai.types.responses import ResponseErrorEvent

    last = OpenAIResponses().error_event("gone\n\nfar", status=502, code="upstream_unreachable")
    body = to_bytes(created()) + last
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    )
    client = OpenAI(
        api_key="k", base_url="http://test/v1", http_client=httpx2.Client(transport=transport)
    )
    with pytest.raises(APIError, match="gone"):
        list(client.responses.create(model="m", input="x", stream=True))
    payload = json.loads(last.split(b"data: ")[1])
    documented = ResponseErrorEvent.model_validate(payload)
    assert (documented.message, documented.code) == ("gone\n\nfar", "upstream_unreachable")
    answer = decode_bytes(body)
    assert (answer.error, answer.exact, answer.terminated) == ("gone\n\nfar", True, False)


WHOLE = message(part("long " * 500))
STREAM = [created(), added(MESSAGE), about("output_text.delta", content_index=0, delta="x")]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 7, 100, 1000, 4096, 100_000])
def test_end_is_expected_however_long_the_last_event_is(line_end, size):
    """In chunks of any size, the one that ends the last event was announced."""
    stream = to_bytes(*STREAM, completed(WHOLE)).replace(b"\n", line_end)
    running, window = decoder(), b""
    for start in range(0, len(stream), size):
        chunk = stream[start : start + size]
        expected = running.finished or OpenAIResponses().may_finish(window + chunk)
        running.feed(chunk)
        assert expected or not running.finished
        window = (window + chunk)[-16:]
    assert running.finished


def test_end_is_not_expected_in_events_that_begin_where_they_can_be_seen():
    """Whole events in a chunk are told by their names, with and without what came before them."""
    chunk = to_bytes(*STREAM)
    assert not OpenAIResponses().may_finish(chunk)
    assert not OpenAIResponses().may_finish(chunk[-16:] + chunk)
    assert not OpenAIResponses().may_finish(chunk[-16:] + chunk[:-9])
    assert not OpenAIResponses().may_finish(b": keepalive\n\n")
    for kind in ("completed", "incomplete", "failed", "cancelled"):
        last = to_bytes({**completed(), "type": f"response.{kind}"})
        assert OpenAIResponses().may_finish(chunk[-16:] + last)


_KINDS = st.sampled_from(
    [
        f"response.{kind}"
        for kind in (
            *("created", "in_progress", "completed", "failed", "novel"),
            *("output_item.added", "output_item.done", "content_part.added", "content_part.done"),
            *("output_text.delta", "output_text.done", "output_text.annotation.added"),
            *("refusal.delta", "reasoning_summary_text.delta", "reasoning_summary_part.added"),
            *("function_call_arguments.delta", "function_call_arguments.done", "audio.delta"),
            *("image_generation_call.partial_image", "web_search_call.searching"),
            *("shell_call_command.added", "shell_call_command.delta", "shell_call_command.done"),
            *("shell_call_output_content.delta", "shell_call_output_content.done"),
        )
    ]
    + ["error", "keepalive"]
)
_KEYS = st.sampled_from(
    [
        *("type", "response", "item", "part", "delta", "text", "arguments", "logprobs", "output"),
        *("output_index", "content_index", "summary_index", "command_index", "item_id", "id"),
        *("content", "summary", "action", "commands", "command", "status", "error", "message"),
        *("annotation", "annotations", "annotation_index", "sequence_number", "stdout", "novel"),
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 2)
    | st.sampled_from(["", "a", "i", "text", "message", "completed", "\ud83d", 1.5, 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_EVENTS = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    _KINDS,
    st.dictionaries(_KEYS, _VALUES, max_size=6),
)


@settings(max_examples=500)
@given(st.lists(_EVENTS | _VALUES, max_size=6))
def test_wrong_types_never_raise(payloads):
    """Any JSON in any place gives an answer that can be written as JSON, in any split."""
    events = [b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads]
    answer = decode_bytes(b"".join(events))
    json.dumps(answer.response, allow_nan=False)
    running = decoder()
    for one in events:
        running.feed(one)
    assert running.answer() == answer
    if answer.response is not None:
        OpenAIResponses().usage(answer.response)


_PIECES = st.builds(
    lambda kind, index, text: about(
        kind, item=str(index), index=index, content_index=0, summary_index=0, delta=text
    ),
    st.sampled_from(
        [
            *("output_text.delta", "refusal.delta", "reasoning_text.delta"),
            *("reasoning_summary_text.delta", "function_call_arguments.delta"),
        ]
    ),
    st.integers(0, 2),
    st.text(max_size=3),
)


@settings(max_examples=300)
@given(st.lists(_PIECES, max_size=12), st.booleans())
def test_no_piece_is_lost(pieces, ended):
    """However pieces alternate, each stands in the answer; without a beginning it is a guess."""
    marked = [{**one, "delta": f"<{number}>{one['delta']}"} for number, one in enumerate(pieces)]
    answer = decode_bytes(to_bytes(created(), *marked, *([completed()] if ended else [])))
    text = json.dumps(answer.response)
    assert all(f"<{number}>" in text for number in range(len(marked)))
    assert answer.exact is not bool(marked)
