"""Output items of `openai.responses`: text, reasoning and calls, cut before their end."""

from __future__ import annotations

import pytest
from responses_streams import (
    MESSAGE,
    about,
    added,
    completed,
    created,
    decode,
    done,
    event,
    item,
    message,
    part,
)

REASONING = {"id": "i", "type": "reasoning", "summary": []}
CALL = {
    "id": "i",
    "type": "function_call",
    "status": "in_progress",
    "call_id": "c",
    "name": "f",
    "arguments": "",
}


def delta(kind: str, *pieces: str, **fields: object) -> list[dict]:
    """Write the pieces of a text."""
    return [about(f"{kind}.delta", delta=piece, **fields) for piece in pieces]


def test_text_with_log_probabilities_and_annotations():
    """Text, log-probabilities and annotations grow in their part, apart for each part."""
    logprobs = [{"token": token, "logprob": -0.25, "bytes": [1]} for token in "abc"]
    notes = [{"type": "url_citation", "url": str(n)} for n in range(2)]
    events = [
        added(MESSAGE),
        about("content_part.added", content_index=0, part=part()),
        about("output_text.delta", content_index=0, delta="a", logprobs=logprobs[:1]),
        about("content_part.added", content_index=1, part=part("b")),
        about("output_text.delta", content_index=1, delta="B"),
        about("output_text.delta", content_index=0, delta="bc", logprobs=logprobs[1:]),
        *(
            about("output_text.annotation.added", content_index=0, annotation_index=n, annotation=a)
            for n, a in enumerate(notes)
        ),
    ]
    first = part("abc", logprobs=logprobs, annotations=notes)
    assert item(*events) == {**MESSAGE, "content": [first, part("bB")]}
    # the part ends without its log-probabilities, the item with rounded ones
    end = about("content_part.done", content_index=0, part={**first, "logprobs": []})
    rounded = [{**one, "logprob": -0.2500004} for one in logprobs]
    whole = message({**first, "logprobs": rounded}, part("bB"))
    assert item(*events, end) == {**MESSAGE, "content": [first, part("bB")]}
    assert item(*events, end, done(whole)) == whole
    wrong = [{**one, "logprob": -0.26} for one in logprobs]
    assert item(
        *events, done(message({**first, "logprobs": wrong}, part("bB"))), exact=False
    ) == message({**first, "logprobs": wrong}, part("bB"))


def test_whole_text_brings_log_probabilities_that_did_not_come():
    """The end of a text repeats its log-probabilities: they count once."""
    logprobs = [{"token": "a", "logprob": 0.0}]
    for early in ([], logprobs):
        events = [
            added(MESSAGE),
            about("content_part.added", content_index=0, part=part()),
            about("output_text.delta", content_index=0, delta="a", logprobs=early),
            about("output_text.done", content_index=0, text="a", logprobs=logprobs),
        ]
        assert item(*events)["content"] == [part("a", logprobs=logprobs)]


def test_log_probabilities_in_each_piece():
    """Pieces that follow one another keep theirs; so do those that follow a piece without any."""
    piece = about("output_text.delta", content_index=0, delta="a")
    events = [added(MESSAGE), about("content_part.added", content_index=0, part=part()), piece]
    events += [{**piece, "logprobs": [{"token": token}]} for token in "xyz"]
    grown = part("aaaa", logprobs=[{"token": token} for token in "xyz"])
    assert item(*events)["content"] == [grown]
    # an end that says nothing of them does not take them away
    answer = decode(created(), *events, completed(message(part("aaaa"))))
    assert (answer.response["output"], answer.exact) == ([message(grown)], True)


def test_parts_whose_beginning_is_missing_are_a_guess():
    """A piece without its part, and a part without the one before it, are kept and keep raw."""
    piece = about("output_text.delta", content_index=0, delta="a")
    assert item(added(MESSAGE), piece, exact=False)["content"] == [
        {"type": "output_text", "text": "a"}
    ]
    second = about("content_part.added", content_index=1, part=part("b"))
    assert item(added(MESSAGE), second, exact=False)["content"] == [part("b")]


def test_pieces_after_a_whole_text_are_kept():
    """What comes after a text was complete lengthens it."""
    piece = about("output_text.delta", content_index=0, delta="a")
    start = [added(MESSAGE), about("content_part.added", content_index=0, part=part()), piece]
    end = about("output_text.done", content_index=0, text="a")
    assert item(*start, end, piece, piece)["content"] == [part("aaa")]


def test_reasoning_whose_beginning_is_missing():
    """Its parts tell that it is reasoning, which has no state of its own."""
    begin = about("content_part.added", content_index=0, part={"type": "reasoning_text"})
    assert item(begin, *delta("reasoning_text", "a", content_index=0), exact=False) == {
        "id": "i",
        "type": "reasoning",
        "content": [{"type": "reasoning_text", "text": "a"}],
    }


def test_state_of_an_item_that_is_done():
    """An item that is done without a state is not in progress."""
    whole = {key: value for key, value in CALL.items() if key != "status"}
    assert item(added(CALL), done(whole)) == whole


def test_annotations_out_of_order():
    """An annotation that comes twice counts once; one whose predecessor is missing is a guess."""
    note = about("output_text.annotation.added", content_index=0, annotation_index=0, annotation=1)
    events = [added(MESSAGE), about("content_part.added", content_index=0, part=part())]
    assert item(*events, note, note)["content"] == [part(annotations=[1])]
    other = {**note, "annotation": 2}
    assert item(*events, note, other, exact=False)["content"] == [part(annotations=[2])]
    late = {**note, "annotation_index": 4}
    assert item(*events, late, exact=False)["content"] == [part(annotations=[1])]
    assert decode(created(), *events, late, completed(message(part(annotations=[0, 1])))).exact is (
        False
    )


def test_refusal():
    """A refusal grows in a part of its own."""
    empty = {"type": "refusal", "refusal": ""}
    events = [
        added(MESSAGE),
        about("content_part.added", content_index=0, part=empty),
        *delta("refusal", "No", " way", content_index=0),
    ]
    assert item(*events)["content"] == [{"type": "refusal", "refusal": "No way"}]
    end = about("refusal.done", content_index=0, refusal="No way")
    assert item(*events, end) == item(*events)


def test_reasoning_text_and_summary():
    """Reasoning has texts and summaries, each in its parts; vLLM has its own word for a part."""
    for word in ("content_part", "reasoning_part"):
        events = [
            added(REASONING),
            about(f"{word}.added", content_index=0, part={"type": "reasoning_text", "text": ""}),
            *delta("reasoning_text", "th", "ink", content_index=0),
            about("reasoning_text.done", content_index=0, text="think"),
            *(
                one
                for n in range(2)
                for one in (
                    about(
                        "reasoning_summary_part.added",
                        summary_index=n,
                        part={"type": "summary_text", "text": ""},
                    ),
                    *delta("reasoning_summary_text", "su", f"m{n}", summary_index=n),
                )
            ),
            about("reasoning_summary_text.done", summary_index=0, text="sum0"),
            about(
                "reasoning_summary_part.done",
                summary_index=0,
                part={"type": "summary_text", "text": "sum0"},
                status="incomplete",
            ),
        ]
        assert item(*events) == {
            **REASONING,
            "content": [{"type": "reasoning_text", "text": "think"}],
            "summary": [{"type": "summary_text", "text": f"sum{n}"} for n in range(2)],
        }


@pytest.mark.parametrize(
    ("kind", "start", "key"),
    [
        ("function_call_arguments", CALL, "arguments"),
        (
            "custom_tool_call_input",
            {"id": "i", "type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""},
            "input",
        ),
        (
            "mcp_call_arguments",
            {"id": "i", "type": "mcp_call", "name": "f", "server_label": "s", "arguments": ""},
            "arguments",
        ),
        (
            "code_interpreter_call_code",
            {"id": "i", "type": "code_interpreter_call", "code": None, "outputs": None},
            "code",
        ),
    ],
)
def test_texts_of_calls(kind, start, key):
    """What a call is given grows in the call, and stays text, valid or not."""
    pieces = delta(kind, '{"a', '":', "\ud83d", "\ude00")
    assert item(added(start), *pieces) == {**start, key: '{"a":\U0001f600'}
    end = about(f"{kind}.done", **{key: '{"a":\U0001f600'})
    assert item(added(start), *pieces, end) == {**start, key: '{"a":\U0001f600'}
    assert item(added(start), end) == {**start, key: '{"a":\U0001f600'}
    other = about(f"{kind}.done", **{key: "other"})
    assert item(added(start), *pieces, other, exact=False) == {**start, key: "other"}


def test_calls_side_by_side():
    """Parallel calls are apart, however their pieces alternate."""
    kind = "function_call_arguments.delta"
    events = [added({**CALL, "id": str(n), "call_id": f"c{n}"}, index=n) for n in range(3)]
    pieces = [
        about(kind, item=str(n), index=n, delta=f"{piece}{n}") for piece in "abc" for n in (2, 0, 1)
    ]
    answer = decode(created(), *events, *pieces)
    assert [one["arguments"] for one in answer.response["output"]] == ["a0b0c0", "a1b1c1", "a2b2c2"]
    assert answer.exact


def test_calls_that_share_an_index_are_kept_apart_by_id():
    """A gateway that numbers every item 0 loses nothing."""
    calls = [{**CALL, "id": name, "call_id": name} for name in "xy"]
    first, second = (
        [
            added(call),
            about("function_call_arguments.delta", item=call["id"], delta=f"{call['id']}1"),
        ]
        for call in calls
    )
    answer = decode(created(), *first, done({**calls[0], "arguments": "x1"}), *second)
    assert [one["arguments"] for one in answer.response["output"]] == ["x1", "y1"]
    assert not answer.exact


def test_item_begun_twice_keeps_what_has_grown():
    """A second beginning of the same item erases nothing."""
    events = [added(CALL), *delta("function_call_arguments", "a"), added(CALL)]
    assert item(*events, *delta("function_call_arguments", "b"), exact=False)["arguments"] == "ab"


def test_item_without_an_index():
    """Without an index the id tells the item; what follows is a guess."""
    bare = [
        {key: value for key, value in one.items() if key != "output_index"}
        for one in (added(CALL), *delta("function_call_arguments", "a", "b"))
    ]
    assert item(*bare, exact=False)["arguments"] == "ab"
    assert item(added(CALL), *bare[1:], exact=False)["arguments"] == "ab"


def test_item_that_is_no_object():
    """An empty beginning says nothing; anything else that is no item keeps raw."""
    answer = decode(created(), event("output_item.added", output_index=0, item=None))
    assert (answer.response["output"], answer.exact) == ([], True)
    for kind in ("added", "done"):
        answer = decode(created(), event(f"output_item.{kind}", output_index=0, item=[]))
        assert (answer.response["output"], answer.exact) == ([], False)


def test_pieces_after_an_item_was_done_keep_raw():
    """What comes after the end of an item is kept, and contradicts it."""
    events = [added(CALL), done({**CALL, "arguments": "a"})]
    assert item(*events, *delta("function_call_arguments", "b"), exact=False)["arguments"] == "ab"
