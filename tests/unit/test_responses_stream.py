"""Streams of `openai.responses`: the envelope, ends, order, resumption."""

from __future__ import annotations

import json

import pytest
from responses_streams import (
    MESSAGE,
    TEXT,
    WHOLE,
    about,
    added,
    completed,
    created,
    decode,
    decode_bytes,
    decoder,
    done,
    event,
    message,
    part,
    response,
    to_bytes,
)

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Answer


@pytest.mark.parametrize("status", ["completed", "incomplete", "cancelled"])
def test_terminal_response_is_the_answer(status):
    """The response of the last event is the answer, whole and untouched."""
    last = response(status=status, output=[WHOLE], usage={"input_tokens": 1}, novelty=[1])
    answer = decode(*TEXT, event(status, response=last))
    assert answer == Answer(last, exact=True, error=None, terminated=True)


def test_nothing_is_no_answer():
    """Without any event there is no response, and nothing is missing."""
    nothing = Answer(None, exact=True, error=None, terminated=False)
    assert decode() == decode_bytes(b": ping\n\n") == nothing
    assert decode_bytes(b"data: [DONE]\n\n") == nothing


@pytest.mark.parametrize("output", [None, [], "missing"])
def test_output_that_is_missing_at_the_end_is_rebuilt(output):
    """A last event without output has the items that were done, in the order of their index."""
    last = response(status="completed", output=output)
    if output == "missing":
        del last["output"]
    second = {"id": "j", "type": "reasoning", "summary": []}
    answer = decode(
        created(),
        added(second, index=3),
        added(MESSAGE, index=1),
        done(second, index=3),
        done(WHOLE, index=1),
        event("completed", response=last),
    )
    assert answer.response == {**last, "output": [WHOLE, second]}
    assert answer.exact
    empty = decode(created(), event("completed", response=last))
    assert (empty.response, empty.exact) == ({**last, "output": []}, True)


def test_items_that_were_never_done_are_rebuilt_from_their_deltas():
    """A last event without output has what grew; so does a stream that was cut."""
    answer = decode(*TEXT[:6], completed())
    assert answer.response["output"] == [{**MESSAGE, "content": [part("Hello \u2028")]}]
    assert answer.exact
    answer = decode(*TEXT[:6])
    assert answer.response == response(output=[{**MESSAGE, "content": [part("Hello \u2028")]}])
    assert (answer.exact, answer.terminated) == (True, False)


def test_what_only_a_snapshot_knew_stays():
    """The items of an earlier snapshot are in a stream that was cut before they came again."""
    snapshot = event("in_progress", response=response(output=[WHOLE]))
    second = {"id": "j", "type": "reasoning", "summary": []}
    assert decode(created(), snapshot, added(second, index=1)).response["output"] == [WHOLE, second]


@pytest.mark.parametrize(
    ("output", "exact"),
    [
        ([message(part("Hello \u2028"), id="other", status="incomplete")], True),
        ([message(part("Hello"))], False),
        ([message()], False),
        ([{"id": "i", "type": "reasoning", "summary": []}], False),
        ([{"id": "x", "type": "reasoning"}, WHOLE], True),
        (["text"], False),
    ],
)
def test_contradictions_between_the_deltas_and_the_end_keep_raw(output, exact):
    """What was streamed has to be in the last event's output; ids and states may change."""
    assert decode(*TEXT, completed(*output)).exact is exact


def test_output_of_another_kind_stays_as_it_came():
    """An item of another type at the same place is not completed by what grew."""
    other = {"id": "i", "type": "reasoning", "summary": []}
    answer = decode(*TEXT, completed(other))
    assert (answer.response["output"], answer.exact) == ([other], False)


def test_more_parts_than_the_end_has_keep_raw():
    """A part that the last event lost is a contradiction."""
    two = message(part("Hello \u2028"), part("more"))
    assert not decode(created(), done(two), completed(WHOLE)).exact
    answer = decode(created(), done(WHOLE), completed(two))
    assert (answer.response["output"], answer.exact) == ([two], True)


def test_output_that_lost_its_texts_gets_them_back():
    """Where the last event says nothing, what grew completes it."""
    answer = decode(*TEXT, completed({**WHOLE, "content": []}))
    assert answer.response["output"] == [WHOLE]
    assert not answer.exact
    sealed = {"id": "i", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    bare = {"id": "i", "type": "reasoning", "summary": []}
    answer = decode(created(), added(bare), done(sealed), completed(bare))
    assert (answer.response["output"], answer.exact) == ([sealed], True)


def test_encrypted_reasoning_is_the_last_one():
    """Reasoning is encrypted anew each time; the last one stays, and nothing contradicts."""
    items = [
        {"id": "i", "type": "reasoning", "summary": [], "encrypted_content": f"gAAA{n}=="}
        for n in range(3)
    ]
    cut = [created(), added(items[0]), done(items[1])]
    assert decode(*cut).response["output"] == [items[1]]
    answer = decode(*cut, completed(items[2]))
    assert (answer.response["output"], answer.exact) == ([items[2]], True)


def test_finished_with_each_terminal_event_and_no_other():
    """Completed, incomplete, failed and cancelled finish; nothing else does."""
    for kind in ("completed", "incomplete", "failed", "cancelled"):
        running = decoder()
        stream = to_bytes(*TEXT, event(kind, response=response(status=kind)))
        running.feed(stream[:-1])
        assert not running.finished
        running.feed(stream[-1:])
        assert running.finished
    running = decoder()
    running.feed(to_bytes(*TEXT, {"type": "error", "message": "no"}) + b"data: [DONE]\n\n")
    assert not running.finished
    assert not running.answer().terminated


def test_terminal_state_in_an_event_without_a_rule():
    """An unknown event with a complete response terminates, does not finish, and keeps raw."""
    running = decoder()
    running.feed(
        to_bytes(*TEXT, event("done", response=response(status="completed", output=[WHOLE])))
    )
    answer = running.answer()
    assert (answer.terminated, answer.exact, running.finished) == (True, False, False)
    assert answer.response["status"] == "completed"


def test_event_without_a_response_or_name():
    """An end without a response finishes all the same; a type may stand in the event's name alone."""
    answer = decode(*TEXT, event("completed"))
    assert (answer.terminated, answer.exact) == (True, False)
    assert answer.response["output"] == [WHOLE]
    data = json.dumps({"response": response(status="completed")}).encode()
    answer = decode_bytes(b"event: response.completed\ndata: " + data + b"\n\n")
    assert answer == Answer(response(status="completed"), exact=True, error=None, terminated=True)


def test_events_after_the_end_keep_raw():
    """What follows the last event is not part of the answer; `[DONE]` says nothing."""
    stream = to_bytes(*TEXT, completed(WHOLE))
    assert decode_bytes(stream + b": x\n\ndata: [DONE]\n\n").exact
    answer = decode_bytes(stream + to_bytes(TEXT[4]))
    assert (answer.response["output"], answer.exact) == ([WHOLE], False)
    answer = decode_bytes(stream + to_bytes(created(), start=10))
    assert (answer.response["status"], answer.exact) == ("completed", False)


@pytest.mark.parametrize(
    "strange",
    [
        event("novelty.delta", delta="x"),
        {**TEXT[1], "novelty": 1},
        about("output_text.delta", content_index=0, delta="", logprobs=[], novelty=1),
        {"type": "codex.novelty"},
        event("output_text.novel", delta="x", output_index=0),
    ],
)
def test_unknown_events_and_keys_keep_raw(strange):
    """What has no rule changes nothing, and the answer is not exact."""
    for place in (4, 5, 6):
        answer = decode(*TEXT[:place], strange, *TEXT[place:], completed(WHOLE))
        assert (answer.response["output"], answer.exact) == ([WHOLE], False)


def test_keepalives_say_nothing():
    """OpenAI's undocumented `keepalive` is numbered and says nothing."""
    beat = {"type": "keepalive"}
    answer = decode(beat, *TEXT[:5], beat, *TEXT[5:])
    assert answer == decode(*TEXT)


def test_resumed_stream():
    """A stream that begins in the middle is exact with its last event, and a guess without."""
    rest = [*TEXT[5:], completed(WHOLE)]
    answer = decode(*rest, start=5)
    assert (answer.response["output"], answer.exact) == ([WHOLE], True)
    answer = decode(*rest[:1], start=5)
    assert answer.response == {
        "id": None,
        "object": "response",
        "status": "in_progress",
        "output": [
            {
                "id": "i",
                "type": "message",
                "role": "assistant",
                "status": "in_progress",
                "content": [{"type": "output_text", "text": "lo \u2028"}],
            }
        ],
    }
    assert (answer.exact, answer.terminated) == (False, False)
    assert not decode(*rest[:1], completed(message(part("other"))), start=5).exact
    two = message(part("first"), part("ab", logprobs=[{"token": "a"}, {"token": "b"}]))
    tail = about("output_text.delta", content_index=1, delta="b", logprobs=[{"token": "b"}])
    answer = decode(tail, completed(two), start=5)
    assert (answer.response["output"], answer.exact) == ([two], True)
    call = {"id": "i", "type": "function_call", "call_id": "c", "name": "f"}
    tail = about("function_call_arguments.delta", delta="1}")
    for arguments, exact in (('{"a":1}', True), ('{"a":2}', False)):
        last = completed({**call, "arguments": arguments})
        assert decode(tail, last, start=5).exact is exact


def test_missing_and_repeated_numbers_matter_where_the_output_is_rebuilt():
    """An event that is missing, or came twice, makes the deltas a guess, and no last event."""
    for numbers in ([0, 1, 2, 3, 5, 6], [0, 1, 2, 3, 3, 4]):
        events = [
            {**one, "sequence_number": number}
            for one, number in zip(TEXT[:6], numbers, strict=True)
        ]
        assert not decode(*events).exact
        assert not decode(*events, completed()).exact
        assert decode(*events, completed(WHOLE)).exact
        unnumbered = [{**one, "sequence_number": None} for one in events]
        assert decode(*unnumbered).exact
    assert not decode(*TEXT[:5], {**TEXT[5], "sequence_number": "5"}).exact


def test_another_response_keeps_raw():
    """Two responses in one stream contradict each other; the last one counts."""
    answer = decode(*TEXT, completed(WHOLE, id="resp_2"))
    assert (answer.response["id"], answer.exact) == ("resp_2", False)


def test_long_integers_survive():
    """Integers beyond 64 bits are kept exactly."""
    answer = decode(created(), completed(seed=10**30))
    assert (answer.response["seed"], answer.exact) == (10**30, True)


@pytest.mark.parametrize(
    "data",
    [b"{", b"nothing", b"[]", b"1", b'"x"', b"null", b"[" * 500 + b"]" * 500, b'{"a":NaN}'],
)
def test_events_that_are_no_object_keep_raw(data):
    """What is no JSON object is skipped, the rest stays, and the answer is not exact."""
    stream = to_bytes(*TEXT[:5]) + b"data: " + data + b"\n\n" + to_bytes(*TEXT[5:], start=5)
    answer = decode_bytes(stream)
    assert (answer.response["output"], answer.exact) == ([WHOLE], False)


def test_bad_text_is_read_as_well_as_it_can_be():
    """Bad UTF-8 does not hide the rest, and raw is kept."""
    stream = to_bytes(*TEXT[:5]).replace(b"Hel", b"H\xffl")
    answer = decode_bytes(stream)
    assert answer.response["output"][0]["content"] == [part("H\ufffdl")]
    assert not answer.exact


def test_oversize_event_keeps_raw():
    """An event that the splitter gave up makes the answer inexact."""
    running = decoder()
    running._splitter._limit = 400
    running.feed(to_bytes(*TEXT[:5], about("output_text.delta", content_index=0, delta="x" * 400)))
    answer = running.answer()
    assert answer.response["output"][0]["content"] == [part("Hel")]
    assert not answer.exact


def test_half_an_event_behind_the_end_says_nothing() -> None:
    """A record is made at the terminal event, when the next one may have begun to arrive."""
    decoder = DIALECTS["openai.responses"].decoder("text/event-stream", asked=True)
    assert decoder is not None
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
    last = {"type": "response.completed", "sequence_number": 0, "response": response}
    decoder.feed(b"data: " + json.dumps(last).encode() + b"\n\ndata: [DO")
    answer = decoder.answer()
    assert (answer.exact, answer.terminated, answer.response) == (True, True, response)
