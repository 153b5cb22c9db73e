"""Content blocks of `anthropic.messages`: every delta, and what it does to a block."""

from __future__ import annotations

import json

import pytest
from message_streams import END, block, content, decode, event, start, text


def test_thinking_grows_and_its_signature_is_assigned():
    """Thoughts are joined; the signature is one value, also after an empty one; hints are dropped."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    deltas = [
        {"type": "thinking_delta", "thinking": "Let "},
        {"type": "thinking_delta", "thinking": "me", "estimated_tokens": 50},
        {"type": "signature_delta", "signature": "sig=="},
    ]
    assert content(block(thinking, *deltas)) == [
        {"type": "thinking", "thinking": "Let me", "signature": "sig=="}
    ]


def test_another_signature_replaces_the_first_and_keeps_raw():
    """A signature is assigned, never appended."""
    deltas = [{"type": "signature_delta", "signature": part} for part in ("a", "b")]
    blocks = content(block({"type": "thinking", "thinking": ""}, *deltas), exact=False)
    assert blocks == [{"type": "thinking", "thinking": "", "signature": "b"}]


@pytest.mark.parametrize("begun", [{}, {"citations": None}, {"citations": []}])
def test_citations_are_appended(begun):
    """Each citation is one more, whether the block began with a list, null or nothing."""
    cited = [{"type": "web_search_result_location", "url": url} for url in "ab"]
    deltas = [{"type": "citations_delta", "citation": citation} for citation in cited]
    (found,) = content(block({"type": "text", "text": "", **begun}, *deltas))
    assert found["citations"] == cited


@pytest.mark.parametrize("type_", ["tool_use", "server_tool_use", "mcp_tool_use"])
def test_tool_input_is_joined_and_parsed(type_):
    """The placeholder of the beginning is no part of the input; the pieces are, joined."""
    tool = {"type": type_, "id": "t", "name": "f", "input": {}}
    deltas = [
        {"type": "input_json_delta", "partial_json": piece}
        for piece in ("", '{"a": "\\u20', '28"}')
    ]
    assert content(block(tool, *deltas)) == [{**tool, "input": {"a": "\u2028"}}]


def test_parallel_tools_are_kept_apart():
    """Deltas that alternate between open blocks go to their own block."""
    tools = [{"type": "tool_use", "id": id_, "name": "f", "input": {}} for id_ in "ab"]
    pieces = [(0, '{"x"'), (1, '{"y"'), (0, ":1}"), (1, ":2}")]
    stream = block(tools[0], stop=False) + block(tools[1], index=1, stop=False)
    for index, piece in pieces:
        delta = {"type": "input_json_delta", "partial_json": piece}
        stream += event("content_block_delta", index=index, delta=delta)
    stream += event("content_block_stop", index=0) + event("content_block_stop", index=1)
    assert [tool["input"] for tool in content(stream)] == [{"x": 1}, {"y": 2}]


@pytest.mark.parametrize("pieces", [[], [""], ["", ""]])
def test_no_input_is_an_empty_object(pieces):
    """A tool without arguments is called with `{}`, also when the block named no input."""
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    tool = {"type": "tool_use", "id": "t", "name": "f"}
    assert content(block({**tool, "input": {}}, *deltas)) == [{**tool, "input": {}}]
    if deltas:
        assert content(block(tool, *deltas)) == [{**tool, "input": {}}]


@pytest.mark.parametrize("raw", ['{"a": tru', "[1]", '"text"', "{'a': 1}", "1", '{"a":1}x'])
def test_input_that_is_no_object_is_kept_as_it_was_written(raw):
    """What a model wrote and no parser takes stays, word by word, and keeps the raw bytes."""
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in raw]
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    assert content(block(tool, *deltas), exact=False) == [{**tool, "partial_json": raw}]


def test_input_keeps_long_integers():
    """Integers beyond 64 bits survive; NaN, which is no JSON, leaves the text beside the reading."""
    number = 123456789012345678901234567890
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": f'{{"n": {number}}}'}
    assert content(block(tool, delta))[0]["input"] == {"n": number}
    delta["partial_json"] = '{"n": NaN}'
    (found,) = content(block(tool, delta), exact=False)
    assert (found["input"], found["partial_json"]) == ({"n": None}, '{"n": NaN}')


def test_input_that_came_whole():
    """Imitators send the input with the block; pieces beside it are a contradiction."""
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    assert content(block(tool)) == [tool]
    delta = {"type": "input_json_delta", "partial_json": '{"b": 2}'}
    assert content(block(tool, delta), exact=False) == [{**tool, "input": {"b": 2}}]


@pytest.mark.parametrize(
    "whole",
    [
        {"type": "redacted_thinking", "data": "x"},
        {"type": "web_search_tool_result", "tool_use_id": "t", "content": [{"url": "u"}]},
        {"type": "code_execution_tool_result", "content": {"stdout": "", "return_code": 0}},
        {"type": "mcp_tool_result", "is_error": False, "content": [{"type": "text", "text": ""}]},
        {"type": "container_upload", "file_id": "f"},
        {"type": "a_block_of_tomorrow", "value": [1]},
    ],
)
def test_block_that_comes_whole_stays_as_it_is(whole):
    """Blocks without deltas are kept, known or not."""
    assert content(block(whole)) == [whole]


def test_compaction_is_assigned():
    """A compaction's content comes in one delta and replaces the null."""
    begun = {"type": "compaction", "content": None}
    delta = {"type": "compaction_delta", "content": "sum", "encrypted_content": "e"}
    assert content(block(begun, delta)) == [
        {"type": "compaction", "content": "sum", "encrypted_content": "e"}
    ]
    del delta["encrypted_content"]
    assert content(block(begun, delta)) == [{"type": "compaction", "content": "sum"}]


def test_fallback_names_the_model_that_answered():
    """The model of the answer is the one that the last hop went to."""
    hop = {"type": "fallback", "from": {"model": "m"}, "to": {"model": "n"}}
    answer = decode(start(), block(hop), text("a", index=1), END)
    assert answer.exact
    assert answer.response["model"] == "n"
    assert answer.response["content"][0] == hop


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"type": "odd_delta", "odd": "xyz"}, {"odd": "xyzxyw"}),
        ({"type": "text_delta", "text": "x", "odd": 1}, {"text": "xab", "odd": 1}),
        ({"type": "text_delta", "text": 1}, {"text": "ab"}),
        ({"type": "thinking_delta", "thinking": "x"}, {"text": "ab", "thinking": "x"}),
        ({"type": "signature_delta", "signature": "x"}, {"signature": "x"}),
        ({"type": "compaction_delta", "content": "x"}, {"content": "x"}),
        ({"type": "citations_delta"}, {"text": "ab"}),
        ({"type": "input_json_delta", "partial_json": "{}"}, {"input": {}}),
    ],
)
def test_delta_that_does_not_belong_is_merged_and_keeps_raw(delta, expected):
    """Unknown deltas, and known ones in the wrong block, go somewhere and are reported."""
    deltas = [{"type": "text_delta", "text": piece} for piece in "ab"]
    if delta["type"] == "odd_delta":
        deltas.append({"type": "odd_delta", "odd": "xyw", "number": 1})
    (found,) = content(block({"type": "text", "text": ""}, delta, *deltas), exact=False)
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"type": "text_delta", "text": "x"}, {"type": "text", "text": "x"}),
        ({"type": "thinking_delta", "thinking": "x"}, {"type": "thinking", "thinking": "x"}),
        (
            {"type": "input_json_delta", "partial_json": "{}"},
            {"type": "tool_use", "input": {}},
        ),
        ({"type": "odd_delta", "odd": "x"}, {"type": "text", "odd": "x"}),
    ],
)
def test_delta_without_a_beginning_makes_its_block(delta, expected):
    """A stream that lost its beginning still holds its words."""
    answer = decode(event("content_block_delta", index=3, delta=delta), END)
    assert not answer.exact
    assert answer.response["content"] == [expected]
    assert (answer.response["role"], answer.response["stop_reason"]) == ("assistant", "end_turn")


def test_delta_after_its_blocks_end_goes_to_that_block():
    """A late piece lengthens its own block, not the latest."""
    late = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "c"})
    blocks = content(text("a", "b"), text("z", index=1), late, exact=False)
    assert [found["text"] for found in blocks] == ["abc", "z"]


def test_deltas_without_index_go_to_the_last_block():
    """Imitators leave the index out."""
    delta = {"type": "text_delta", "text": "b"}
    answer = decode(start(), text("a", stop=False), event("content_block_delta", delta=delta))
    assert answer.response["content"] == [{"type": "text", "text": "ab"}]
    assert not answer.exact


def test_surrogates_cut_between_two_deltas_are_one_character():
    """Escapes of half a character are joined with their other half."""
    halves = [
        b"event: content_block_delta\n"
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}\n\n'
        % half
        for half in (b"\\ud83d", b"\\udc2c")
    ]
    assert content(text(stop=False), *halves)[0]["text"] == "\N{DOLPHIN}"


@pytest.mark.parametrize(
    "odd",
    [
        {"index": 0, "delta": {"type": "text_delta", "text": "x"}, "surprise": 1},
        {"index": 0, "delta": {"type": "text_delta", "text": "x", "surprise": 1}},
        {"index": 0, "delta": {"type": "text_delta", "text": ["x"]}},
        {"index": 0, "delta": {"type": ["text_delta"], "text": "x"}},
        {"index": [0], "delta": {"type": "text_delta", "text": "x"}},
        {"index": 0, "delta": "x"},
    ],
)
def test_odd_delta_between_usual_ones_keeps_raw(odd):
    """What is not exactly one more piece takes no short cut, and loses no text around it."""
    events = [
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        for piece in "ab"
    ]
    stream = (events[0], event("content_block_delta", **odd), events[1])
    answer = decode(start(), text(stop=False), *stream, END)
    assert not answer.exact
    assert answer.response["content"][0]["text"] in ("ab", "axb")
    assert ("surprise" in json.dumps(answer.response)) is ("surprise" in json.dumps(odd))


def test_tool_without_input_that_was_cut():
    """The input is an object in any case; what was written of it stands beside it."""
    tool = {"type": "tool_use", "id": "t", "name": "f"}
    delta = {"type": "input_json_delta", "partial_json": '{"a'}
    assert content(block(tool, delta), exact=False) == [
        {**tool, "input": {}, "partial_json": '{"a'}
    ]


def test_input_with_half_a_character_is_kept_as_it_was_written():
    """A lone surrogate cannot be read as JSON without loss, so the text stays."""
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"a": "\ud83d"}'}
    (found,) = content(block(tool, delta), exact=False)
    assert found["partial_json"] == delta["partial_json"]


def test_citations_that_were_no_list_are_replaced_and_keep_raw():
    """A citation begins the list, and what stood there before is left to the raw bytes."""
    delta = {"type": "citations_delta", "citation": {"url": "u"}}
    begun = {"type": "text", "text": "", "citations": "none"}
    (found,) = content(block(begun, delta), exact=False)
    assert found["citations"] == [{"url": "u"}]
