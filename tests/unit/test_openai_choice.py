"""One choice of a stream: texts, reasoning, parts, audio, log-probabilities."""

from __future__ import annotations

import base64

import pytest
from chat_streams import DONE, chunk, decode, event, message


@pytest.mark.parametrize(
    "key", ["content", "refusal", "reasoning", "reasoning_content", "thinking"]
)
def test_texts_are_joined(key):
    """Every spelling of text, reasoning and refusal is joined."""
    assert message({key: "a"}, {key: None}, {key: "b"}, {key: "b"}, {key: ""})[key] == "abb"


def test_null_stays_null_until_something_comes():
    """A key that only ever was null is null; a value wins over any null."""
    found = message(
        {"content": None, "reasoning": None, "refusal": "no"}, {"refusal": None, "content": None}
    )
    assert found == {"role": "assistant", "content": None, "reasoning": None, "refusal": "no"}


def test_role_counts_once():
    """A role in each chunk is one role; without any it is the assistant's."""
    assert (
        message({"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"})[
            "role"
        ]
        == "assistant"
    )
    assert message({"content": "a"})["role"] == "assistant"
    assert message({"role": "assistant"}, {"role": "tool"}, exact=False)["role"] == "assistant"


def test_surrogate_pair_cut_between_chunks_is_joined():
    """Half a character in each of two chunks is one character; a lone half survives."""
    assert (
        message({"content": "a\ud83d"}, {"content": "\ude00b"}, {"content": "\ud83d"})["content"]
        == "a\U0001f600b\ud83d"
    )


def test_choices_are_keyed_by_index():
    """Interleaved choices stay apart, in any order of appearance."""
    answer = decode(
        *(
            chunk({"content": text}, index=index)
            for index, text in ((1, "x"), (0, "a"), (1, "y"), (0, "b"))
        ),
        DONE,
    )
    assert answer.exact
    assert [
        (choice["index"], choice["message"]["content"]) for choice in answer.response["choices"]
    ] == [(0, "ab"), (1, "xy")]


def test_several_choices_in_one_event():
    """All choices of one event count, also without an index."""
    both = event(
        {
            "choices": [
                {"index": 0, "delta": {"content": "a"}},
                {"index": 1, "delta": {"content": "b"}},
            ]
        }
    )
    bare = event({"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]})
    for stream in (both * 2, bare * 2):
        assert [choice["message"]["content"] for choice in decode(stream).response["choices"]] == [
            "aa",
            "bb",
        ]


def test_reasoning_details_grow_by_index():
    """Text and signature of one index are joined; format, id and type count once."""
    base = {"type": "reasoning.text", "index": 0, "format": "v1", "id": "r"}
    deltas = [
        {**base, "text": "a"},
        {**base, "text": "b"},
        {"index": 0, "text": "c"},
        {"index": 0, "type": base["type"], "signature": "S"},
    ]
    found = message(*({"reasoning_details": [delta]} for delta in [*deltas, deltas[-1]]))
    assert found["reasoning_details"] == [{**base, "text": "abc", "signature": "S"}]


def test_reasoning_details_of_another_kind_or_id_are_other_entries():
    """The same index with another type or id is another entry, and each can still grow."""
    details = [
        {"index": 0, "type": "reasoning.summary", "summary": "s"},
        {"index": 0, "type": "reasoning.encrypted", "data": "E"},
        {"index": 0, "type": "reasoning.summary", "summary": "t"},
        {"index": 1, "type": "reasoning.text", "id": "x", "text": "1"},
        {"index": 1, "type": "reasoning.text", "id": "y", "text": "2"},
        {"index": 1, "type": "reasoning.text", "id": "x", "text": "3"},
    ]
    found = message(*({"reasoning_details": [detail]} for detail in details))["reasoning_details"]
    assert [detail.get("summary") or detail.get("data") or detail["text"] for detail in found] == [
        "st",
        "E",
        "13",
        "2",
    ]


def test_thinking_blocks_without_index_end_with_their_signature():
    """LiteLLM's blocks follow on until one is signed; redacted ones stand alone."""
    blocks = [
        {"type": "thinking", "thinking": "a", "signature": None},
        {"type": "thinking", "thinking": "b"},
        {"type": "thinking", "thinking": "", "signature": "S"},
        {"type": "thinking", "thinking": "c"},
        {"type": "redacted_thinking", "data": "X"},
        {"type": "redacted_thinking", "data": "Y"},
    ]
    found = message(*({"thinking_blocks": [block]} for block in blocks))["thinking_blocks"]
    assert found == [
        {"type": "thinking", "thinking": "ab", "signature": "S"},
        {"type": "thinking", "thinking": "c"},
        {"type": "redacted_thinking", "data": "X"},
        {"type": "redacted_thinking", "data": "Y"},
    ]


def test_content_as_list_of_parts():
    """Mistral's thinking parts are joined, and the strings after them become a text part."""
    deltas = [""] + [
        [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}] for text in ("a", "b")
    ]
    deltas += [
        [{"type": "thinking", "thinking": [], "closed": True}],
        "c",
        "d",
        [{"type": "reference", "reference_ids": [1]}],
        "e",
    ]
    assert message(*({"content": delta} for delta in deltas))["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "ab"}], "closed": True},
        {"type": "text", "text": "cd"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "e"},
    ]
    assert message({"content": "x"}, {"content": [{"type": "text", "text": "y"}]})["content"] == [
        {"type": "text", "text": "xy"}
    ]


def test_tools_executed_by_the_provider_are_sent_again_not_in_pieces():
    """Groq sends a tool, and then the same tool with its output: once is enough."""
    tool = {"index": 0, "type": "search", "arguments": "{}", "search_results": {"results": []}}
    done = {**tool, "output": "o", "search_results": {"results": [{"title": "t"}]}}
    assert message({"executed_tools": [tool]}, {"executed_tools": [done]})["executed_tools"] == [
        done
    ]


def test_annotations_are_appended():
    """Annotations of all deltas stay, in order, also two that are alike."""
    one, two = ({"type": "url_citation", "url_citation": {"url": url}} for url in "ab")
    assert message({"annotations": [one]}, {"annotations": [two]}, {"annotations": [two]})[
        "annotations"
    ] == [one, two, two]


def test_audio_pieces_are_joined_as_bytes():
    """Base64 pieces that were padded one by one, or cut anywhere, give the same audio."""
    sound = bytes(range(50))
    whole = base64.b64encode(sound).decode()
    padded = [base64.b64encode(sound[place : place + 7]).decode() for place in range(0, 50, 7)]
    cut = [whole[place : place + 5] for place in range(0, len(whole), 5)]
    for pieces in (padded, cut):
        deltas = [
            {"audio": {"id": "a"}},
            *({"audio": {"data": piece, "transcript": "t"}} for piece in pieces),
            {"audio": {"expires_at": 9}},
        ]
        found = message(*deltas)["audio"]
        assert found == {"id": "a", "data": whole, "transcript": "t" * len(pieces), "expires_at": 9}
    assert message({"audio": {"data": "A=B"}}, exact=False)["audio"] == {"data": "A=B"}


def test_logprobs_are_extended():
    """The lists of log-probabilities grow, also when two events are equal."""
    token = {"token": "ha", "logprob": -0.5, "bytes": [104, 97], "top_logprobs": []}
    piece = chunk({"content": "ha"}, choice={"logprobs": {"content": [token], "refusal": None}})
    refusal = chunk({"refusal": "no"}, choice={"logprobs": {"content": None, "refusal": [token]}})
    answer = decode(chunk({}, choice={"logprobs": None}), piece, piece, refusal, refusal, DONE)
    assert answer.exact
    assert answer.response["choices"][0]["logprobs"] == {
        "content": [token, token],
        "refusal": [token, token],
    }
