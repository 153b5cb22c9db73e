"""What a chat completion cannot carry of a message of Anthropic, remembered and put in its place."""

from __future__ import annotations

import json
import zlib
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translated_streams import CHAT_TO_MESSAGES, EVERY_RECORDING, anthropic_accumulates
from translators import CREATED, NEEDS_SAMPLES

from dolphin_logger.proxy.translate import Translated, TranslateOptions

Block = dict[str, Any]
MARK = {"type": "ephemeral"}
SEALED = {"type": "redacted_thinking", "data": "eA=="}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"q": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
CITED = {"type": "web_search_result_location", "url": "u", "encrypted_index": "e"}


def thought(words: str = "hm") -> Block:
    """Make a thought with its seal."""
    return {"type": "thinking", "thinking": words, "signature": f"seal of {words}"}


def text(words: str, **fields: Any) -> Block:
    """Make a text."""
    return {"type": "text", "text": words, **fields}


def use(call_id: str = "toolu_1", **fields: Any) -> Block:
    """Make a call."""
    return {"type": "tool_use", "id": call_id, "name": "f", "input": {"a": 1}, **fields}


def kept(*blocks: Any) -> dict[str, Any]:
    """Keep a message, as it would lie in a file."""
    native = {"id": "msg_1", "content": list(blocks), "stop_reason": "tool_use"}
    before = deepcopy(native)
    found = json.loads(json.dumps(CHAT_TO_MESSAGES.kept(native)))
    assert native == before
    return dict(found)


def bare(*blocks: Block) -> dict[str, Any]:
    """Give what a client that knows only OpenAI's keys sends back of a message."""
    native = {"id": "msg_1", "content": list(blocks), "stop_reason": "tool_use"}
    said = CHAT_TO_MESSAGES.answer(native, created=CREATED)["choices"][0]["message"]
    return {key: said.get(key) for key in ("role", "content", "tool_calls")}


def request(said: dict[str, Any], memory: dict[str, Any]) -> Translated:
    """Send an assistant's message in a next request, with the results of its calls."""
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
        for call in said.get("tool_calls") or ()
    ]
    body = {"messages": [{"role": "user", "content": "hi"}, said, *results]}
    before, remembered = deepcopy(body), deepcopy(memory)
    options = TranslateOptions(recall=memory.get)
    result = CHAT_TO_MESSAGES.request(body, model="claude-sonnet-4-6", options=options)
    assert (body, memory) == (before, remembered)
    return result


def back(said: dict[str, Any], memory: dict[str, Any]) -> list[Block]:
    """Send an assistant's message back; give its blocks at Anthropic, when nothing is lost."""
    result = request(said, memory)
    assert (result.dropped, result.changed) == ([], [])
    blocks: list[Block] = result.body["messages"][1]["content"]
    return blocks


MESSAGES: dict[str, list[Block]] = {
    "thought in front": [thought(), text("Look"), use()],
    "thoughts between": [
        thought("first"),
        text("Look"),
        thought("second"),
        SEALED,
        use("toolu_1"),
        thought("third"),
        use("toolu_2"),
    ],
    "calls alone": [thought(), use("toolu_1"), use("toolu_2"), use("toolu_3")],
    "texts between calls": [
        text("a"),
        use("toolu_1"),
        text("é\U0001f600"),
        use("toolu_2"),
        text("c"),
    ],
    "tools of the server": [
        thought(),
        SEARCH,
        FOUND,
        text("So"),
        text("it is", citations=[CITED]),
        use(),
    ],
    "called by a program": [
        use(caller={"type": "code_execution_20260120", "tool_id": "srvtoolu_1"})
    ],
}


@pytest.mark.parametrize("blocks", MESSAGES.values(), ids=MESSAGES.keys())
def test_a_message_comes_back_as_it_was(blocks: list[Block]):
    """Thoughts, tools of the server and texts stand where the provider had them, verbatim."""
    memory = kept(*blocks)
    assert memory.keys() == {block["id"] for block in blocks if block["type"] == "tool_use"}
    assert back(bare(*blocks), memory) == blocks


@pytest.mark.parametrize("blocks", MESSAGES.values(), ids=MESSAGES.keys())
def test_what_the_client_keeps_of_it_is_not_doubled(blocks: list[Block]):
    """A client that sends the thoughts back gets the same message."""
    native = {"id": "msg_1", "content": blocks, "stop_reason": "tool_use"}
    said = CHAT_TO_MESSAGES.answer(native, created=CREATED)["choices"][0]["message"]
    said.pop("annotations", None)
    assert back(said, kept(*blocks)) == blocks


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recordings_come_back_as_they_were(recording: Any):
    """Every recorded message with calls, of which a client keeps text and calls alone."""
    content = anthropic_accumulates(recording.read_bytes())["content"]
    memory = kept(*content)
    calls = [block["id"] for block in content if block["type"] == "tool_use"]
    assert memory.keys() <= set(calls)
    if calls:
        given_back = request(bare(*content), memory).body["messages"][1]["content"]
        told = [
            {key: value for key, value in block.items() if value is not None and key != "caller"}
            for block in content
            if block["type"] != "text" or block["text"].strip()
        ]
        assert [
            {key: value for key, value in block.items() if value is not None}
            for block in given_back
        ] == told


def test_nothing_is_kept_where_nothing_would_be_lost():
    """Text and calls come back by themselves; without calls nobody could ask for the rest."""
    assert kept(text("Look"), use("toolu_1"), use("toolu_2", caller={"type": "direct"})) == {}
    assert kept(thought(), text("Hello")) == {}
    assert kept() == {}


def test_an_order_alone_is_worth_keeping():
    """A chat completion has one text, in front of the calls."""
    assert kept(use("toolu_1"), text("after")) != {}
    assert kept(text("a"), text("b"), use("toolu_1")) != {}


CHANGED: dict[str, Any] = {
    "text of the same length": lambda said: said | {"content": said["content"].upper()},
    "longer text": lambda said: said | {"content": said["content"] + "!"},
    "no text": lambda said: said | {"content": None},
    "a call less": lambda said: said | {"tool_calls": said["tool_calls"][:1]},
    "the first call less": lambda said: said | {"tool_calls": said["tool_calls"][1:]},
    "another call": lambda said: said | {"tool_calls": [*said["tool_calls"], _call("other")]},
    "a call twice": lambda said: said | {"tool_calls": said["tool_calls"] + said["tool_calls"][:1]},
}


def _call(call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())
def test_of_a_changed_message_only_the_thoughts_come_back(change: Any):
    """They stand in front, up to the first call; text and calls are the client's."""
    blocks = MESSAGES["thoughts between"]
    said = change(bare(*blocks))
    found = back(said, kept(*blocks))
    texts = [text(said["content"])] if said["content"] else []
    calls = [use(call["id"]) for call in said["tool_calls"]]
    assert found == [thought("first"), thought("second"), SEALED, *texts, *calls]


def test_calls_in_another_order_get_the_providers():
    """They are found by their ids."""
    blocks = MESSAGES["thoughts between"]
    said = bare(*blocks)
    said["tool_calls"].reverse()
    assert back(said, kept(*blocks)) == blocks


def test_arguments_are_the_clients():
    """What it says of a call counts, also where it stands in the provider's order."""
    blocks = MESSAGES["thought in front"]
    said = bare(*blocks)
    said["tool_calls"][0]["function"]["arguments"] = '{"a": 2}'
    assert back(said, kept(*blocks)) == [*blocks[:2], use() | {"input": {"a": 2}}]


def test_thoughts_of_the_client_count_in_a_changed_message():
    """It has brought its own: none are put beside them."""
    blocks = MESSAGES["thought in front"]
    said = bare(*blocks) | {"content": "Else", "thinking_blocks": [thought("other")]}
    assert back(said, kept(*blocks)) == [thought("other"), text("Else"), use()]


def test_reasoning_is_carried_by_what_is_remembered():
    """It is named as dropped only where no thought comes back."""
    blocks = MESSAGES["thought in front"]
    said = bare(*blocks) | {"reasoning_content": "hm"}
    assert back(said, kept(*blocks)) == blocks
    assert request(said, {}).dropped == ["messages[].reasoning_content"]


def test_an_unknown_id_is_an_ordinary_message():
    """Nothing is put around a call that nobody remembers."""
    blocks = MESSAGES["thought in front"]
    assert back(bare(*blocks), {}) == blocks[1:]
    assert back(bare(*blocks), {"toolu_2": kept(*blocks)["toolu_1"]}) == blocks[1:]


def test_white_space_is_left_out():
    """The provider has said it, and refuses to read it."""
    blocks = [thought(), text("\n\n"), use()]
    result = request(bare(*blocks), kept(*blocks))
    assert result.body["messages"][1]["content"] == [thought(), use()]
    assert result.dropped == ["messages[].content (white space)"]
    assert back(bare(thought(), text(""), use()), kept(thought(), text(""), use())) == [
        thought(),
        use(),
    ]


def test_a_mark_for_the_cache_stands_on_the_last_block():
    """That of a text cannot keep its place; a thought may not have one."""
    blocks = [thought(), text("Look"), use()]
    said = bare(*blocks)
    marked = said | {"content": [text("Look", cache_control=MARK)]}
    result = request(marked, kept(*blocks))
    assert result.body["messages"][1]["content"] == [*blocks[:2], use(cache_control=MARK)]
    assert result.changed == ["messages[].content[].cache_control (on the last block)"]
    whole = said | {"cache_control": MARK}
    assert back(whole, kept(*blocks)) == [*blocks[:2], use(cache_control=MARK)]
    late = [use(), thought()]
    assert back(bare(*late) | {"cache_control": MARK}, kept(*late)) == [
        use(cache_control=MARK),
        thought(),
    ]


def test_a_mark_on_white_space_is_not_lost():
    """The mark of a text, or of a message, stands on what is left of it."""
    blocks = [thought(), text("a"), use(), text(" ")]
    marked = bare(*blocks) | {"content": [text("a ", cache_control=MARK)]}
    result = request(marked, kept(*blocks))
    assert result.body["messages"][1]["content"] == [*blocks[:2], use(cache_control=MARK)]
    content = [text("a"), text(" ")]
    body = {"messages": [{"role": "user", "content": content, "cache_control": MARK}]}
    result = CHAT_TO_MESSAGES.request(body, model="claude-x", options=TranslateOptions())
    assert result.body["messages"][0]["content"] == [text("a", cache_control=MARK)]


@pytest.mark.parametrize(
    "native",
    [
        {},
        {"content": None},
        {"content": "x"},
        {"content": [None, 1, {}, {"type": ["text"]}, {"type": "tool_use", "id": 7}]},
        {"content": [{"type": "text", "text": None}, {"type": "tool_use"}]},
    ],
)
def test_nothing_is_kept_of_what_is_no_message(native: dict[str, Any]):
    """Hostile values are nothing to remember."""
    assert CHAT_TO_MESSAGES.kept(native) == {}


def test_blocks_that_cannot_be_read_do_not_come_back():
    """They would break the request that brings the others."""
    broken = [{"type": "text", "text": None}, {"type": "tool_use"}, {"x": 1}]
    assert back(bare(thought(), use()), kept(thought(), *broken, use())) == [thought(), use()]


HOSTILE: list[Any] = [
    *("x", 7, True, {}, [], [1], [None], ["text"], [["text"]], [["text", 1]], [[]]),
    *([["text", -1, {}, 0]], [["text", "1", {}, 0]], [["text", True, {}, 0]], [["call", 1, {}]]),
    *([["text", 0, {}]], [["text", 0, {}, 0, 0]], [["text", 0, None, 0]], [["text", 0, {}, "0"]]),
    *([["call", ["toolu_1"], {}]], [["call", "toolu_1", None]], [["other", 1, {}]]),
    *([{}, ["call", "toolu_1", {}]], [{"type": "text"}, ["call", "toolu_1", {}]]),
    *([{"type": ["x"]}, ["call", "toolu_1", {}]], [{"type": "tool_use"}]),
]


@pytest.mark.parametrize("memory", HOSTILE, ids=repr)
def test_a_memory_that_is_no_skeleton_counts_for_nothing(memory: Any):
    """A damaged file never breaks a request."""
    assert back(bare(use()), {"toolu_1": memory}) == [use()]


CHECK = zlib.crc32(b"ab")
BONE = st.one_of(
    st.tuples(st.just("text"), st.integers(-1, 3), st.just({}), st.sampled_from([0, CHECK])).map(
        list
    ),
    st.tuples(st.just("call"), st.sampled_from(["toolu_1", "b"]), st.just({})).map(list),
    st.dictionaries(
        st.sampled_from(["type", "text", "thinking"]),
        st.sampled_from(["thinking", "text", "tool_use", "x"]) | st.none() | st.integers(),
        max_size=2,
    ),
    st.none() | st.integers() | st.text(max_size=2),
)


@given(st.lists(BONE, max_size=4))
def test_no_memory_breaks_a_request(skeleton: list[Any]):
    """Whatever was kept, text and call of the client go out."""
    said = bare(text("ab"), use())
    options = TranslateOptions(recall={"toolu_1": skeleton}.get)
    body = {"messages": [{"role": "user", "content": "hi"}, said]}
    result = CHAT_TO_MESSAGES.request(body, model="claude-x", options=options)
    blocks = result.body["messages"][1]["content"]
    assert "".join(block["text"] for block in blocks if block["type"] == "text") == "ab"
    assert [block for block in blocks if block["type"] == "tool_use"] == [use()]
