"""Parts of `gemini`: what is joined, what stays apart, and calls whose arguments are streamed."""

from __future__ import annotations

import json

import pytest
from gemini_streams import NAMED, arguments, call, chunk, partial, parts


def test_thoughts_and_texts_alternate_and_stay_apart():
    """Neighbours of one kind are one part; `thought: false` is the same as none."""
    assert parts(
        chunk({"text": "th", "thought": True}),
        chunk({"text": "ink", "thought": True}, {"text": "a"}),
        chunk({"text": "b", "thought": False}, {"text": "again", "thought": True}),
    ) == [
        {"text": "think", "thought": True},
        {"text": "ab"},
        {"text": "again", "thought": True},
    ]


def test_a_signature_stays_on_its_part():
    """A part with a signature is joined with nothing: neither with the one before nor after."""
    signed = {"text": "b", "thoughtSignature": "s1"}
    last = {"text": "", "thoughtSignature": "s2"}
    assert parts(
        chunk({"text": "a"}), chunk(signed), chunk({"text": "c"}), chunk({"text": "d"}), chunk(last)
    ) == [{"text": "a"}, signed, {"text": "cd"}, last]


@pytest.mark.parametrize(
    "other",
    [
        call(name="f", args={"a": 1}, id="c"),
        {**call(name="f", args={}), "thoughtSignature": "s"},
        {"functionResponse": {"name": "f", "response": {}}},
        {"inlineData": {"mimeType": "audio/pcm", "data": "AAAA"}},
        {"fileData": {"fileUri": "u"}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"toolCall": {"toolType": "FILE_SEARCH"}, "thoughtSignature": "s"},
        {"toolResponse": {"id": "c"}},
        {"text": "x", "videoMetadata": {}},
        {"text": "x", "partMetadata": {"a": 1}},
        {"novelty": 1},
    ],
)
def test_other_parts_are_appended_whole(other):
    """Each part that is not plain text stays as it came, in its place, twice if it came twice."""
    assert parts(chunk({"text": "a"}), chunk(other), chunk(other, {"text": "b"})) == [
        {"text": "a"},
        other,
        other,
        {"text": "b"},
    ]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"stringValue": "x"}, "x"),
        ({"stringValue": ""}, ""),
        ({"numberValue": 1.5}, 1.5),
        ({"numberValue": 2}, 2),
        ({"boolValue": False}, False),
        ({"nullValue": "NULL_VALUE"}, None),
        ({"nullValue": None}, None),
    ],
)
def test_streamed_argument_of_each_type(body, value):
    """Each kind of value lands at its path."""
    assert arguments(NAMED, partial("$.a", **body), {}) == {
        "name": "f",
        "id": "c",
        "args": {"a": value},
    }


@pytest.mark.parametrize(
    ("path", "args"),
    [
        ("$.a.b", {"a": {"b": "x"}}),
        ("$['a']", {"a": "x"}),
        ('$["a.b"]["c\\"d"]', {"a.b": {'c"d': "x"}}),
        ("$['it\\'s']", {"it's": "x"}),
        ("$.a[0]", {"a": ["x"]}),
        ("$.a[0].b[0][0]", {"a": [{"b": [["x"]]}]}),
    ],
)
def test_paths_of_streamed_arguments(path, args):
    """Names, quoted names and indices lead to a place; pieces of a string there are joined."""
    call_ = arguments(NAMED, partial(path, stringValue="x", willContinue=True), {})
    assert call_["args"] == args
    pieces = [partial(path, stringValue=piece, willContinue=True) for piece in ("", "a", "b")]
    assert json.dumps(arguments(NAMED, *pieces, {})["args"]) == json.dumps(args).replace(
        '"x"', '"ab"'
    )


def test_streamed_list_grows():
    """An index right behind the last is the next entry."""
    found = [partial(f"$.l[{place}].n", numberValue=place) for place in range(3)]
    assert arguments(NAMED, *found, {})["args"] == {"l": [{"n": 0}, {"n": 1}, {"n": 2}]}


@pytest.mark.parametrize(
    "odd",
    [
        {"jsonPath": "$", "stringValue": "x"},
        {"jsonPath": "a", "stringValue": "x"},
        {"jsonPath": "$..a", "stringValue": "x"},
        {"jsonPath": "$.a[*]", "stringValue": "x"},
        {"jsonPath": "$.a" + ".b" * 90, "stringValue": "x"},
        {"jsonPath": "$.l[7]", "stringValue": "x"},
        {"jsonPath": "$.n.deeper", "stringValue": "x"},
        {"jsonPath": "$.l.name", "stringValue": "x"},
        {"jsonPath": "$[0]", "stringValue": "x"},
        {"jsonPath": "$.n", "numberValue": 2},
        {"jsonPath": "$.a", "structValue": {}},
        {"jsonPath": "$.a", "stringValue": 1},
        {"jsonPath": "$.a", "stringValue": "x", "numberValue": 1},
        {"jsonPath": 1},
        "x",
    ],
)
def test_argument_without_a_place_is_left_beside_the_others(odd):
    """What leads nowhere, or contradicts, stays as it was written and keeps the raw bytes."""
    known = [partial("$.n", numberValue=1), partial("$.l[0]", boolValue=True)]
    call_ = arguments(NAMED, *known, {"partialArgs": [odd], "willContinue": True}, {}, exact=False)
    assert call_["partialArgs"] == [odd]
    assert (call_["args"]["n"], call_["args"]["l"]) == (1, [True])


def test_streamed_call_ends():
    """An empty call, `willContinue: false` and its absence end a call; the next is another one."""
    for end in ({}, {**partial("$.b", stringValue="y"), "willContinue": False}, None):
        bodies = [NAMED, {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x"}]}]
        bodies += [] if end is None else [end]
        found = parts(*(chunk({"functionCall": body}) for body in [*bodies, *bodies, {}]))
        assert len(found) == 2
        assert found[0] == found[1]
        assert found[0]["functionCall"]["args"]["a"] == "x"
        assert "willContinue" not in found[0]["functionCall"]


def test_streamed_call_that_begins_with_a_value():
    """The first event of a call may bring a value, and need not say that more follows."""
    first = {"name": "f", "partialArgs": [{"jsonPath": "$.a", "boolValue": True}]}
    assert arguments(first) == {"name": "f", "args": {"a": True}}
    assert arguments(first, partial("$.b", numberValue=1), {})["args"] == {"a": True, "b": 1}


def test_value_without_a_call_that_is_open_begins_one():
    """After its end a call takes nothing more; nor does it when another call came between."""
    value = partial("$.a", boolValue=True)
    for end in ({}, {"willContinue": False}):
        found = parts(*(chunk({"functionCall": body}) for body in (NAMED, end, value, {})))
        assert [part["functionCall"]["args"] for part in found] == [{}, {"a": True}]
    whole = {"name": "g", "args": {"b": 1}}
    between = parts(*(chunk({"functionCall": body}) for body in (NAMED, whole, value)), exact=False)
    assert [part["functionCall"].get("name") for part in between] == ["f", "g", None]


def test_argument_that_only_says_that_more_follows():
    """It brings no value and contradicts none."""
    assert arguments(NAMED, partial("$.a", willContinue=True), {})["args"] == {}


def test_streamed_call_whose_name_is_sent_again():
    """While a call says that more follows, its own name begins no other one; another name does."""
    again = {**partial("$.b", numberValue=1), "name": "f"}
    assert arguments(NAMED, again, {})["args"] == {"b": 1}
    found = parts(
        *(chunk({"functionCall": body}) for body in (NAMED, {**again, "name": "g"}, {})),
        exact=False,
    )
    assert [part["functionCall"]["name"] for part in found] == ["f", "g"]
    found = parts(
        *(chunk({"functionCall": body}) for body in (NAMED, {**again, "id": "d"}, {})), exact=False
    )
    assert [part["functionCall"]["id"] for part in found] == ["c", "d"]


def test_streamed_call_keeps_its_signature_and_given_arguments():
    """What stands beside the call stays on its part; whole arguments and streamed ones are one."""
    first = {"functionCall": {**NAMED, "args": {"w": {"h": 1}}}, "thoughtSignature": "s"}
    (part,) = parts(
        chunk(first), chunk({"functionCall": partial("$.w.x", boolValue=True)}), chunk(call())
    )
    assert part == {
        "functionCall": {"name": "f", "id": "c", "args": {"w": {"h": 1, "x": True}}},
        "thoughtSignature": "s",
    }


def test_streamed_call_that_was_cut_says_so():
    """A call that was to continue keeps that mark, and the raw bytes."""
    call_ = arguments(NAMED, partial("$.a", stringValue="x", willContinue=True), exact=False)
    assert call_ == {"name": "f", "id": "c", "args": {"a": "x"}, "willContinue": True}


def test_empty_call_after_a_whole_one_is_its_end():
    """It is no part; an empty call without any before it is kept."""
    whole = call(name="f", args={})
    assert parts(chunk({"functionCall": NAMED}), chunk(call()), chunk(call())) == [
        call(name="f", id="c", args={})
    ]
    assert parts(chunk(call()), chunk(whole)) == [call(), whole]
