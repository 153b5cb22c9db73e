"""Tool calls of a stream, however a provider numbers them."""

from __future__ import annotations

import pytest
from chat_streams import calls, entry, message


def test_parallel_calls_by_index():
    """Interleaved parallel calls are joined by index and listed in its order, from any first index."""
    assert calls(
        entry(2, "b", "g", ""),
        entry(1, "a", "f", ""),
        entry(2, None, None, '{"y":'),
        entry(1, None, None, '{"x":1}'),
        entry(2, None, None, "2}"),
    ) == [("a", "f", '{"x":1}'), ("b", "g", '{"y":2}')]


def test_repeated_id_and_name_do_not_double():
    """An id, type and name in each delta count once."""
    piece = {**entry(0, "a", "f", '"x'), "type": "function"}
    found = message(*[{"tool_calls": [piece]}] * 3)["tool_calls"]
    assert found == [
        {"id": "a", "function": {"name": "f", "arguments": '"x"x"x'}, "type": "function"}
    ]


def test_two_calls_at_index_0_are_two_calls():
    """Gemini's compatible API numbers all calls 0: another id is another call, an old id an old call."""
    assert calls(
        entry(0, "a", "f", "1"),
        entry(0, "b", "f", "2"),
        entry(0, None, None, "3"),
        entry(0, "a", None, "4"),
    ) == [
        ("a", "f", "14"),
        ("b", "f", "23"),
    ]


def test_calls_without_index():
    """Without an index a new id begins a call, a known id or none at all carries one on."""
    assert calls(
        entry(None, "a", "f", "1"),
        entry(None, None, None, "2"),
        entry(None, "b", "f", "3"),
        entry(None, "a", "f", "4"),
    ) == [
        ("a", "f", "124"),
        ("b", "f", "3"),
    ]
    assert calls([entry(None, "a", "f", "1"), entry(None, "b", "f", "2")]) == [
        ("a", "f", "1"),
        ("b", "f", "2"),
    ]


def test_calls_without_index_and_id_are_told_apart_by_name_and_whole_arguments():
    """Where only names help, a new name or a name after whole arguments is a new call, and raw is kept."""
    assert calls(
        entry(None, "", "f", '{"a":1}'),
        entry(None, "", "g", "{"),
        entry(None, None, "g", "}"),
        exact=False,
    ) == [
        ("", "f", '{"a":1}'),
        ("", "g", "{}"),
    ]
    assert calls(
        entry(None, None, "f", '{"a":1}'), entry(None, None, "f", '{"a":2}'), exact=False
    ) == [
        (None, "f", '{"a":1}'),
        (None, "f", '{"a":2}'),
    ]
    assert len(calls([entry(None, None, "f", ""), entry(None, None, "f", "")], exact=False)) == 2


def test_name_in_pieces():
    """A name in two pieces is joined; after arguments another name is another call. Both keep raw."""
    assert calls(entry(0, "a", "get_", None), entry(0, None, "weather", "{}"), exact=False) == [
        ("a", "get_weather", "{}")
    ]
    assert calls(entry(0, None, "f", "{}"), entry(0, None, "g", "{}"), exact=False) == [
        (None, "f", "{}"),
        (None, "g", "{}"),
    ]


def test_arguments_stay_text_even_when_they_are_no_json():
    """Arguments are kept as written; an object in their place is written as text, and raw kept."""
    assert calls(entry(0, "a", "f", '{"x'))[0][2] == '{"x'
    piece = {"index": 0, "function": {"name": "f", "arguments": {"x": 1}}}
    assert calls(piece, exact=False)[0][2] == '{"x": 1}'


def test_custom_tool_calls():
    """A custom tool's input is joined like arguments."""
    first = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "py", "input": ""}}
    more = {"index": 0, "custom": {"input": "print()"}}
    found = message({"tool_calls": [first]}, {"tool_calls": [more]})["tool_calls"]
    assert found == [{"id": "a", "type": "custom", "custom": {"name": "py", "input": "print()"}}]


def test_function_call_of_old():
    """The legacy function call is joined."""
    found = message(
        {"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": "{}"}}
    )
    assert found["function_call"] == {"name": "f", "arguments": "{}"}


def test_thought_signatures_stay_with_their_call():
    """Google's `extra_content` is kept per call and per message, also from an event of its own."""
    signed = {**entry(0, "a", "f", "{}"), "extra_content": {"google": {"thought_signature": "S1"}}}
    found = message(
        {"tool_calls": [signed]}, {"extra_content": {"google": {"thought_signature": "S2"}}}
    )
    assert found["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "S1"}}
    assert found["extra_content"] == {"google": {"thought_signature": "S2"}}


def test_empty_list_of_calls_says_nothing():
    """`tool_calls` that is null or empty leaves no key behind."""
    assert "tool_calls" not in message(
        {"reasoning": "a", "tool_calls": []}, {"tool_calls": None, "content": "b"}
    )


@pytest.mark.parametrize(
    "delta",
    [
        {"tool_calls": [entry(0, "a", "f", "{}")]},
        {"function_call": {"name": "f"}},
        {"refusal": "no"},
        {"audio": {"id": "a"}},
    ],
)
def test_empty_text_beside_something_else_is_null(delta):
    """A message that only calls tools, refuses or speaks has content null, not an empty text."""
    assert message({"content": ""}, delta)["content"] is None
    assert message({"content": "x"}, delta)["content"] == "x"
    assert message({"content": ""})["content"] == ""
