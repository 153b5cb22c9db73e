"""Streamed chat completions as streams of Responses, held against OpenAI's own models."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response
from responses_from_chat import (
    RESPONSES_TO_CHAT,
    USAGE,
    assert_accepted,
    calling,
    chunk,
    completion,
    events_of,
    payloads,
    response_of,
    translate,
)
from translators import CREATED, cut, one_by_one

SEALED = {"include": ["reasoning.encrypted_content"]}
SUMMARY = {"reasoning": {"summary": "auto"}}
CITATION = {"url": "https://example.com", "title": "E", "start_index": 0, "end_index": 2}
RICH = completion(
    {"reasoning_content": "Hm"},
    {"reasoning_content": ", ä😀"},
    {"content": "Hel"},
    {"content": "lo\u2028"},
    {"annotations": [{"type": "url_citation", "url_citation": CITATION}]},
    *calling(("call_a", "f", '{"x":1}'), ("call_b", "patch", '{"input":"a\\nb"}')),
    reason="tool_calls",
)
ASKED = {"tools": [{"type": "custom", "name": "patch"}], **SEALED}


def said(stream: bytes, *, request: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Give the output items of a response, without their ids."""
    output = response_of(stream, request=request)["output"]
    return [{key: value for key, value in item.items() if key != "id"} for item in output]


def kinds(stream: bytes, *, request: dict[str, Any] | None = None) -> list[str]:
    """Give the types of the client's events, without their common beginning."""
    found = events_of(stream, request=request)
    return [event["type"].removeprefix("response.") for event in found]


def test_a_text_is_a_message() -> None:
    """Every event of a plain text, in the order that OpenAI sends them."""
    stream = completion({"content": "Hel"}, {"content": "lo"})
    assert kinds(stream) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    part = {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
    message = {"type": "message", "status": "completed", "role": "assistant", "content": [part]}
    assert said(stream) == [message]


def test_the_response_repeats_its_request() -> None:
    """The terminal event has every field of a response, those of the request as they were asked."""
    tool = {"type": "function", "name": "f", "parameters": {}, "strict": None}
    asked = {
        "model": "alias",
        "instructions": "Be brief.",
        "tools": [tool],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 7,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "low"},
        "truncation": "auto",
        "user": "u",
        "store": True,
    }
    response = response_of(completion({"content": "Hi"}), request=asked)
    kept = {key: response[key] for key in asked if key not in ("model", "store")}
    assert kept == {
        **{key: asked[key] for key in kept},
        "reasoning": {"effort": "low", "summary": None},
        "text": {"format": {"type": "text"}, "verbosity": "low"},
    }
    assert response["store"] is False, "nothing is stored here, whatever was asked"
    assert (response["model"], response["created_at"]) == ("local-1", CREATED)
    assert (response["status"], response["object"]) == ("completed", "response")
    assert (response["error"], response["incomplete_details"]) == (None, None)
    plain = response_of(completion({"content": "Hi"}))
    assert (plain["tool_choice"], plain["tools"], plain["parallel_tool_calls"]) == (
        "auto",
        [],
        True,
    )
    required = {name for name, field in Response.model_fields.items() if field.is_required()}
    assert required <= plain.keys()


def test_ids_follow_from_the_time_and_the_providers_id() -> None:
    """The same completion gives the same ids, at another time others, for some servers count to 999."""
    stream = completion({"reasoning_content": "a"}, {"content": "b"})
    first, again = response_of(stream), response_of(stream)
    assert first["id"] == again["id"]
    prefixes = [item["id"].split("_")[0] for item in first["output"]]
    assert prefixes == ["rs", "msg"]
    later = RESPONSES_TO_CHAT.stream({}, created=CREATED + 1)
    assert payloads(later.feed(stream))[-1]["response"]["id"] != first["id"]


def test_calls_keep_their_ids_names_and_arguments() -> None:
    """Parallel calls are items of their own; `call_id` is the provider's."""
    calls = (("call_a", "f", '{"x": 1}'), ("call_b", "g", "{}"))
    stream = completion({"content": "Now"}, *calling(*calls), reason="tool_calls")
    assert said(stream)[1:] == [
        {
            "type": "function_call",
            "status": "completed",
            "call_id": call_id,
            "name": name,
            "arguments": arguments,
        }
        for call_id, name, arguments in calls
    ]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    """Clients read arguments as JSON, so that a call which has none says so in JSON."""
    assert said(completion(*calling(("c", "f", ""))))[0]["arguments"] == "{}"


def test_an_id_that_comes_twice_is_told_apart() -> None:
    """A server that gives two calls one id would leave it open whose a result is."""
    stream = completion(*calling(("a", "f", "{}"), ("a", "g", "{}")), reason="tool_calls")
    assert [item["call_id"] for item in said(stream)] == ["a", "a_1"]


def test_arguments_may_come_in_turns() -> None:
    """Calls stay open until the end, for servers that send arguments of two calls in turns."""
    first, *rest = calling(("a", "f", '{"x":1}'), size=3)
    second = {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}}]}
    last = {"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]}
    found = said(completion(first, rest[0], second, *rest[1:], last))
    assert [item["arguments"] for item in found] == ['{"x":1}', "{}"]


def test_thoughts_come_as_their_text() -> None:
    """A thought is the text of a reasoning item, done before the answer begins."""
    stream = completion({"reasoning_content": "a"}, {"reasoning_content": "b"}, {"content": "c"})
    assert kinds(stream)[2:8] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
    ]
    text = [{"type": "reasoning_text", "text": "ab"}]
    assert said(stream)[0] == {"type": "reasoning", "summary": [], "content": text}


def test_who_asks_for_a_summary_gets_thoughts_there() -> None:
    """Clients show summaries, and not the text of thoughts."""
    stream = completion({"reasoning_content": "a"}, {"content": "c"})
    assert kinds(stream, request=SUMMARY)[2:8] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    summary = [{"type": "summary_text", "text": "a"}]
    assert said(stream, request=SUMMARY)[0] == {"type": "reasoning", "summary": summary}


def test_thoughts_are_sealed_only_when_asked() -> None:
    """`encrypted_content` is for clients that send nothing else back."""
    stream = completion({"reasoning_content": "a"}, {"content": "c"})
    sealed = said(stream, request=SEALED)[0]["encrypted_content"]
    assert sealed.startswith("dolphin-logger:1:")
    assert "encrypted_content" not in said(stream)[0]


def test_text_and_thoughts_in_turns_are_items_in_turns() -> None:
    """An item is done when something else begins; what comes again is another one."""
    stream = completion({"reasoning": "a"}, {"content": "b"}, {"reasoning": "c"}, {"content": "d"})
    items = response_of(stream)["output"]
    assert [item["type"] for item in items] == ["reasoning", "message"] * 2
    assert len({item["id"] for item in items}) == 4


def test_refusals_and_citations() -> None:
    """A refusal is a part of the message, a citation belongs to its text."""
    content = said(completion({"content": "Hm"}, {"refusal": "N"}, {"refusal": "o"}))[0]["content"]
    assert content[1] == {"type": "refusal", "refusal": "No"}
    found = said(RICH, request=ASKED)[1]["content"][0]
    assert found["annotations"] == [{"type": "url_citation", **CITATION}]
    assert said(completion({"content": "a"}, {"annotations": [{"type": "odd"}]})) == said(
        completion({"content": "a"})
    )


def test_log_probabilities_stand_beside_their_text() -> None:
    """Each piece has those of its tokens, the whole text has all of them."""
    tokens = [
        {"token": token, "logprob": -0.5, "bytes": [1], "top_logprobs": []} for token in "abc"
    ]
    choices = [
        {"index": 0, "delta": {"content": "ab"}, "logprobs": {"content": tokens[:2]}},
        {"index": 0, "delta": {"content": "c"}, "logprobs": {"content": tokens[2:]}},
        {"index": 0, "delta": {"content": "d"}, "logprobs": {"content": None}},
    ]
    events = events_of(
        b"".join(chunk(choices=[choice]) for choice in choices) + chunk(reason="stop")
    )
    deltas = [event["logprobs"] for event in events if event["type"].endswith("text.delta")]
    assert deltas == [tokens[:2], tokens[2:], []]
    assert events[-1]["response"]["output"][0]["content"][0]["logprobs"] == tokens


@pytest.mark.parametrize(
    ("reason", "cause"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_an_answer_that_was_cut_off_is_incomplete(reason: str, cause: str) -> None:
    """The last item says so; a call that was cut off is not announced as done."""
    events = events_of(completion({"content": "Hel"}, reason=reason))
    assert events[-1]["type"] == "response.incomplete"
    response = events[-1]["response"]
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": cause})
    assert response["output"][0]["status"] == "incomplete"

    calls = calling(("a", "f", "{}"), ("b", "f", '{"x'))
    events = events_of(completion(*calls, reason=reason))
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert [item["call_id"] for item in done] == ["a"]
    output = events[-1]["response"]["output"]
    assert [(item["status"], item["arguments"]) for item in output] == [
        ("completed", "{}"),
        ("incomplete", '{"x'),
    ]


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "function_call", "eos", None])
def test_other_reasons_are_completions(reason: str | None) -> None:
    """A reason that is newer than this file is an ordinary end; so is `[DONE]` without one."""
    assert response_of(completion({"content": "Hi"}, reason=reason))["status"] == "completed"


def test_usage_is_the_providers() -> None:
    """Counts are carried; unknown ones stay unknown, but for details, which must be numbers."""
    details = {
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    end = chunk(choices=[], usage={**USAGE, **details})
    assert response_of(completion({"content": "Hi"})[: -len(b"data: [DONE]\n\n")] + end)[
        "usage"
    ] == {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 18,
    }
    body = chunk({"content": "Hi"}, reason="stop")
    assert response_of(body)["usage"] is None
    assert response_of(body + chunk(choices=[], usage={"prompt_tokens": 1}))["usage"] is None
    partly = {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": None}
    usage = response_of(body + chunk(choices=[], usage=partly))["usage"]
    assert (usage["total_tokens"], usage["input_tokens_details"]["cached_tokens"]) == (3, 0)


def test_the_answer_does_not_depend_on_the_split() -> None:
    """One byte at a time, at random, or at once: the client's bytes are the same."""
    whole = b"".join(translate([RICH], request=ASKED)[0])
    assert_accepted([whole])
    assert b"".join(translate(one_by_one(RICH), request=ASKED)[0]) == whole
    for seed in range(20):
        assert b"".join(translate(cut(RICH, seed=seed), request=ASKED)[0]) == whole


def test_a_stream_that_breaks_off_has_no_end() -> None:
    """Nothing stands in for the terminal event, without which agents ask again."""
    events = RICH.split(b"\n\n")
    end = next(place for place, event in enumerate(events) if b'"tool_calls"}' in event)
    for place in range(1, end):
        out, translator = translate([b"\n\n".join(events[:place]) + b"\n\n"], request=ASKED)
        assert not translator.finished
        assert not translator.failed
        assert not any(b"response.completed" in event for event in out)


_DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "content": st.one_of(st.text(max_size=5), st.none(), st.integers()),
        "reasoning_content": st.text(max_size=5),
        "refusal": st.text(max_size=3),
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "index": st.integers(0, 2),
                    "id": st.sampled_from(["a", "b", None]),
                    "function": st.fixed_dictionaries(
                        {},
                        optional={
                            "name": st.sampled_from(["f", "patch", "tool_search", None]),
                            "arguments": st.one_of(st.text(max_size=5), st.none()),
                        },
                    ),
                },
            ),
            max_size=2,
        ),
        "annotations": st.lists(st.just({"url_citation": CITATION}), max_size=1),
    },
)


@given(deltas=st.lists(_DELTAS, max_size=8), reason=st.sampled_from(["stop", "length", None]))
def test_whatever_a_server_sends_is_a_stream_that_clients_take(
    deltas: list[dict[str, Any]], reason: str | None
) -> None:
    """Any deltas in any order give a stream that the SDK and our own decoder accept."""
    tools = [*ASKED["tools"], {"type": "tool_search", "execution": "client"}]
    events_of(completion(*deltas, reason=reason), request={**ASKED, "tools": tools})


@given(junk=st.binary(max_size=60), place=st.integers(0, len(RICH)))
def test_junk_never_raises(junk: bytes, place: int) -> None:
    """Whatever comes in the middle of a stream, the translator takes it."""
    translate([RICH[:place] + junk + RICH[place:]], request=ASKED)
