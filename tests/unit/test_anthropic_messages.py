"""`anthropic.messages`: every event, delta and rule, in streams written by hand."""

from __future__ import annotations

import json

import pytest
from message_streams import (
    END,
    MESSAGE,
    STOP,
    USAGE,
    block,
    change,
    content,
    decode,
    event,
    start,
    text,
)

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.anthropic_messages import AnthropicMessages
from dolphin_logger.messages import Usage


def test_stream_gives_the_plain_answer():
    """A streamed message has the shape of one that was not streamed; padding and pings are nothing."""
    answer = decode(
        event("message_start", message=MESSAGE, padding=7),
        event("ping"),
        text("Hel", "lo \u2028"),
        event("ping"),
        change(usage={"output_tokens": 9, "input_tokens": None}),
        STOP,
    )
    response = {
        **MESSAGE,
        "content": [{"type": "text", "text": "Hello \u2028"}],
        "stop_reason": "end_turn",
        "usage": {**USAGE, "output_tokens": 9},
    }
    assert answer == Answer(response, exact=True, error=None, terminated=True)
    assert list(answer.response) == list(MESSAGE)


def test_nothing_is_no_answer():
    """Without a message there is no response, whatever pings say."""
    nothing = Answer(None, exact=True, error=None, terminated=False)
    assert decode(b"") == decode(event("ping")) == decode(b": comment\n\n") == nothing


def test_message_delta_overwrites_counts_and_keeps_absent_ones():
    """Counts are cumulative; null and absent ones keep what the beginning said."""
    answer = decode(
        start(usage={"input_tokens": 5, "cache_creation": {"a": 1}, "output_tokens": 1}),
        change(stop=None, usage={"output_tokens": 4}),
        change(usage={"output_tokens": 9, "input_tokens": 6, "server_tool_use": {"web": 1}}),
        change(usage={"output_tokens": 10, "input_tokens": None, "iterations": [1]}),
        STOP,
    )
    assert answer.exact
    assert answer.response["usage"] == {
        "input_tokens": 6,
        "cache_creation": {"a": 1},
        "output_tokens": 10,
        "server_tool_use": {"web": 1},
        "iterations": [1],
    }


def test_message_delta_assigns_the_rest():
    """Reason, sequence, details, container, context and transformations are the last ones named."""
    delta = {
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "stop_details": {"a": 1},
        "container": {"id": "c", "expires_at": "2"},
    }
    beside = {"context_management": {"applied_edits": []}, "input_transformations": []}
    answer = decode(
        start(container={"id": "c", "expires_at": "1"}, input_transformations=[1]),
        event("message_delta", delta=delta, usage={"output_tokens": 1}, **beside),
        event("message_delta", delta={"container": None}, context_management=None),
        STOP,
    )
    assert answer.exact
    assert {key: answer.response[key] for key in (*delta, *beside)} == {**delta, **beside}


def test_two_reasons_keep_the_last_and_raw():
    """A contradiction is reported."""
    answer = decode(start(), change(stop="tool_use"), change(), STOP)
    assert not answer.exact
    assert answer.response["stop_reason"] == "end_turn"


@pytest.mark.parametrize("named", [True, False])
def test_error_in_the_middle_keeps_what_came(named):
    """An error stands beside the partial message, and is no end; its name may be in the data only."""
    error = {"type": "overloaded_error", "message": "busy"}
    failed = event("error", error=error, request_id="req_1")
    if not named:
        failed = failed.partition(b"\n")[2]
    answer = decode(start(), text("par", "tial", stop=False), failed)
    assert (answer.error, answer.exact, answer.terminated) == ("busy", True, False)
    assert answer.response["content"] == [{"type": "text", "text": "partial"}]
    assert answer.response["error"] == error
    assert answer.response["request_id"] == "req_1"


def test_error_alone_is_the_answer():
    """Without a message the response is the error as a plain answer has it."""
    body = {"type": "error", "error": {"type": "api_error", "message": "no"}}
    answer = decode(event("error", error=body["error"]))
    assert answer == Answer(body, exact=True, error="no", terminated=False)


@pytest.mark.parametrize(
    ("data", "message", "exact"),
    [
        (b"event: error\ndata: gone\n\n", "gone", False),
        (b'event: error\ndata: {"message": "gone"}\n\n', "gone", True),
        (b'event: error\ndata: {"type": "x", "message": "gone"}\n\n', "gone", True),
        (b'data: {"error": {"message": "gone"}}\n\n', "gone", True),
        (b'data: {"error": "gone"}\n\n', "gone", True),
        (b'event: error\ndata: {"error": {"code": 1}}\n\n', '{"code": 1}', True),
    ],
)
def test_errors_in_other_shapes_are_errors(data, message, exact):
    """Imitators send errors in other shapes; each is one."""
    answer = decode(start(), data)
    assert (answer.error, answer.exact) == (message, exact)
    assert "error" in answer.response


def test_cut_stream_keeps_every_piece():
    """Blocks that never stopped are kept as far as they came."""
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    answer = decode(
        start(),
        block({"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "mm"}),
        text("par", index=1, stop=False),
        block(tool, {"type": "input_json_delta", "partial_json": '{"a'}, index=2, stop=False),
    )
    assert (answer.exact, answer.terminated) == (False, False)
    assert answer.response["content"] == [
        {"type": "thinking", "thinking": "mm"},
        {"type": "text", "text": "par"},
        {**tool, "partial_json": '{"a'},
    ]


def test_a_reason_without_the_last_event_is_an_end():
    """The stream lacks `message_stop`, but nothing of the answer is missing."""
    answer = decode(start(), text("a"), change())
    assert (answer.exact, answer.terminated) == (True, True)
    assert not decode(start(), text("a"), change(stop=None)).terminated
    assert decode(start(), text("a"), STOP).terminated
    assert decode(start(), text("a"), STOP[:-2]).terminated  # no blank line behind it
    assert not decode(change()).exact


@pytest.mark.parametrize(
    "stranger",
    [
        event("vault_rotated", key=1),
        event("ping", surprise=1),
        event("message_stop", surprise=1),
        event("content_block_stop", index=0, surprise=1),
        b"event: text\ndata: not json\n\n",
        b"data: [1]\n\n",
        b'data: {"type": ["ping"]}\n\n',
        event("content_block_start", index=5, content_block={"type": "text", "text": ""}),
        event("content_block_start", index=0, content_block=None),
        event("content_block_start", index=1, content_block="lost"),
        event("content_block_delta", index=7, delta={"type": "text_delta", "text": "lost"}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "late"}),
        event("content_block_delta", index=0, delta="x"),
        event("content_block_delta", index=[], delta={"type": []}),
        event("content_block_stop", index=9),
        event("message_delta", delta={}, usage={"output_tokens": float("nan")}),
        event("message_start", message="x"),
        event("message_start", message={**MESSAGE, "id": "msg_2"}),
        event("message_delta", delta={"novelty": 1}, usage={"output_tokens": 1}),
        event("message_delta", delta=[], usage=1),
    ],
)
def test_what_has_no_rule_keeps_raw_and_loses_no_text(stranger):
    """Unknown events, keys, places and types raise nothing, and turn `exact` off."""
    answer = decode(start(), text("a", "b"), stranger, END)
    assert not answer.exact
    assert answer.response["content"][0]["text"].startswith("ab")
    for word in (b"lost", b"late"):
        assert (word in stranger) is (word.decode() in json.dumps(answer.response))
    for key, value in (("surprise", 1), ("novelty", 1), ("id", "msg_2")):
        if f'"{key}": {json.dumps(value)}'.encode() in stranger:
            assert answer.response[key] == value


def test_content_without_a_message_is_a_bare_message():
    """A stream that lost its first event, and its last ones, still holds its words."""
    content = [{"type": "text", "text": "ab"}]
    bare = {"type": "message", "role": "assistant", "content": content}
    assert decode(text("a", "b")) == Answer(bare, exact=False, error=None, terminated=False)
    late = decode(text("a", "b"), start(), END)
    assert (late.exact, late.response["id"], late.response["content"]) == (False, "msg_1", content)


def test_unknown_events_before_the_message_change_nothing():
    """What comes before the beginning is no part of the message; the raw bytes keep it."""
    answer = decode(event("hello", a=1), event("ping"), start(), text("a"), END)
    assert not answer.exact
    assert answer.response == decode(start(), text("a"), END).response


def test_message_that_begins_with_content():
    """Content of the beginning stays, and deltas can lengthen it."""
    delta = {"type": "text_delta", "text": "b"}
    answer = decode(
        start(content=[{"type": "text", "text": "a"}]),
        event("content_block_delta", index=0, delta=delta),
        END,
    )
    assert answer.exact
    assert answer.response["content"] == [{"type": "text", "text": "ab"}]


def test_nothing_after_the_last_event_is_part_of_the_answer():
    """What follows `message_stop` is reported; a ping and OpenAI's mark are nothing."""
    late = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "z"})
    whole = decode(start(), text("a", stop=False), END)
    after = decode(start(), text("a", stop=False), END, late)
    assert whole.exact
    assert (after.response, after.exact) == (whole.response, False)
    assert decode(start(), text("a", stop=False), END, event("ping"), b"data: [DONE]\n\n") == whole


def test_integers_beyond_64_bits_and_depth():
    """Big integers in a block survive; what nests too deep to be written again is left to raw."""
    number = 123456789012345678901234567890
    assert content(block({"type": "x", "n": number}))[0]["n"] == number
    deep = b'data: {"type":"content_block_start","index":0,"content_block":' + b"[" * 400
    answer = decode(start(), deep + b"]" * 400 + b"}\n\n", END)
    assert not answer.exact
    json.dumps(answer.response)


def test_oversize_event_keeps_raw():
    """An event beyond the splitter's limit is lost to the view and reported."""
    answer = decode(start(), b"data: " + b" " * (17 * 1024 * 1024) + b"\n\n", text("a"), END)
    assert not answer.exact
    assert answer.response["content"] == [{"type": "text", "text": "a"}]


@pytest.mark.parametrize("padding", [0, 6, 15, 40])
def test_the_last_event_is_announced_in_every_split(padding):
    """However the terminal event is padded and cut, `may_finish` says so where the decoder finishes."""
    dialect = AnthropicMessages()
    decoder = dialect.decoder("text/event-stream", asked=True)
    assert decoder
    window = b""
    for byte in start() + text("a") + change() + event("message_stop", padding=padding):
        window = window[-16:] + bytes((byte,))
        decoder.feed(bytes((byte,)))
        if decoder.finished:
            break
    assert decoder.finished
    assert dialect.may_finish(window)
    assert dialect.may_finish(change() + STOP)
    assert not dialect.may_finish(text("stop it"))


def test_only_events_are_a_stream():
    """A JSON answer is none; an asked-for stream shows in the body."""
    dialect = AnthropicMessages()
    assert dialect.decoder("application/json", asked=True) is None
    assert dialect.decoder("text/event-stream", asked=False) is not None
    assert dialect.asks_stream({"stream": True})
    assert not any(dialect.asks_stream(body) for body in ({}, {"stream": False}, {"stream": 1}))


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            {
                "usage": {
                    "input_tokens": 1,
                    "cache_read_input_tokens": 20,
                    "cache_creation_input_tokens": 300,
                    "output_tokens": 4,
                    "output_tokens_details": {"thinking_tokens": 2},
                }
            },
            Usage(321, 4, 20, 300, 2),
        ),
        ({"usage": {"input_tokens": 1, "output_tokens": 0}}, Usage(1, 0)),
        ({"usage": {"cache_read_input_tokens": 3}}, Usage(None, None, 3)),
        ({"usage": {"input_tokens": -1, "output_tokens": "4"}}, Usage()),
        ({"usage": {"input_tokens": True}}, Usage()),
        ({"input_tokens": 14}, Usage(14)),
        ({"usage": {"output_tokens": 4}, "input_tokens": 14}, Usage(None, 4)),
    ],
)
def test_usage_counts_cached_tokens_as_input(response, expected):
    """Input is the sum of what Anthropic counts apart; `count_tokens` answers with the count alone."""
    assert AnthropicMessages().usage(response) == expected


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"role": "user", "content": "hi"}], "hi"),
        ([{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}], "hi"),
        (
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "hi"}]}],
            "hi",
        ),
        (
            [{"role": "user", "content": [{"type": "image"}]}, {"role": "user", "content": "b"}],
            None,
        ),
        ([{"role": "assistant", "content": "a"}], None),
        ("hi", None),
    ],
)
def test_first_user_text(messages, expected):
    """The first message of the user counts, as a string or by its first text block."""
    assert AnthropicMessages().first_user_text({"system": "x", "messages": messages}) == expected


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "conflict_error"),
        (413, "request_too_large"),
        (415, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_errors_of_ours_have_anthropics_shape(status, type_):
    """Status decides the type; the event carries the same object under its name."""
    dialect = AnthropicMessages()
    body = dialect.error_body("no", status=status, param="model", code="c")
    assert json.loads(body) == {"type": "error", "error": {"type": type_, "message": "no"}}
    assert dialect.error_event("no", status=status, code="c") == (
        b"event: error\ndata: " + body + b"\n\n"
    )
