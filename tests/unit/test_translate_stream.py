"""Streamed messages as chunks of a chat completion: events, ends, faults, and every recording."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translated_streams import (
    EVERY_RECORDING,
    RECORDINGS,
    WITH_USAGE,
    anthropic_accumulates,
    begin,
    block,
    deltas,
    end,
    openai_accumulates,
    payloads,
    sse,
    text,
    thinking,
    tool,
    translate,
)
from translators import CREATED, NEEDS_SAMPLES, cut, one_by_one

from dolphin_logger.dialects import DIALECTS

DONE = b"data: [DONE]\n\n"


def error_of(events: list[bytes]) -> dict[str, Any]:
    """Give the error that a broken stream ends with; no end follows it."""
    assert DONE not in events
    error: dict[str, Any] = payloads(events)[-1]["error"]
    return error


# --- envelope


def test_stream_of_a_short_answer():
    """Role, text, finish reason, end: in this order, in this envelope, and nothing else."""
    out, translator = translate([begin() + text(0, "Hel", "lo \u2028") + end()])
    head = {
        "id": "msg_1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "claude-x",
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice]}

    assert payloads(out) == [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo \u2028"}),
        chunk({}, "stop"),
    ]
    assert out[-1] == DONE
    assert all(event.endswith(b"\n\n") and event.count(b"\n") == 2 for event in out)
    assert (translator.finished, translator.failed, translator.error) == (True, False, None)


def test_each_event_goes_out_with_the_event_that_caused_it():
    """Nothing waits: the role leaves with the start, each word with its event."""
    translator = translate([])[1]
    assert len(translator.feed(begin())) == 1
    assert (
        translator.feed(sse("content_block_start", index=0, content_block={"type": "text"})) == []
    )
    piece = sse("content_block_delta", index=0, delta={"type": "text_delta", "text": "a"})
    assert translator.feed(piece[:-1]) == []
    assert payloads(translator.feed(b"\n"))[0]["choices"][0]["delta"] == {"content": "a"}


def test_ping_becomes_a_comment():
    """It keeps the client's read timeout alive, before the message and in it."""
    out, _ = translate([sse("ping"), begin(), sse("ping"), end()])
    assert [event for event in out if event.startswith(b":")] == [b": ping\n\n"] * 2


def test_unknown_events_and_deltas_add_nothing():
    """Events may be added at any time, and may come before the message begins."""
    strange = [
        sse("content_block_delta", index=0, delta={"type": "text_delta", "text": "too early"}),
        sse("message_delta", delta={"stop_reason": "end_turn"}),
        sse("message_stop"),
        sse("weather", temperature=7),
        begin(),
        begin(),
        sse("weather", index=0, error=None),
        sse("content_block_delta", index=9, delta={"type": "text_delta", "text": "no block"}),
        block(0, {"type": "text", "text": ""}, {"type": "shape_delta", "shape": "o"}),
    ]
    assert translate([*strange, end()])[0] == translate([begin(), end()])[0]


def test_nothing_follows_the_end():
    """What gateways add after the last event is not for the client."""
    stream = begin() + end()
    plain = translate([stream])
    more = translate([stream, DONE, begin(), sse("error", error={"message": "late"})])
    assert more[0] == plain[0]
    assert not more[1].failed


# --- blocks


def test_text_of_a_complete_block():
    """A start that already holds text is not lost."""
    assert deltas(block(0, {"type": "text", "text": "whole"})) == [{"content": "whole"}]


def test_thinking():
    """Thoughts are text for people and, signed, blocks for the way back; the seal comes once."""
    assert deltas(thinking(0, "h", "m"), text(1, "a")) == [
        {
            "reasoning_content": "h",
            "thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "h"}],
        },
        {
            "reasoning_content": "m",
            "thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "m"}],
        },
        {"thinking_blocks": [{"index": 0, "type": "thinking", "signature": "c2ln"}]},
        {"content": "a"},
    ]


def test_signature_that_comes_twice_counts_once():
    """The last one counts; a client would join two."""
    signatures = ({"type": "signature_delta", "signature": value} for value in ("AA", "BB"))
    content = {"type": "thinking", "thinking": "", "signature": ""}
    (delta,) = deltas(block(0, content, *signatures))
    assert delta["thinking_blocks"][0]["signature"] == "BB"


def test_thought_without_words_keeps_its_seal():
    """Where thoughts are not shown, the seal alone has to come back."""
    assert deltas(thinking(0)) == [
        {"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "", "signature": "c2ln"}]}
    ]


def test_redacted_thinking_counts_among_the_thoughts():
    """Thoughts of both kinds share one dense index."""
    sealed = block(1, {"type": "redacted_thinking", "data": "eA=="})
    said = deltas(thinking(0), sealed, text(2, "a"), thinking(3))
    entries = [delta["thinking_blocks"][0] for delta in said if "thinking_blocks" in delta]
    assert [entry["index"] for entry in entries] == [0, 1, 2]
    assert entries[1] == {"index": 1, "type": "redacted_thinking", "data": "eA=="}


def test_tool_calls_have_a_dense_index():
    """Calls count 0, 1, ... whatever else stands between; id and name are said once."""
    server = block(
        2,
        {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
        {"type": "input_json_delta", "partial_json": '{"query": "x"}'},
    )
    said = deltas(
        text(0, "a"),
        tool(1, '{"a"', ": 1}"),
        server,
        tool(3, '{"b": 2}', call_id="toolu_2", name="g"),
    )
    calls = [delta["tool_calls"][0] for delta in said if "tool_calls" in delta]
    assert calls == [
        {
            "index": 0,
            "id": "toolu_1",
            "type": "function",
            "function": {"name": "f", "arguments": ""},
        },
        {"index": 0, "function": {"arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": ": 1}"}},
        {
            "index": 1,
            "id": "toolu_2",
            "type": "function",
            "function": {"name": "g", "arguments": ""},
        },
        {"index": 1, "function": {"arguments": '{"b": 2}'}},
    ]


def test_call_without_arguments_says_so_at_its_end():
    """No JSON is `{}`, once, and never in front of arguments that do come."""
    assert deltas(tool(0))[1:] == [{"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}]
    assert deltas(tool(0, '{"a": 1}'))[1:] == [
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": 1}'}}]}
    ]


def test_call_that_begins_with_its_arguments():
    """A block may begin complete; its arguments are written as the model writes them."""
    content = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "é"}}
    assert deltas(block(0, content))[1:] == [
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": "é"}'}}]}
    ]


def test_invalid_arguments_stay_as_they_are():
    """What the model wrote is data, JSON or not."""
    assert deltas(tool(0, '{"a": tru'))[-1]["tool_calls"][0]["function"]["arguments"] == '{"a": tru'


def test_blocks_at_the_same_time_are_told_apart():
    """Pieces belong to the block that they name."""
    start_text = sse("content_block_start", index=0, content_block={"type": "text", "text": ""})
    start_tool = sse(
        "content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "f"}
    )
    json_piece = sse(
        "content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": "{}"}
    )
    text_piece = sse("content_block_delta", index=0, delta={"type": "text_delta", "text": "a"})
    said = deltas(start_text, start_tool, text_piece, json_piece)
    assert said[1:] == [
        {"content": "a"},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
    ]


def test_tools_that_run_at_the_provider_are_not_the_clients():
    """Server tools, their results, MCP and compaction say nothing to a chat client."""
    piece = {"type": "input_json_delta", "partial_json": '{"q": 1}'}
    silent = [
        block(1, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, piece),
        block(2, {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
        block(3, {"type": "mcp_tool_use", "id": "m", "name": "ask", "input": {}}, piece),
        block(4, {"type": "compaction", "content": None}, {"type": "compaction_delta"}),
        block(5, {"type": "fallback", "to": {"model": "claude-y"}}),
    ]
    assert deltas(text(0, "a"), *silent) == [{"content": "a"}]


def test_citations_go_out_at_once_at_the_end():
    """Web pages that a text cites are noted with its place in the answer, in one delta."""

    def cited(url: str, title: str | None) -> dict[str, Any]:
        return {
            "type": "citations_delta",
            "citation": {"type": "web_search_result_location", "url": url, "title": title},
        }

    page = {"type": "citations_delta", "citation": {"type": "page_location", "document_index": 0}}
    words = {"type": "text_delta", "text": "weiß"}
    said = deltas(
        text(0, "Ich "),
        block(1, {"type": "text", "text": ""}, cited("u", "t"), cited("u", "t"), words, page),
        text(2, "!"),
        block(3, {"type": "text", "text": "?"}, cited("v", None)),
    )

    def note(start: int, stop: int, url: str, title: str) -> dict[str, Any]:
        place = {"start_index": start, "end_index": stop}
        return {"type": "url_citation", "url_citation": {**place, "url": url, "title": title}}

    assert said[-1] == {"annotations": [note(4, 8, "u", "t"), note(9, 10, "v", "")]}
    assert sum("annotations" in delta for delta in said) == 1


# --- the end


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
        ("newer_than_us", "stop"),
    ],
)
def test_finish_reasons(stop_reason, finish):
    """Each stop reason has its finish reason, said once."""
    out, _ = translate([begin(), end(stop_reason)])
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in payloads(out)]
    assert reasons == [None, finish]


def test_finish_reason_is_said_once_and_never_made_up():
    """A delta of counts alone is no end, a second reason is none, and no reason stays none."""
    counts = sse("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 4})
    again = sse("message_delta", delta={"stop_reason": "max_tokens"}, usage={})
    out, _ = translate([begin(), counts, end("tool_use")[: -len(sse("message_stop"))], again])
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in payloads(out)]
    assert reasons == [None, "tool_calls"]
    silent, translator = translate([begin(), end(None)])
    assert len(payloads(silent)) == 1
    assert translator.finished


def test_refusal_in_the_providers_words():
    """The explanation is the refusal; without one no text is made up."""
    details = {"type": "refusal", "category": "bio", "explanation": "No."}
    out, _ = translate([begin(), end("refusal", stop_details=details)])
    assert [chunk["choices"][0]["delta"] for chunk in payloads(out)][1:] == [{"refusal": "No."}, {}]
    plain, _ = translate([begin(), end("refusal", stop_details=None)])
    assert len(payloads(plain)) == 2


def test_usage_only_when_asked_for():
    """Asked for, counts come in a chunk without choices, after the finish reason, null before."""
    stream = begin() + text(0, "a") + end()
    without = payloads(translate([stream])[0])
    assert all("usage" not in chunk for chunk in without)
    asked = {"stream_options": {"include_usage": False}}
    assert payloads(translate([stream], request=asked)[0]) == without
    out, _ = translate([stream], request=WITH_USAGE)
    *chunks, last = payloads(out)
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
    assert out[-1] == DONE


def test_counts_are_totals_and_absent_ones_stay():
    """Later counts take the place of earlier ones; cached tokens are prompt tokens."""
    usage = {
        "input_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens": 1,
    }
    later = {
        "input_tokens": 6,
        "cache_read_input_tokens": None,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    out, _ = translate([begin(usage=usage), end(usage=later)], request=WITH_USAGE)
    assert payloads(out)[-1]["usage"] == {
        "prompt_tokens": 126,
        "completion_tokens": 9,
        "total_tokens": 135,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }


# --- faults


def test_error_event_ends_the_stream_without_done():
    """The message stays verbatim, nothing follows, no finish reason is made up."""
    error = {"type": "overloaded_error", "message": "Overloaded"}
    event = sse("error", error=error, request_id="req_1")
    out, translator = translate([begin(), text(0, "a"), event, end()])
    assert error_of(out) == {
        "message": "Overloaded",
        "type": "api_error",
        "param": None,
        "code": "overloaded_error",
        "upstream": {"type": "error", "error": error, "request_id": "req_1"},
    }
    assert len(payloads(out)) == 3
    assert (translator.finished, translator.failed, translator.error) == (False, True, "Overloaded")


def test_error_before_the_message_is_an_error():
    """Providers fail before they begin, and gateways in shapes of their own."""
    assert error_of(translate([sse("error", error={"type": "api_error", "message": "x"})])[0])
    out, translator = translate([b'data: {"error": "gone"}\n\n'])
    assert error_of(out)["message"] == "gone"
    assert translator.failed


@pytest.mark.parametrize(
    "garbage",
    [b"data: {\n\n", b"data: null\n\n", b"data: [1]\n\n", b"data: \xff\n\n", b"data: <html>"],
)
def test_what_cannot_be_read_is_an_error(garbage):
    """A translated stream cannot pass on what it does not understand: it says so and stops."""
    out, translator = translate([begin(), garbage])
    assert error_of(out)["code"] == "bad_upstream_response"
    assert translator.failed
    assert not translator.finished


def test_json_that_cannot_be_written_is_an_error():
    """JSON too deep to be written again does not raise."""
    deep = b'data: {"type":"error","error":%s}\n\n' % (b"[" * 1000 + b"]" * 1000)
    out, translator = translate([begin(), deep])
    assert error_of(out)["code"] == "bad_upstream_response"
    assert translator.failed


def test_lone_surrogates_pass():
    """Half a surrogate pair is JSON, though no UTF-8: it goes out escaped, as it came."""
    piece = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ud83d"}}\n\n'
    start = sse("content_block_start", index=0, content_block={"type": "text", "text": ""})
    out, _ = translate([begin(), start, piece, end()])
    assert b'"content":"\\ud83d"' in out[1]


@pytest.mark.parametrize("stop", range(1, 8))
def test_cut_stream_is_left_cut(stop):
    """When the provider breaks off, nothing is added: no reason, no usage, no end."""
    events = (begin() + text(0, "a") + tool(1, "{}") + end()).split(b"\n\n")[:-2]
    stream = b"".join(event + b"\n\n" for event in events)
    whole, _ = translate([stream], request=WITH_USAGE)
    part, translator = translate([b"\n\n".join(events[:stop])], request=WITH_USAGE)
    assert part == whole[: len(part)]
    assert DONE not in part
    assert (translator.finished, translator.failed) == (False, False)


def test_last_event_without_its_blank_line_counts():
    """Some gateways forget it."""
    stream = begin() + text(0, "a") + end()
    out, translator = translate([stream.rstrip(b"\n")])
    assert out == translate([stream])[0]
    assert translator.finished


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
_KEYS = st.fixed_dictionaries(
    {},
    optional={
        key: _JSON
        | st.dictionaries(
            st.sampled_from(
                (
                    *("type", "text", "thinking", "signature", "data", "input", "partial_json"),
                    *("citation", "citations", "stop_reason", "stop_details", "id", "name"),
                    *("usage", "message"),
                )
            ),
            _JSON | st.sampled_from(("text", "thinking", "redacted_thinking", "tool_use")),
            max_size=4,
        )
        for key in ("index", "content_block", "delta", "message", "usage", "error")
    },
)
_KINDS = st.sampled_from(
    (
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop", "ping", "error"),
    )
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_KINDS, _KEYS), max_size=8))
def test_no_event_raises(events):
    """Whatever a provider sends, in any split the same events come out and nothing is raised."""
    stream = begin() + b"".join(sse(kind, **fields) for kind, fields in events)
    assert translate([stream])[0] == translate(one_by_one(stream))[0]


# --- clients accept it

WHOLE = (
    begin()
    + thinking(0, "h", "m")
    + sse("ping")
    + block(1, {"type": "redacted_thinking", "data": "eA=="})
    + thinking(2, "more", signature="Mg==")
    + text(3, "Hel", "lo")
    + tool(4, '{"a": ', "1}")
    + tool(5, call_id="toolu_2", name="g")
    + end("tool_use")
)


def test_openais_accumulator_takes_everything_at_once():
    """Thoughts, text and parallel calls in one stream: what libraries fail at."""
    message = openai_accumulates(translate([WHOLE])[0])["choices"][0]["message"]
    assert message["thinking_blocks"] == [
        {"index": 0, "type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"index": 1, "type": "redacted_thinking", "data": "eA=="},
        {"index": 2, "type": "thinking", "thinking": "more", "signature": "Mg=="},
    ]
    assert message["reasoning_content"] == "hmmore"
    assert message["content"] == "Hello"
    calls = [(call["id"], call["function"]) for call in message["tool_calls"]]
    assert calls == [
        ("toolu_1", {"name": "f", "arguments": '{"a": 1}'}),
        ("toolu_2", {"name": "g", "arguments": "{}"}),
    ]


def test_our_own_decoder_reads_it_exactly():
    """The client's answer can be recorded from its own stream."""
    dialect = DIALECTS["openai.chat"]
    decoder = dialect.decoder("text/event-stream", asked=True)
    for event in translate([WHOLE], request=WITH_USAGE)[0]:
        decoder.feed(event)
    answer = decoder.answer()
    assert answer.exact
    assert answer.terminated
    message = answer.response["choices"][0]["message"]
    assert message["reasoning_content"] == "hmmore"
    assert [entry["signature"] for entry in message["thinking_blocks"][::2]] == ["c2ln", "Mg=="]


# --- recordings


@NEEDS_SAMPLES
def test_there_are_recordings():
    """The variable points at recordings, nearly all of them readable."""
    assert len(RECORDINGS) > 20


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_in_any_split_gives_the_same_bytes(recording):
    """Whole, byte by byte and in random splits, the client gets the same bytes."""
    stream = recording.read_bytes()
    whole, translator = translate([stream], request=WITH_USAGE)
    assert translator.finished
    assert whole[-1] == DONE
    assert translate(one_by_one(stream), request=WITH_USAGE)[0] == whole
    for seed in range(5):
        assert translate(cut(stream, seed=seed), request=WITH_USAGE)[0] == whole


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_keeps_its_words(recording):
    """All text, thoughts, seals and arguments that Anthropic's SDK reads, OpenAI's reads, too."""
    stream = recording.read_bytes()
    native = anthropic_accumulates(stream)
    got = openai_accumulates(translate([stream], request=WITH_USAGE)[0])
    message = got["choices"][0]["message"]
    blocks = native["content"]

    def every(kind: str) -> list[dict[str, Any]]:
        return [found for found in blocks if found["type"] == kind]

    assert message["content"] == "".join(found["text"] for found in every("text"))
    assert message.get("reasoning_content", "") == "".join(
        found["thinking"] for found in every("thinking")
    )
    assert [
        (entry["thinking"], entry["signature"]) for entry in message.get("thinking_blocks", ())
    ] == [(found["thinking"], found["signature"]) for found in every("thinking")]
    calls = message.get("tool_calls") or []
    assert [
        (
            call["index"],
            call["id"],
            call["function"]["name"],
            json.loads(call["function"]["arguments"]),
        )
        for call in calls
    ] == [
        (number, found["id"], found["name"], found["input"])
        for number, found in enumerate(every("tool_use"))
    ]
    cited = {
        citation["url"]
        for found in every("text")
        for citation in found.get("citations") or ()
        if "url" in citation
    }
    noted = {note["url_citation"]["url"] for note in message.get("annotations") or ()}
    assert noted == cited
    assert (got["id"], got["model"], got["created"]) == (native["id"], native["model"], CREATED)


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_has_one_envelope(recording):
    """Id, model and time are the same in every chunk, and the role comes first, once."""
    chunks = payloads(translate([recording.read_bytes()], request=WITH_USAGE)[0])
    assert len({(chunk["id"], chunk["model"], chunk["created"]) for chunk in chunks}) == 1
    roles = [chunk["choices"][0]["delta"].get("role") for chunk in chunks if chunk["choices"]]
    assert roles == ["assistant", *[None] * (len(roles) - 1)]
