"""Streamed chat completions as events of the Gemini API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chat_streams import DONE, chunk, entry, event
from content_streams import (
    THINKING,
    USAGE,
    answered,
    candidate,
    parts,
    payloads,
    read,
    stream,
    translate,
)

from dolphin_logger.dialects import DIALECTS


def called(*entries: Any) -> dict[str, Any]:
    """Write a delta with pieces of calls."""
    return {"tool_calls": list(entries)}


def function_call(id_: str, name: str, args: Any) -> dict[str, Any]:
    """Write the part that a whole call becomes."""
    return {"functionCall": {"id": id_, "name": name, "args": args}}


# --- the envelope


def test_smallest_stream():
    """Text leaves as it comes; the last event alone has the reason and the counts; no `[DONE]`."""
    events, translator = translate(
        [stream({"role": "assistant", "content": "Hel"}, {"content": "lo"})]
    )
    named = {"modelVersion": "m", "responseId": "c1"}

    def saying(text: str, **fields: Any) -> dict[str, Any]:
        content = {"parts": [{"text": text}], "role": "model"}
        return {"content": content, **fields, "index": 0}

    assert payloads(events) == [
        {"candidates": [saying("Hel")], **named},
        {"candidates": [saying("lo")], **named},
        {
            "candidates": [saying("", finishReason="STOP")],
            "usageMetadata": {
                "promptTokenCount": 5,
                "candidatesTokenCount": 9,
                "totalTokenCount": 14,
            },
            **named,
        },
    ]
    assert (translator.finished, translator.failed) == (True, False)


def test_text_is_not_held_back():
    """An event of the client's leaves with the chunk that caused it."""
    _, translator = translate([])
    assert translator.feed(chunk({"role": "assistant", "content": ""})) == []
    (first,) = payloads(translator.feed(chunk({"content": "a"})))
    assert first["candidates"][0]["content"]["parts"] == [{"text": "a"}]


@pytest.mark.parametrize("named", [{"id": None, "model": None}, {"id": "", "model": 7}])
def test_envelope_without_names(named):
    """What a server does not say is not made up, and what no SDK could read is not passed on."""
    answer = answered({"content": "a"})
    assert (answer["modelVersion"], answer["responseId"]) == ("m", "c1")
    events, _ = translate([chunk({"content": "a"}, **named), DONE])
    assert all(found.keys() <= {"candidates", "usageMetadata"} for found in payloads(events))


def test_empty_answer():
    """It has one empty part, as Google's has: its SDKs forget turns without parts."""
    assert parts({"content": ""}) == [{"text": ""}]


def test_line_ends_of_javascript_are_escaped():
    """Google's SDK for JavaScript finds the end of an event by them; other signs stay as they are."""
    text = "a\u2028b\u2029c\u2019d\x85é"
    events, _ = translate([stream({"content": text})])
    assert payloads(events)[0]["candidates"][0]["content"]["parts"] == [{"text": text}]
    assert b'"a\\u2028b\\u2029c\xe2\x80\x99d' in events[0]


# --- what is said


def test_reasoning_for_those_who_asked():
    """Thoughts are parts of their own kind, and only if the client wants to see them."""
    said = ({"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "a"})
    assert parts(*said, asked=THINKING) == [{"text": "hm", "thought": True}, {"text": "a"}]
    snake = {"generation_config": {"thinking_config": {"include_thoughts": True}}}
    assert parts(*said, asked=snake) == parts(*said, asked=THINKING)
    no = {"generationConfig": {"thinkingConfig": {"includeThoughts": False}}}
    for asked in ({}, no, {"generationConfig": None}, {"generationConfig": {"thinkingConfig": 1}}):
        assert parts(*said, asked=asked) == [{"text": "a"}]


def test_calls_are_whole_and_last():
    """Interleaved pieces, whatever comes between them; the provider's ids stay."""
    found = candidate(
        called(entry(0, "x/1", "f", "")),
        called(entry(1, "2", "g", '{"b": [1')),
        {"content": "text"},
        called(entry(0, None, None, '{"a":'), entry(1, None, None, "]}")),
        called(entry(0, None, None, "1e400}")),
        called(entry(2, "3", "h", None)),
        reason="tool_calls",
    )
    assert found["content"]["parts"][:1] == [{"text": "text"}]
    assert found["content"]["parts"][2:] == [
        function_call("2", "g", {"b": [1]}),
        function_call("3", "h", {}),
    ]
    assert found["finishReason"] == "STOP"


def test_numbers_in_arguments_stay_what_they_are():
    """Also those that are longer than any machine's word."""
    text = '{"a": 123456789012345678901234567890, "b": 0.1}'
    events, _ = translate([stream(called(entry(0, "1", "f", text)))])
    assert b'{"a":123456789012345678901234567890,"b":0.1}' in events[-1]


@pytest.mark.parametrize("text", ['{"a": ', "[1]", '"x"', "NaN", '{"a": NaN}', "{} {}", "[" * 9999])
def test_arguments_that_are_no_object(text):
    """Nothing is made up: Google has a finish reason for that, and the words stand beside it."""
    found = candidate(called(entry(0, "1", "f", text), entry(1, "2", "g", "{}")))
    assert found["content"]["parts"] == [function_call("2", "g", {})]
    assert found["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert "'f'" in found["finishMessage"]
    assert found["finishMessage"].endswith(text)


def test_arguments_that_were_cut():
    """A limit that was reached explains them."""
    found = candidate(called(entry(0, "1", "f", '{"a": ')), reason="length")
    assert found["content"]["parts"] == [{"text": ""}]
    assert found["finishReason"] == "MAX_TOKENS"
    assert found["finishMessage"]


@pytest.mark.parametrize("depth", range(200, 1400, 25))
def test_arguments_of_any_depth(depth):
    """JSON that can be read but not written is told as a fault, never raised."""
    text = '{"a":' * depth + "1" + "}" * depth
    body = chunk(called(entry(0, "1", "f", text)), choice={"finish_reason": "stop"})
    for end in (DONE, b""):
        events, translator = translate([body, end])
        assert translator.finished or translator.failed
        assert events


def test_refusal():
    """Its words are text, and the reason says that they are no answer."""
    found = candidate({"refusal": "I "}, {"refusal": "won't."})
    assert found["content"]["parts"] == [{"text": "I won't."}]
    assert found["finishReason"] == "SAFETY"


def test_citations_of_web_pages():
    """Each page once, at the end; their places in the text are not Google's, which counts bytes."""
    page = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0}}
    bare = {"url_citation": {"url": "v"}}
    found = candidate(
        {"content": "a"}, {"annotations": [page, None]}, {"annotations": [page, bare]}
    )
    chunks = [{"web": {"uri": "u", "title": "t"}}, {"web": {"uri": "v"}}]
    assert found["groundingMetadata"] == {"groundingChunks": chunks}


def test_log_probabilities():
    """They come with the text that they belong to, alternatives beside them."""
    other = {"token": "b", "logprob": -2, "bytes": [98]}
    content = [
        {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [other, None]},
        {"token": None, "logprob": "x"},
        None,
    ]
    found = candidate({"content": "a"}, {"content": "b"}, logprobs={"content": content})
    once = [{"token": "a", "logProbability": -0.5}, {}]
    tops = [{"candidates": [{"token": "b", "logProbability": -2}, {}]}, {"candidates": []}]
    assert found["logprobsResult"] == {"chosenCandidates": once * 2, "topCandidates": tops * 2}
    plain = candidate({"content": "a"}, logprobs={"content": content[1:2]})
    assert plain["logprobsResult"] == {"chosenCandidates": [{}]}
    for nothing in (None, {}, {"content": []}, {"content": None, "refusal": []}):
        assert "logprobsResult" not in candidate({"content": "a"}, logprobs=nothing)


# --- the end


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", "STOP"),
        ("tool_calls", "STOP"),
        ("function_call", "STOP"),
        ("length", "MAX_TOKENS"),
        ("content_filter", "SAFETY"),
        ("from_the_future", "OTHER"),
        (None, "OTHER"),
    ],
)
def test_finish_reasons(reason, finish):
    """Each reason has its name; an end without one is no answer that goes on."""
    assert candidate({"content": "a"}, reason=reason)["finishReason"] == finish


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (USAGE, {"promptTokenCount": 5, "candidatesTokenCount": 9, "totalTokenCount": 14}),
        (
            {
                **USAGE,
                "completion_tokens_details": {"reasoning_tokens": 4},
                "prompt_tokens_details": {"cached_tokens": 0},
            },
            {
                "promptTokenCount": 5,
                "candidatesTokenCount": 5,
                "thoughtsTokenCount": 4,
                "cachedContentTokenCount": 0,
                "totalTokenCount": 14,
            },
        ),
        (  # counted beside the completion, as xAI does
            {**USAGE, "total_tokens": 18, "completion_tokens_details": {"reasoning_tokens": 4}},
            {
                "promptTokenCount": 5,
                "candidatesTokenCount": 9,
                "thoughtsTokenCount": 4,
                "totalTokenCount": 18,
            },
        ),
        (
            {"completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 4}},
            {"candidatesTokenCount": 2, "thoughtsTokenCount": 4},
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 9},
            {"promptTokenCount": 5, "candidatesTokenCount": 9, "totalTokenCount": 14},
        ),
        ({"prompt_tokens": 5}, {"promptTokenCount": 5}),
        ({"prompt_tokens": None, "total_tokens": "x"}, None),
        (None, None),
    ],
)
def test_usage(usage, expected):
    """Thoughts are counted apart; what is unknown is missing."""
    assert answered({"content": "a"}, usage=usage).get("usageMetadata") == expected


def test_what_is_counted_is_what_was_counted():
    """Both languages' counts are the same in words of ours."""
    usage = {
        **USAGE,
        "completion_tokens_details": {"reasoning_tokens": 4},
        "prompt_tokens_details": {"cached_tokens": 3},
    }
    translated = answered({"content": "a"}, usage=usage)
    assert DIALECTS["gemini"].usage(translated) == DIALECTS["openai.chat"].usage({"usage": usage})


# --- faults


def fault_of(events: list[bytes]) -> dict[str, Any]:
    """Read the last event, which is a bare error: no SDK of Google's overlooks it."""
    assert events[-1].endswith(b"}\r\n\r\n")
    found: dict[str, Any] = json.loads(events[-1])["error"]
    assert read(events).error == found["message"]
    assert not read(events).terminated
    return found


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ({"message": "no", "code": 429}, 429, "RESOURCE_EXHAUSTED"),
        ({"message": "no", "type": "server_error", "code": None}, 500, "INTERNAL"),
        ({"message": "no", "code": "rate_limit_exceeded"}, 429, "RESOURCE_EXHAUSTED"),
        ({"message": "no", "code": 200, "type": "overloaded_error"}, 503, "UNAVAILABLE"),
        ({"message": "no"}, 502, "UNAVAILABLE"),
        ("no", 502, "UNAVAILABLE"),
    ],
)
def test_error_event(error, code, status):
    """It ends the stream; the message is verbatim, the original beside it."""
    events, translator = translate([chunk({"content": "a"}), event({"error": error}), DONE])
    assert fault_of(events) == {
        "code": code,
        "message": "no",
        "status": status,
        "upstream": {"error": error},
    }
    assert len(events) == 2
    assert (translator.finished, translator.failed, translator.error) == (False, True, "no")


@pytest.mark.parametrize("garbage", [b"data: {\n\n", b"data: null\n\n", b"data: <html>"])
def test_what_cannot_be_read_is_an_error(garbage):
    """A translated stream cannot pass on what it does not understand: it says so and stops."""
    events, translator = translate([chunk({"content": "a"}), garbage])
    assert fault_of(events)["code"] == 502
    assert (translator.finished, translator.failed) == (False, True)


def test_cut_stream_is_left_cut():
    """When the provider breaks off, nothing is added: no call, no reason, no counts."""
    events, translator = translate(
        [chunk({"content": "a"}), chunk(called(entry(0, "1", "f", "{}")))]
    )
    assert len(payloads(events)) == 1
    assert (translator.finished, translator.failed) == (False, False)
    assert not read(events).terminated
