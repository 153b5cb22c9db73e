"""Streamed chat completions as messages: events, blocks, ends, faults, and every recording."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from chat_streams import DONE, chunk, entry, event
from messages_on_chat import accumulated, follow, payloads, said, translate

from dolphin_logger.proxy.translate.call_ids import decode_id

STOP = chunk(choice={"finish_reason": "stop"})
USAGE = {
    "prompt_tokens": 125,
    "completion_tokens": 9,
    "total_tokens": 134,
    "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 20},
    "completion_tokens_details": {"reasoning_tokens": 4},
}


def usage(**counts: Any) -> bytes:
    """Write the chunk with the counts."""
    return event({"id": "c1", "choices": [], "usage": counts})


def call(*entries: dict[str, Any]) -> bytes:
    """Write a delta of tool calls."""
    return chunk({"tool_calls": list(entries)})


def blocks(*chunks: bytes) -> list[dict[str, Any]]:
    """Translate a whole completion of these chunks; give its blocks."""
    found: list[dict[str, Any]] = said(*chunks, STOP, DONE)["content"]
    return found


def tool_use(id_: str, name: str, **arguments: Any) -> dict[str, Any]:
    """Give the block of a call."""
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


# --- envelope


def test_stream_of_a_short_answer():
    """Who answers, one block, why it stops and the counts, the end: in this order, and nothing else."""
    out, translator = translate(
        (
            chunk({"role": "assistant", "content": ""}),
            *(chunk({"content": piece}) for piece in ("Hel", "lo \u2028")),
            *(STOP, usage(**USAGE), DONE),
        )
    )
    assert payloads(out) == [
        {
            "type": "message_start",
            "message": {
                "id": "c1",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 0, "output_tokens": 0},
            },
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hel"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "lo \u2028"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                "input_tokens": 5,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 100,
                "output_tokens": 9,
                "output_tokens_details": {"thinking_tokens": 4},
            },
        },
        {"type": "message_stop"},
    ]
    assert (translator.finished, translator.failed, translator.error) == (True, False, None)


def test_each_piece_goes_out_with_the_chunk_that_brought_it():
    """Nothing waits: who answers leaves with the first chunk, each word with its own."""
    translator = translate([])[1]
    assert len(translator.feed(chunk({"role": "assistant"}))) == 1
    assert len(translator.feed(chunk({"content": "a"}))) == 2
    piece = chunk({"content": "b"})
    assert translator.feed(piece[:-1]) == []
    assert payloads(translator.feed(b"\n"))[0]["delta"]["text"] == "b"


def test_messages_without_an_id_have_one():
    """Clients take messages of one id for one message."""
    first, second = (said(event({"choices": [{"delta": {}}]}), STOP, DONE) for _ in "12")
    assert first["id"].startswith("msg_")
    assert first["id"] != second["id"]
    assert first["model"] == ""


# --- blocks


def test_thoughts_text_and_calls():
    """Each is a block; a thought has an empty seal, because nobody has sealed it."""
    assert blocks(
        chunk({"reasoning_content": "h"}),
        chunk({"reasoning_content": "m"}),
        chunk({"content": "a"}),
        call(entry(0, "call_1", "f", "")),
        call(entry(0, None, None, '{"a":')),
        call(entry(0, None, None, " 1}")),
    ) == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "a"},
        tool_use("call_1", "f", a=1),
    ]


def test_blocks_that_take_turns():
    """What comes again is a new block: the order is the model's."""
    found = blocks(
        chunk({"content": "a"}),
        chunk({"reasoning": "b"}),
        chunk({"content": "c"}),
        call(entry(0, "call_1", "f", '{"a": 1}')),
        chunk({"content": "d"}),
    )
    assert [block["type"] for block in found] == ["text", "thinking", "text", "tool_use", "text"]


def test_calls_one_after_another_do_not_wait():
    """The next begins when the arguments of the one before have come to their end."""
    translator = translate([])[1]
    translator.feed(call(entry(0, "a", "f", '{"x": {}')))
    translator.feed(call(entry(0, None, None, "}")))
    kinds = [value["type"] for value in payloads(translator.feed(call(entry(1, "b", "g", "{"))))]
    assert kinds == ["content_block_stop", "content_block_start", "content_block_delta"]


@pytest.mark.parametrize("seed", range(20))
def test_calls_that_take_turns_wait_for_each_other(seed):
    """Clients follow one block at a time: pieces of another wait, and none is lost or mixed up."""
    wanted = {"a": {"x": "}{"}, "b": {}, "c": {"y": [1, 2]}, "d": {"z": {"w": 1}}}
    chunks = [call(entry(index, id_, "f", "")) for index, id_ in enumerate(wanted)]
    waiting = {index: list(json.dumps(value)) for index, value in enumerate(wanted.values())}
    turns = [index for index, letters in waiting.items() for _ in letters]
    random.Random(seed).shuffle(turns)
    chunks += [call(entry(index, None, None, waiting[index].pop(0))) for index in turns]
    found = blocks(*chunks)
    assert [(block["id"], block["input"]) for block in found] == list(wanted.items())


def test_call_without_arguments():
    """No piece at all means none, also between others."""
    found = blocks(call(entry(0, "a", "f", "")), call(entry(1, "b", "g", '{"x": 1}')))
    assert found == [tool_use("a", "f"), tool_use("b", "g", x=1)]


def test_text_that_comes_into_a_call_waits():
    """It is said after the call."""
    assert blocks(
        call(entry(0, "a", "f", '{"x"')),
        chunk({"content": "so"}),
        chunk({"content": " far"}),
        call(entry(0, None, None, ": 1}")),
        chunk({"content": "."}),
    ) == [tool_use("a", "f", x=1), {"type": "text", "text": "so far."}]


def test_ids_of_calls_have_the_characters_of_the_clients_language():
    """They come back as the provider's own."""
    (found,) = blocks(call(entry(0, "functions.f:0", "f", "{}")))
    assert decode_id(found["id"]) == "functions.f:0"
    assert found["id"].replace("_", "").isalnum()


def test_citations_stay_in_the_record():
    """A client's citation has a seal that only Anthropic can give."""
    note = {"type": "url_citation", "url_citation": {"url": "https://example.com"}}
    assert blocks(chunk({"content": "a"}), chunk({"annotations": [note]})) == [
        {"type": "text", "text": "a"}
    ]


# --- ends


@pytest.mark.parametrize(
    ("finish", "alone", "after_calls"),
    [
        ("stop", "end_turn", "tool_use"),
        ("tool_calls", "end_turn", "tool_use"),
        ("function_call", "end_turn", "tool_use"),
        ("length", "max_tokens", "max_tokens"),
        ("content_filter", "refusal", "refusal"),
        ("later", "end_turn", "tool_use"),
        (None, None, "tool_use"),
    ],
)
def test_stop_reasons(finish, alone, after_calls):
    """Calls are what the message stops for, unless it was cut off; none is made up."""
    end = chunk(choice={"finish_reason": finish})
    assert said(chunk({"content": "a"}), end, DONE)["stop_reason"] == alone
    assert said(call(entry(0, "a", "f", "{}")), end, DONE)["stop_reason"] == after_calls


def test_refusal_is_text_and_the_reason():
    """The provider's own words, joined to what it said before."""
    message = said(chunk({"content": "Well. "}), chunk({"refusal": "No."}), STOP, DONE)
    assert message["content"] == [{"type": "text", "text": "Well. No."}]
    assert message["stop_reason"] == "refusal"


def test_usage():
    """Cached tokens are counted apart; what is unknown is left out, but for what clients need."""

    def counted(**counts: Any) -> dict[str, Any]:
        end = payloads(translate([chunk(), STOP, usage(**counts), DONE])[0])[-2]
        found: dict[str, Any] = end["usage"]
        return found

    assert counted(prompt_tokens=7, completion_tokens=2) == {"input_tokens": 7, "output_tokens": 2}
    assert counted(completion_tokens=2) == {"output_tokens": 2}
    assert counted() == {"output_tokens": 0}
    cached = {"prompt_tokens": 7, "prompt_cache_hit_tokens": 3}
    assert counted(**cached) == {
        "input_tokens": 4,
        "cache_read_input_tokens": 3,
        "output_tokens": 0,
    }
    apart = {"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 30}}
    assert counted(**apart)["input_tokens"] == 7
    assert said(chunk(), STOP, DONE)["usage"]["input_tokens"] == 0


def test_counts_that_come_at_once_are_told_at_once():
    """Some servers count with every chunk."""
    begun = payloads(translate([chunk(usage={"prompt_tokens": 7})])[0])[0]
    assert begun["message"]["usage"] == {"input_tokens": 7, "output_tokens": 0}


def test_broken_stream_has_no_end():
    """A provider that breaks off leaves an open message, so that the client knows."""
    for stream in (chunk({"content": "a"}), call(entry(0, "a", "f", '{"x'))):
        out, translator = translate([stream])
        assert [value["type"] for value in follow(out)][-1] == "content_block_delta"
        assert (translator.finished, translator.failed) == (False, False)
    assert translate([DONE])[0] == []


def test_reason_without_done_is_the_end():
    """Servers leave `[DONE]` out."""
    out, translator = translate([chunk({"content": "a"}), STOP])
    assert translator.finished
    assert accumulated(out)["stop_reason"] == "end_turn"


def test_nothing_follows_the_end():
    """What gateways add after the last event is not for the client."""
    stream = [chunk({"content": "a"}), STOP, DONE]
    assert translate([*stream, chunk({"content": "b"}), DONE])[0] == translate(stream)[0]


# --- faults


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "m", "code": 429}, "rate_limit_error"),
        ({"message": "m", "status_code": 400, "type": "x"}, "invalid_request_error"),
        ({"message": "m", "type": "overloaded_error", "code": 500}, "overloaded_error"),
        ({"message": "m", "code": "server_error", "type": None}, "api_error"),
        ("m", "api_error"),
    ],
)
def test_error_in_the_stream(error, kind):
    """It becomes an error of the client's language, with all that the provider sent; nothing follows."""
    out, translator = translate([chunk({"content": "a"}), event({"error": error}), STOP, DONE])
    assert follow(out)[-1] == {
        "type": "error",
        "error": {"type": kind, "message": "m", "upstream": {"error": error}},
    }
    assert (translator.finished, translator.failed, translator.error) == (False, True, "m")


@pytest.mark.parametrize(
    "data", [b"data: {oops\n\n", b"data: []\n\n", b"data: " + b"[" * 9999 + b"\n\n"]
)
def test_event_that_cannot_be_read(data):
    """The client is told, and the stream ends there."""
    out, translator = translate([chunk({"content": "a"}), data, DONE])
    assert (
        follow(out)[-1]["error"]["message"] == "the provider sent an event that is no JSON object"
    )
    assert translator.failed
