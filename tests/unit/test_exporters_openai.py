"""OpenAI's files: its own rules for chats, tools, pictures and preferences."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.pieces import (
    DATA_URL,
    EXAMPLES,
    PAIRS,
    THOUGHT,
    TOOL,
    chats,
    example,
    pair,
)

from dolphin_logger.example import Piece
from dolphin_logger.exporters import EXPORTERS, Options, Row, UnfitError, prepare
from dolphin_logger.messages import Image, Text, ToolCall, ToolResult

EMBEDDED = Options(images="embedded")


def row_of(piece: Piece, options: Options = EMBEDDED, *, name: str = "openai") -> Row:
    """Write the one row of a piece."""
    (row,) = EXPORTERS[name].rows(prepare(piece, options)[0], options)
    return row


def reason_of(piece: Piece, options: Options = EMBEDDED, *, name: str = "openai") -> str:
    """Write a piece that has no place, and give the reason."""
    with pytest.raises(UnfitError) as caught:
        row_of(piece, options, name=name)
    return str(caught.value)


def faults_of(row: Row) -> list[str]:
    """Check a row by the rules of OpenAI's cookbook, and by those that tools and pictures added to them."""
    faults = []
    known = {"role", "content", "name", "weight"}
    of_role = {
        "assistant": {"tool_calls"},
        "tool": {"tool_call_id"},
        "system": set(),
        "user": set(),
    }
    if not isinstance(row.get("messages"), list) or not row["messages"]:
        return ["missing_messages_list"]
    for message in row["messages"]:
        role, content = message.get("role"), message.get("content")
        if role not in of_role:
            faults.append("unrecognized_role")
            continue
        if message.keys() - known - of_role[role]:
            faults.append("message_unrecognized_key")
        if not isinstance(content, str) and not (role == "user" and isinstance(content, list)):
            faults.append("missing_content")
        if role == "assistant" and not content and not message.get("tool_calls"):
            faults.append("missing_content")
        calls = message.get("tool_calls", ())
        if not all(isinstance(call["function"]["arguments"], str) for call in calls):
            faults.append("arguments_no_string")
    if row["messages"][-1]["role"] != "assistant":
        faults.append("example_missing_assistant_message")
    if row.keys() - {"messages", "tools", "parallel_tool_calls"} or row.get("tools") == []:
        faults.append("row_unrecognized_key")
    return faults


@pytest.mark.parametrize("odd", EXAMPLES)
def test_every_row_keeps_the_rules(odd: str) -> None:
    """Whatever the conversation, a row that is written passes the cookbook's check and the vendor's types."""
    from openai.types.chat import ChatCompletionMessageParam
    from pydantic import TypeAdapter

    try:
        row = row_of(EXAMPLES[odd])
    except UnfitError:
        return
    assert faults_of(row) == []
    for message in row["messages"]:
        TypeAdapter(ChatCompletionMessageParam).validate_python(message)


def test_the_rules_are_able_to_fail() -> None:
    """The check of this file finds what the form forbids."""
    call = {"function": {"arguments": {}}}
    bad = {"messages": [{"role": "critic"}, {"role": "tool", "content": None, "x": 1}], "tools": []}
    assert len(faults_of(bad)) == 5
    assert "arguments_no_string" in faults_of(
        {"messages": [{"role": "assistant", "content": "", "tool_calls": [call]}]}
    )


def test_arguments_are_a_text_and_thoughts_are_gone() -> None:
    """A call's arguments are the JSON text of the same object; no row has a thought."""
    row = row_of(EXAMPLES["an agent"])
    first, second = row["messages"][2]["tool_calls"]
    given = EXAMPLES["an agent"].messages[2]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(first["function"]["arguments"]) == given
    assert second["function"]["arguments"] == "{}"
    assert THOUGHT not in json.dumps(row)
    assert row["tools"] == [TOOL]
    assert row.keys() == {"messages", "tools"}


def test_weights_stand_only_where_they_are_asked_for() -> None:
    """`weighted` trains on the last answer alone; otherwise no message has a weight."""
    piece = EXAMPLES["an agent"]
    weighted = row_of(piece, Options(flavour="weighted"))["messages"]
    assert [chat.get("weight") for chat in weighted] == [None, None, 0, None, None, None, 1]
    assert not any("weight" in chat for chat in row_of(piece)["messages"])
    assert faults_of({"messages": weighted}) == []


def test_calls_without_ids_are_numbered() -> None:
    """Where a language has no ids, calls get numbers and results those of their calls, in order."""
    messages = row_of(EXAMPLES["calls without ids"])["messages"]
    assert [call["id"] for call in messages[1]["tool_calls"]] == ["call_1", "call_2"]
    assert [chat["tool_call_id"] for chat in messages[2:4]] == ["call_1", "call_2"]
    assert "name" not in messages[2]


def test_pictures_are_addresses_that_openai_loads() -> None:
    """A user's picture is an `image_url` part, embedded or on the web; one that is a file has no place."""
    content = row_of(EXAMPLES["pictures"])["messages"][0]["content"]
    assert content[1] == {"type": "image_url", "image_url": {"url": DATA_URL}}
    assert content[2]["image_url"]["url"] == "https://x.test/a.png"
    assert "embedded" in reason_of(EXAMPLES["pictures"], Options())


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("a picture that a tool gave", "not the user's"),
        ("a picture that the model made", "not the user's"),
        ("eleven pictures", "more than 10 pictures"),
        ("a picture that is no picture", None),
        ("a tool without a name", "name OpenAI does not allow"),
        ("a tool with a strange name", "name OpenAI does not allow"),
        ("many tools", "more than 128 tools"),
        ("a result without its call", "a result without its call"),
        ("a call without its result", "a call without its result"),
        ("ends with a result", "ends with a result"),
        ("a question alone", "no answer"),
        ("empty words", "empty answer"),
        ("a role of its own", "role that trainers do not know: 'critic'"),
    ],
)
def test_what_openai_refuses_has_a_reason(odd: str, reason: str | None) -> None:
    """Each of its rules is a reason of its own; ten pictures and 128 tools are allowed."""
    if reason is None:
        assert row_of(EXAMPLES[odd])
    else:
        assert reason in reason_of(EXAMPLES[odd])


def test_arguments_keep_the_letters_of_every_language() -> None:
    """A model writes letters, not escapes, so that is what it is trained on."""
    piece = example(("user", [Text("x")]), ("assistant", [ToolCall("run", {"ü": "日本"}, "1")]))
    (call,) = row_of(piece)["messages"][1]["tool_calls"]
    assert call["function"]["arguments"] == '{"ü": "日本"}'


def test_a_gif_is_no_picture_for_openai() -> None:
    """Only PNG, JPEG and WebP may be embedded."""
    gif = example(("user", [Image(data="R0lGODlhAQABAAAAACw=")]), ("assistant", [Text("x")]))
    assert "cannot load" in reason_of(gif)


def test_the_last_rules_are_counted_exactly() -> None:
    """Ten pictures and 128 tools still have a place."""
    ten = example(
        ("user", [Image(url=f"https://x.test/{n}") for n in range(10)]),
        ("assistant", [Text("x")]),
        tools=[TOOL] * 128,
    )
    assert len(row_of(ten)["tools"]) == 128


def test_an_empty_answer_in_the_middle_is_refused() -> None:
    """OpenAI demands words or calls of every message of the assistant."""
    said: list[Any] = [("user", [Text("a")]), ("assistant", []), ("user", [Text("b")])]
    assert reason_of(example(*said, ("assistant", [Text("x")]))) == "has an empty answer"


def test_a_pair_has_one_message_on_each_side() -> None:
    """The prompt is the input, each answer a list of one message, tools only where there are some."""
    row = row_of(PAIRS["an agent"], name="openai-dpo")
    assert list(row) == ["input", "preferred_output", "non_preferred_output"]
    assert row["input"]["tools"] == [TOOL]
    assert row["preferred_output"] == [{"role": "assistant", "content": "There is a.txt."}]
    assert row["non_preferred_output"] == [{"role": "assistant", "content": "Because."}]
    assert faults_of({"messages": row["input"]["messages"] + row["preferred_output"]}) == []
    assert "tools" not in row_of(PAIRS["plain"], name="openai-dpo")["input"]


def test_pairs_that_openai_cannot_compare_have_a_reason() -> None:
    """Answers that differ in thoughts alone are the same to it; an answer of several messages has no place."""
    same = reason_of(PAIRS["only the thoughts differ"], name="openai-dpo")
    assert same == "has two answers that are the same"
    long = chats(
        ("assistant", [ToolCall("s", {}, "1"), ToolResult("1", ()), Text("So.")]),
    )
    prompt = chats(("user", [Text("Hi")]))
    piece = pair(prompt, long, chats(("assistant", [Text("No.")])))
    assert "more than one message" in reason_of(piece, name="openai-dpo")
