"""Gemini's streams as chunks of chat completions: parts, calls, and ends."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_answers import (
    CHAT_TO_GEMINI,
    call,
    counted,
    deltas,
    end,
    message,
    reason,
    said,
    translate,
)
from gemini_streams import events
from translated_streams import WITH_USAGE, openai_accumulates, payloads
from translators import CREATED, whole

SIGNED = {"extra_content": {"google": {"thought_signature": "c2ln"}}}


def started(id_: str, name: str = "f", index: int = 0, arguments: str = "") -> dict[str, Any]:
    """Make the delta that opens a call."""
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": id_, "type": "function", "function": function}]}


# --- text and thoughts


def test_every_event_leaves_at_once():
    """The role comes with the first event, each piece with its own."""
    translator = CHAT_TO_GEMINI.stream({}, created=CREATED)
    first = payloads(translator.feed(said({"text": "Hel"})))
    assert [payload["choices"][0]["delta"] for payload in first] == [
        {"role": "assistant", "content": ""},
        {"content": "Hel"},
    ]
    assert {key: first[0][key] for key in ("id", "object", "created", "model")} == {
        "id": "r1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "gemini-x",
    }
    (second,) = payloads(translator.feed(said({"text": "lo"})))
    assert second["choices"][0]["delta"] == {"content": "lo"}
    assert translator.feed(end()) == []
    assert not translator.finished
    assert translator.finish()[-1] == b"data: [DONE]\n\n"
    assert translator.finished


def test_thoughts_are_reasoning():
    """They stand beside the text, and empty pieces say nothing."""
    parts = [{"text": "hm", "thought": True}, {"text": "", "thought": True}, {"text": ""}]
    assert deltas(said(*parts), end({"text": "Hi"})) == [
        {"reasoning_content": "hm"},
        {"content": "Hi"},
    ]


def test_the_signature_of_a_text_is_said_once():
    """Accumulators join strings that come again; the last one counts."""
    first = {"text": "a", "thoughtSignature": "eA=="}
    last = {"text": "", "thoughtSignature": "c2ln"}
    assert deltas(said(first), end(last)) == [{"content": "a"}, SIGNED]


def test_images():
    """They come as OpenRouter sends them, counted and with their signatures; sound does not."""
    inline = {"inlineData": {"mimeType": "image/png", "data": "aQ=="}}
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "aQ=="}}
    sketch = {**inline, "thought": True}
    found = message(said(inline, sound, sketch), end({**inline, "thoughtSignature": "c2ln"}))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aQ=="}}
    assert found["images"] == [{"index": 0, **image}, {"index": 1, **image, **SIGNED}]


def test_own_parts_say_nothing():
    """They are in the record, and in the skeleton of an answer with calls."""
    parts = [{"executableCode": {"code": "1"}}, {"toolCall": {}, "thoughtSignature": "eA=="}, {}]
    assert deltas(said(*parts), end({"codeExecutionResult": {}})) == []


# --- calls


def test_calls_are_counted_over_the_whole_stream():
    """Positions are dense, also when each call has its own event; Gemini's ids stay."""
    first = said(call(args={"é": 1}, id="x", signature="c2ln"), call("g"))
    told = deltas(first, end(call("f", args={})))
    assert told == [
        {"tool_calls": [{**started("x", arguments='{"é": 1}')["tool_calls"][0], **SIGNED}]},
        started("call_r1_1", "g", 1, "{}"),
        started("call_r1_2", "f", 2, "{}"),
    ]
    assert reason(first, end()) == "tool_calls"


def test_calls_without_a_name_are_none():
    """What Gemini itself would not know is not made up."""
    broken = [{"functionCall": value} for value in ({}, None, [], {"name": 1}, {"name": ""})]
    assert deltas(said(*broken), end()) == []


def test_arguments_that_are_streamed():
    """The call opens at once; its arguments follow when all their paths are known."""
    opens = said(call(id="x", willContinue=True))
    values = [{"jsonPath": "$.a.b", "stringValue": "on"}, {"jsonPath": "$.c[0]", "numberValue": 2}]
    pieces = [
        said({"functionCall": {"partialArgs": values, "willContinue": True}}),
        said({"functionCall": {"partialArgs": [{"jsonPath": "$.a.b", "stringValue": "e"}]}}),
        said({"functionCall": {}, "thoughtSignature": "c2ln"}),
    ]
    arguments = {"index": 0, "function": {"arguments": '{"a": {"b": "one"}, "c": [2]}'}}
    assert deltas(opens, *pieces, end()) == [
        started("x"),
        {"tool_calls": [{**arguments, **SIGNED}]},
    ]


def test_streamed_calls_one_after_another():
    """The next one closes the one before, and the end the last."""
    value = {"partialArgs": [{"jsonPath": "$.a", "numberValue": 1}], "willContinue": False}
    found = message(
        said(call("f", id="x", willContinue=True)),
        said({"functionCall": value}),
        said(call("g", id="y", willContinue=True)),
        said({"functionCall": {}}),
        said({"functionCall": {}}),
        end(call("h", id="z", args={"b": 2})),
    )
    assert [(c["id"], c["function"]) for c in found["tool_calls"]] == [
        ("x", {"name": "f", "arguments": '{"a": 1}'}),
        ("y", {"name": "g", "arguments": "{}"}),
        ("z", {"name": "h", "arguments": '{"b": 2}'}),
    ]


def test_a_call_that_was_cut_is_no_whole_call():
    """A client that ran it would run something that the model has not said."""
    value = {"partialArgs": [{"jsonPath": "$.path", "stringValue": "/"}], "willContinue": True}
    stream = (
        said(call(id="x", willContinue=True))
        + said({"functionCall": value})
        + end(reason="MAX_TOKENS")
    )
    assert reason(stream) == "length"
    (found,) = message(stream)["tool_calls"]
    assert found["function"]["arguments"] == '{"path": "/"'
    answer = CHAT_TO_GEMINI.answer(whole("gemini", stream), created=CREATED)
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"] == found["function"]


# --- the end


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("LANGUAGE", "content_filter"),
        ("OTHER", "stop"),
        ("MALFORMED_FUNCTION_CALL", "stop"),
        ("NEWER_THAN_THIS", "stop"),
    ],
)
def test_reasons_to_finish(native: str, expected: str):
    """Each of Gemini's reasons has OpenAI's word; a fault behind text is an ordinary stop."""
    assert reason(said({"text": "a"}), end(reason=native)) == expected


def test_the_last_reason_counts():
    """Some servers send one with every event."""
    first = said({"text": "a"}, finishReason="FINISH_REASON_UNSPECIFIED")
    assert reason(first, end(reason="MAX_TOKENS"), counted(totalTokenCount=3)) == "length"


@pytest.mark.parametrize("native", ["MALFORMED_FUNCTION_CALL", "OTHER", "UNEXPECTED_TOOL_CALL"])
def test_a_fault_without_content_is_an_error(native: str):
    """Nothing but thoughts and a fault is no answer, and never a stop."""
    hint = said({"text": "hm", "thought": True})
    out, translator = translate([hint, end(reason=native, finishMessage="Bad call: f(")])
    assert (translator.failed, translator.finished) == (True, False)
    assert translator.error == "Bad call: f("
    error = payloads(out)[-1]["error"]
    assert (error["type"], error["code"]) == ("api_error", native.lower())
    assert b"[DONE]" not in b"".join(out)
    _, unnamed = translate([end(reason=native)])
    assert unnamed.error == f"Gemini ended without an answer: {native}"


def test_an_empty_answer_is_a_stop():
    """The model may have nothing to say."""
    assert deltas(end()) == []
    assert reason(end()) == "stop"


def test_what_a_filter_says():
    """Its words are a refusal; without any, none are made up."""
    assert deltas(said({"text": "a"}), end(reason="SAFETY", finishMessage="No.")) == [
        {"content": "a"},
        {"refusal": "No."},
    ]
    assert deltas(end(reason="SAFETY")) == []
    assert deltas(end(finishMessage="fine")) == []


def test_a_prompt_that_is_blocked():
    """There is no candidate; the choice says that a filter was at work."""
    blocked = events({"promptFeedback": {"blockReason": "SAFETY"}})
    assert reason(blocked) == "content_filter"
    assert message(blocked) == {"role": "assistant", "content": ""}
    worded = {"blockReason": "OTHER", "blockReasonMessage": "Not this."}
    assert message(events({"promptFeedback": worded}))["refusal"] == "Not this."
    allowed = events({"promptFeedback": {"safetyRatings": []}})
    assert reason(allowed, said({"text": "a"}), end()) == "stop"


@pytest.mark.parametrize(
    "stream",
    [
        *(b"", said({"text": "a"}), counted(promptTokenCount=1), events({}), b": ping\n\n"),
        *(b"data: [DONE]\n\n", said({"text": "a"}) + b'data: {"candidates": [{"finish'),
    ],
)
def test_a_stream_that_breaks_off_has_no_end(stream: bytes):
    """No reason, no end: nothing is completed."""
    out, translator = translate([stream])
    assert not translator.finished
    assert b"[DONE]" not in b"".join(out)
    assert not [p for p in payloads(out) if p.get("choices", [{}])[0].get("finish_reason")]


# --- tokens


def usage_of(*pieces: bytes, request: dict[str, Any] = WITH_USAGE) -> Any:
    """Translate an answer; give the counts of its last chunk."""
    out, translator = translate([said({"text": "a"}), *pieces, end()], request=request)
    assert translator.finished
    last = payloads(out)[-1]
    return last["usage"] if last["choices"] == [] else None


def test_tokens():
    """The last counts win, earlier ones stay where the last event lacks them."""
    first = counted(promptTokenCount=55, thoughtsTokenCount=7, cachedContentTokenCount=3)
    last = counted(
        promptTokenCount=165,
        candidatesTokenCount=10,
        toolUsePromptTokenCount=5,
        totalTokenCount=187,
        serviceTier="standard",
    )
    assert usage_of(first, last) == {
        "prompt_tokens": 170,
        "completion_tokens": 17,
        "total_tokens": 187,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }


def test_tokens_that_are_unknown():
    """They are missing, never zero, and nobody gets counts without asking."""
    assert usage_of(counted(trafficType="ON_DEMAND")) is None
    assert usage_of(counted(promptTokenCount=4)) == {"prompt_tokens": 4}
    assert usage_of(counted(promptTokenCount="4", candidatesTokenCount=True)) is None
    both = counted(promptTokenCount=4, candidatesTokenCount=2)
    assert usage_of(both)["total_tokens"] == 6
    assert usage_of(both, request={}) is None


# --- sources and probabilities


def test_sources():
    """Places in the text are counted in characters; Gemini counts bytes."""
    pages = [{"web": {"uri": "https://a.test", "title": "A"}}, {"maps": {"uri": "https://b.test"}}]
    supports = [
        {"segment": {"endIndex": 6, "text": "é is"}, "groundingChunkIndices": [0, 1, 7]},
        {
            "segment": {"startIndex": 900, "endIndex": 950, "text": "so"},
            "groundingChunkIndices": [0],
        },
        {"segment": {"startIndex": 7, "endIndex": 8}, "groundingChunkIndices": [0]},
        {"segment": {"startIndex": 7, "endIndex": 99}, "groundingChunkIndices": [1]},
    ]
    grounding = {"groundingChunks": pages, "groundingSupports": supports}
    *_, last = deltas(said({"text": "é is "}), end({"text": "so"}, groundingMetadata=grounding))
    a, b = {"url": "https://a.test", "title": "A"}, {"url": "https://b.test", "title": ""}
    assert [found["url_citation"] for found in last["annotations"]] == [
        {"start_index": 0, "end_index": 4, **a},
        {"start_index": 0, "end_index": 4, **b},
        {"start_index": 5, "end_index": 7, **a},
        {"start_index": 6, "end_index": 7, **a},
        {"start_index": 0, "end_index": 7, **b},
    ]


def test_sources_of_the_whole_answer():
    """Without places they stand for all of it; what has no address is no source."""
    pages = [{"web": {"uri": "https://a.test"}}, {"retrievedContext": {"text": "x"}}, None]
    (told,) = deltas(end({"text": "abc"}, groundingMetadata={"groundingChunks": pages}))[1:]
    citation = {"start_index": 0, "end_index": 3, "url": "https://a.test", "title": ""}
    assert told == {"annotations": [{"type": "url_citation", "url_citation": citation}]}


def test_log_probabilities():
    """They stand beside the text, token by token, with what was likely instead."""

    def tokens(*pairs: tuple[str, float]) -> list[dict[str, Any]]:
        return [{"token": text, "logProbability": value, "tokenId": 1} for text, value in pairs]

    first = {
        "chosenCandidates": tokens(("a", -0.5)),
        "topCandidates": [{"candidates": tokens(("a", -0.5), ("b", -1.5))}],
    }
    second = {"chosenCandidates": [{"token": "c"}, {"token": 1}, None]}
    out, _ = translate(
        [said({"text": "a"}, logprobsResult=first), end({"text": "c"}, logprobsResult=second)]
    )
    found = openai_accumulates(out)["choices"][0]["logprobs"]
    assert found["content"] == [
        {
            "token": "a",
            "logprob": -0.5,
            "bytes": None,
            "top_logprobs": [
                {"token": "a", "logprob": -0.5, "bytes": None},
                {"token": "b", "logprob": -1.5, "bytes": None},
            ],
        },
        {"token": "c", "logprob": 0, "bytes": None, "top_logprobs": []},
    ]


# --- several answers


def test_several_candidates_are_choices():
    """Each opens once and in order, ends for itself, and counts its own calls."""
    stream = [
        said(call(args={}), index=1),
        said({"text": "one"}),
        end({"text": "!"}),
        end(index=1),
        end({"text": "nobody asked"}, index=2),
    ]
    out, translator = translate(stream, request={"n": 2})
    assert translator.finished
    choices = openai_accumulates(out)["choices"]
    assert [choice["finish_reason"] for choice in choices] == ["stop", "tool_calls"]
    assert choices[0]["message"]["content"] == "one!"
    assert choices[1]["message"]["tool_calls"][0]["id"] == "call_r1-1_0"
    assert [choice["message"]["role"] for choice in choices] == ["assistant"] * 2
    _, cut_short = translate(stream[:3], request={"n": 2})
    assert not cut_short.finished
