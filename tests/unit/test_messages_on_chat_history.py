"""Histories of messages for chat completions: blocks, results of tools, thoughts, system prompts."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages_on_chat import (
    CALL,
    HELLO,
    MESSAGES_ON_CHAT,
    RESULT,
    USE,
    messages_of,
    refused,
    translated,
)

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import TranslateOptions

PIXEL = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
IMAGE = {"type": "image", "source": PIXEL}
IMAGE_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": ""}


def text(words: str, **keys: Any) -> dict[str, Any]:
    """Write a block of text."""
    return {"type": "text", "text": words, **keys}


def user(*blocks: Any) -> dict[str, Any]:
    """Write what the user says."""
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    """Write what the model said."""
    return {"role": "assistant", "content": list(blocks)}


def parts_of(*blocks: Any) -> Any:
    """Translate what the user says, losing nothing."""
    (message,) = messages_of(user(*blocks))
    return message["content"]


def said_of(*blocks: Any, **keys: Any) -> tuple[dict[str, Any], list[str], list[str]]:
    """Translate what the model said; give its message and what was lost."""
    result = translated(HELLO, assistant(*blocks), **keys)
    return result.body["messages"][1], result.dropped, result.changed


# --- system prompts


def test_system_prompts_are_one():
    """A string, or blocks joined by an empty line; nothing is sent for none."""
    assert messages_of(system="be brief") == [{"role": "system", "content": "be brief"}, HELLO]
    joined = messages_of(system=[text("a"), text(""), text("b")])
    assert joined == [{"role": "system", "content": "a\n\nb"}, HELLO]
    assert messages_of(system=[]) == messages_of(system="") == [HELLO]


def test_leading_system_message_belongs_to_the_prompt():
    """It stands where it stood."""
    first = {"role": "system", "content": [text("b")]}
    assert messages_of(first, HELLO, system="a")[0] == {"role": "system", "content": "a\n\nb"}


def test_later_system_message():
    """To the front, because many models' templates refuse it later; in its place by option."""
    later = {"role": "system", "content": "b"}
    result = translated(HELLO, later, HELLO, system="a")
    assert result.body["messages"] == [{"role": "system", "content": "a\n\nb"}, HELLO, HELLO]
    assert result.changed == ["messages[].role (system, from the middle to the front)"]
    assert messages_of(HELLO, later, options=TranslateOptions(system_in_place=True)) == [
        HELLO,
        later,
    ]


def test_note_to_anthropics_billing():
    """Its line alone is left out: it differs in each request, and is not for the model."""
    note = "x-anthropic-billing-header: cc_version=2.1.197; cch=eb6c6;"
    for system in (f"{note}\nbe brief", [text(note), text("be brief")]):
        result = translated(system=system)
        assert result.body["messages"][0] == {"role": "system", "content": "be brief"}
        assert result.dropped == ["system[] (x-anthropic-billing-header)"]


# --- the user


def test_text_is_one_string():
    """There are servers that read nothing else; empty text says nothing."""
    assert messages_of({"role": "user", "content": ""}) == [{"role": "user", "content": ""}]
    assert parts_of(text("a"), text(""), text("b")) == "a\n\nb"
    assert parts_of() == ""


def test_images():
    """Content and URLs go out as URLs, in their place among the text; nothing is fetched."""
    url = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert parts_of(text("a"), IMAGE, text(""), url, text("b")) == [
        text("a"),
        IMAGE_PART,
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        text("b"),
    ]


def test_documents():
    """A file keeps its name, text is text, and content stands for itself."""
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    plain = {"type": "text", "media_type": "text/plain", "data": "words"}
    assert parts_of(
        {"type": "document", "source": pdf, "title": "a.pdf", "citations": {"enabled": False}},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/b.pdf"}},
        {"type": "document", "source": plain},
        {"type": "document", "source": {"type": "content", "content": [text("x"), IMAGE]}},
        {"type": "document", "source": {"type": "content", "content": "y"}},
    ) == [
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
        },
        {
            "type": "file",
            "file": {"filename": "document.pdf", "file_data": "https://example.com/b.pdf"},
        },
        text("words"),
        text("x"),
        IMAGE_PART,
        text("y"),
    ]


def test_what_stands_beside_a_block_is_listed():
    """Marks for a cache, citations, titles of what is text here."""
    source = {"type": "text", "media_type": "text/plain", "data": "words"}
    document = {"type": "document", "source": source, "title": "t", "citations": {"enabled": True}}
    found = {"type": "search_result", "source": "s", "title": "t", "content": [text("c")]}
    result = translated(user(text("a", cache_control={}), text("b", cache_control={"ttl": "5m"})))
    assert result.dropped == ["messages[].content[].cache_control"]
    result = translated(user(document, found))
    assert result.body["messages"][0]["content"] == "words\n\nc"
    assert result.dropped == [
        "messages[].content[].citations",
        "messages[].content[].title",
        "messages[].content[].source",
    ]


# --- results of tools


def test_results_follow_their_calls():
    """Each is a message of its own, in order, before what the user says."""
    second = {**USE, "id": "call_2", "input": {}}
    history = messages_of(
        HELLO,
        assistant(text("a"), USE, second),
        user(
            RESULT,
            {**RESULT, "tool_use_id": "call_2", "content": [text("x"), text("y")]},
            text("b"),
        ),
    )
    empty = {**CALL, "id": "call_2", "function": {"name": "f", "arguments": "{}"}}
    assert history[1:] == [
        {"role": "assistant", "content": "a", "tool_calls": [CALL, empty]},
        {"role": "tool", "tool_call_id": "call_1", "content": "4"},
        {"role": "tool", "tool_call_id": "call_2", "content": "x\n\ny"},
        {"role": "user", "content": "b"},
    ]


@pytest.mark.parametrize(
    "after",
    [
        [user(text("b"), RESULT)],
        [user(text("b")), user(RESULT)],
        [user(text("b")), {"role": "system", "content": "s"}, user(RESULT)],
    ],
)
def test_results_move_before_text(after):
    """The provider looks for them right after the calls."""
    options = TranslateOptions(system_in_place=True)
    result = translated(HELLO, assistant(USE), *after, options=options)
    assert [message["role"] for message in result.body["messages"][:4]] == [
        *("user", "assistant", "tool", "user"),
    ]
    assert result.changed == ["messages[].content[] (results before text)"]


def test_result_without_content_is_empty():
    """A tool may have nothing to say."""
    for content in (None, "", []):
        result = {"type": "tool_result", "tool_use_id": "call_1", "content": content}
        assert messages_of(HELLO, assistant(USE), user(result))[-1]["content"] == ""


def test_error_of_a_tool():
    """Its text stays as it is; that it is an error, only the text can tell."""
    result = translated(HELLO, assistant(USE), user({**RESULT, "is_error": True}))
    assert result.body["messages"][-1]["content"] == "4"
    assert result.changed == ["messages[].content[].is_error (the text alone tells)"]
    assert messages_of(HELLO, assistant(USE), user({**RESULT, "is_error": False}))


def test_images_of_results_are_the_users():
    """A tool can only speak; what it shows comes after all results, before the user's own words."""
    shown = {**RESULT, "content": [text("see"), IMAGE]}
    other = {**RESULT, "tool_use_id": "call_2"}
    result = translated(
        HELLO, assistant(USE, {**USE, "id": "call_2"}), user(shown, other, text("b"))
    )
    assert result.body["messages"][2:] == [
        {"role": "tool", "tool_call_id": "call_1", "content": "see"},
        {"role": "tool", "tool_call_id": "call_2", "content": "4"},
        {"role": "user", "content": [IMAGE_PART, text("b")]},
    ]
    assert result.changed == ["messages[].content[].content[] (files of results as the user's)"]


def test_found_tools_are_named():
    """A search for tools answers with references; the tools were sent at once."""
    found = [{"type": "tool_reference", "tool_name": name} for name in ("f", "g")]
    result = translated(HELLO, assistant(USE), user({**RESULT, "content": found}))
    assert result.body["messages"][-1]["content"] == "f\n\ng"
    assert result.changed == ["messages[].content[].content[] (tool_reference as text)"]


# --- the model


def test_text_of_the_model_is_joined():
    """Its pieces were one text; a message without any is empty, and a prefill passes."""
    assert said_of(text("a"), text("b"))[0] == {"role": "assistant", "content": "ab"}
    assert said_of() == ({"role": "assistant", "content": ""}, [], [])
    assert said_of(USE)[0] == {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert messages_of(HELLO, {"role": "assistant", "content": "{"})[1]["content"] == "{"


def test_text_after_calls_moves_before_them():
    """A chat completion has its text before its calls."""
    message, _, changed = said_of(text("a"), USE, text("b"))
    assert (message["content"], changed) == ("ab", ["messages[].content[] (text before calls)"])


def test_arguments_of_calls():
    """Written as the model writes them; what was no JSON is a string already."""
    for input_, arguments in (({"ä": "\u2028"}, '{"ä": "\u2028"}'), (None, "{}"), ('{"a', '{"a')):
        message = said_of({**USE, "input": input_, "caller": {"type": "direct"}})[0]
        assert message["tool_calls"][0]["function"]["arguments"] == arguments


def test_thoughts_beside_calls():
    """Models that think between calls want them back; a seal of Anthropic's means nothing to them."""
    message, dropped, _ = said_of(THOUGHT, {**THOUGHT, "thinking": "!"}, USE)
    assert (message["reasoning_content"], dropped) == ("hm!", [])
    message, dropped, _ = said_of({**THOUGHT, "signature": "c2ln"}, USE)
    assert message["reasoning_content"] == "hm"
    assert dropped == ["messages[].content[].signature"]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5", "o3", "openai/gpt-5.6"])
def test_openai_takes_no_thoughts(model):
    """It gives none in this language, so these are another model's."""
    message, dropped, _ = said_of(THOUGHT, USE, model=model)
    assert message == {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert dropped == ["messages[].content[] (thinking)"]


def test_thoughts_that_a_server_refuses():
    """Strict servers refuse the key: the model's `drop` option names it."""
    options = TranslateOptions(drop=frozenset(("reasoning_content",)))
    message, dropped, _ = said_of(THOUGHT, USE, options=options)
    assert message == {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert dropped == ["messages[].content[] (thinking)"]


def test_other_thoughts_are_dropped_and_listed():
    """Thoughts without calls are not read again, and sealed ones nobody can read."""
    message, dropped, _ = said_of(THOUGHT, text("a"))
    assert message == {"role": "assistant", "content": "a"}
    assert dropped == ["messages[].content[] (thinking)"]
    redacted = {"type": "redacted_thinking", "data": "eA=="}
    assert said_of(redacted, USE)[1] == ["messages[].content[] (redacted_thinking)"]


def test_what_anthropic_did_is_dropped_and_listed():
    """Its tools and their results are its own; the text between them stays."""
    message, dropped, _ = said_of(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        text("a", citations=[{"type": "web_search_result_location"}]),
    )
    assert message == {"role": "assistant", "content": "a"}
    assert dropped == [
        "messages[].content[] (server_tool_use)",
        "messages[].content[] (web_search_tool_result)",
        "messages[].content[].citations",
    ]


# --- what was kept beside calls


def recalled(kept: Any, *blocks: Any) -> dict[str, Any]:
    """Translate what the model said, with what was kept of its first call."""
    options = TranslateOptions(recall={"call_1": kept}.get)
    message, _, changed = said_of(*blocks, options=options)
    assert changed == []
    return message


def test_seals_go_back_on_their_calls():
    """Google refuses a history whose calls have lost theirs."""
    kept = {"call": {"extra_content": {"google": {"thought_signature": "c2ln"}}}}
    message = recalled(kept, USE, {**USE, "id": "call_2"})
    assert message["tool_calls"] == [{**CALL, **kept["call"]}, {**CALL, "id": "call_2"}]


def test_sealed_thoughts_go_back_in_place_of_plain_ones():
    """The same thought twice would be read twice."""
    details = [{"type": "reasoning.encrypted", "data": "eA==", "index": 0}]
    message = recalled({"message": {"reasoning_details": details}}, THOUGHT, USE)
    assert message["reasoning_details"] == details
    assert "reasoning_content" not in message


def test_thoughts_go_back_under_the_providers_name():
    """Servers refuse each other's name for it; one wants its own even where there was no thought."""
    kept = {"thought": {"reasoning": "so"}}
    message = recalled(kept, THOUGHT, USE)
    assert (message["reasoning"], "reasoning_content" in message) == ("hm", False)
    assert recalled(kept, USE)["reasoning"] == "so", "a client may send calls without thoughts"
    assert recalled({"thought": {"reasoning_content": ""}}, USE)["reasoning_content"] == ""


@pytest.mark.parametrize("kept", [[["call", "call_1"]], "x", 7, {}, {"call": 1, "message": []}])
def test_what_another_language_kept_is_left_alone(kept):
    """Calls of another provider's have other seals."""
    plain = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert recalled(kept, USE) == plain


# --- faults


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("hi", "messages[1]"),
        ({"role": "tool", "content": "x"}, "messages[1]"),
        ({"role": "user"}, "messages[1].content"),
        ({"role": "assistant", "content": None}, "messages[1].content"),
        (user("hi"), "messages[1].content[0]"),
        (user({"type": "text"}), "messages[1].content[0].text"),
        (user({"type": "audio"}), "messages[1].content[0]"),
        (user({"type": ["text"]}), "messages[1].content[0]"),
        (user({"type": "image"}), "messages[1].content[0].source"),
        (
            user({"type": "image", "source": {"type": "file", "file_id": "f"}}),
            "messages[1].content[0].source",
        ),
        (user({"type": "document", "source": {"type": "file"}}), "messages[1].content[0].source"),
        (user({"type": "container_upload", "file_id": "f"}), "messages[1].content[0]"),
        (user({"type": "tool_result"}), "messages[1].content[0].tool_use_id"),
        (user({**RESULT, "content": [{"type": "x"}]}), "messages[1].content[0].content[0]"),
        (assistant({"type": "tool_use", "id": "c"}), "messages[1].content[0]"),
        ({"role": "system", "content": [IMAGE]}, "messages[1].content[0]"),
    ],
)
def test_refused(message, param):
    """What cannot be read, or is a file at Anthropic, names its place."""
    assert refused(HELLO, message).param == param


def test_system_that_is_no_text_is_refused():
    """A prompt is text in both languages."""
    assert refused(system=[IMAGE]).param == "system[0]"
    assert refused(system=7).param == "system"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "role", "content", "text", "source", "id", "name", "input")),
            inner
            | st.sampled_from(("text", "user", "assistant", "tool_use", "tool_result", "image")),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON), JSON, JSON)
def test_any_history_is_translated_or_refused(messages, system, tools):
    """Nothing that a client sends makes the translation fail in another way."""
    body = {"messages": messages, "system": system, "tools": tools}
    with contextlib.suppress(RequestError):
        json.dumps(MESSAGES_ON_CHAT.request(body, model="m", options=TranslateOptions()).body)
