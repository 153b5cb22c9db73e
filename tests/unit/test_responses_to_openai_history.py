"""Items of a Responses request, as messages of a chat completion."""

from __future__ import annotations

from typing import Any

import pytest
from responses_from_chat import ask, function_call, function_result, messages, user

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate.responses_to_openai.thoughts import seal

PNG = "data:image/png;base64,iVBORw0KGgo="


def assistant(text: str) -> dict[str, Any]:
    """Write an answer as the client sends it back."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}


def reasoning(**fields: Any) -> dict[str, Any]:
    """Write a reasoning item as the client sends it back."""
    return {"type": "reasoning", "id": "rs_1", "summary": [], **fields}


def calls(*found: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Write the calls of a chat completion: id, name, arguments."""
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in found
    ]


def test_one_answer_is_one_message() -> None:
    """Thought, text and parallel calls of an answer join; their results follow in order."""
    translated = ask(
        {
            "input": [
                user("Go"),
                reasoning(content=[{"type": "reasoning_text", "text": "Hm."}]),
                assistant("Let me see."),
                function_call("a", "f", '{"x":1}'),
                function_call("b", "g"),
                function_result("a", "one"),
                function_result("b", "two"),
                assistant("Done."),
                user("Thanks"),
            ]
        }
    )
    assert translated.body["messages"] == [
        user("Go"),
        {
            "role": "assistant",
            "content": "Let me see.",
            "reasoning_content": "Hm.",
            "tool_calls": calls(("a", "f", '{"x":1}'), ("b", "g", "{}")),
        },
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": "two"},
        {"role": "assistant", "content": "Done."},
        user("Thanks"),
    ]
    assert (translated.dropped, translated.changed) == ([], [])


def test_what_an_agent_is_told_is_a_users_word() -> None:
    """A client's sub-agent gets its task from another agent, sealed only where OpenAI's models wrote it."""
    parts = [
        {"type": "input_text", "text": "From /main:"},
        {"type": "encrypted_content", "encrypted_content": "Count the words."},
    ]
    told = {"type": "agent_message", "id": "amsg_1", "author": "/main", "recipient": "/main/count"}
    translated = ask({"input": [{**told, "content": parts}, assistant("Four.")]})
    assert translated.body["messages"] == [
        {"role": "user", "content": "From /main:\n\nCount the words."},
        {"role": "assistant", "content": "Four."},
    ]
    assert (translated.dropped, translated.changed) == (
        [],
        ["input[] (agent_message, as a user's)"],
    )


def test_answers_in_a_row_stay_apart_but_text_between_calls_does_not() -> None:
    """Two answers are two messages; text after a call belongs to it, for results must follow calls."""
    said = messages(user("Go"), assistant("One."), assistant("Two."))
    assert [message["content"] for message in said[1:]] == ["One.", "Two."]
    said = messages(
        function_call("a"), assistant("Text."), function_call("b"), function_result("a")
    )
    assert said[0]["content"] == "Text."
    assert [call["id"] for call in said[0]["tool_calls"]] == ["a", "b"]
    assert len(said) == 2
    (said_around,) = messages(assistant("One."), function_call("a"), assistant("Two."))
    assert said_around["content"] == "One.Two."


def test_calls_without_text_have_no_content() -> None:
    """A message of calls alone says null, an empty answer an empty text."""
    assert messages(function_call("a"))[0]["content"] is None
    assert messages(assistant(""))[0]["content"] == ""


def test_a_result_moves_to_its_call() -> None:
    """Providers look for results right after the calls; who sends them later is told so."""
    asked = [
        function_call("a"),
        function_call("b"),
        function_result("b"),
        user("Wait"),
        function_result("a"),
    ]
    translated = ask({"input": asked})
    roles = [(m["role"], m.get("tool_call_id")) for m in translated.body["messages"]]
    assert roles == [("assistant", None), ("tool", "b"), ("tool", "a"), ("user", None)]
    assert translated.changed == ["input[] (results right after their calls)"]


def test_a_result_without_a_call_stays_where_it_is() -> None:
    """What the provider will refuse is its own business."""
    assert messages(user("Go"), function_result("x"))[1]["tool_call_id"] == "x"


def test_results_are_text_and_their_images_follow() -> None:
    """A tool's message can only be text; images come right after the run of results."""
    image = {"type": "input_image", "image_url": PNG, "detail": "high"}
    parts = [{"type": "input_text", "text": "Wall time"}, {"type": "input_text", "text": "Output"}]
    translated = ask(
        {
            "input": [
                function_call("a"),
                function_call("b"),
                function_result("a", [*parts, image]),
                function_result("b", [image]),
                assistant("I see."),
            ]
        }
    )
    seen = {"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}
    assert translated.body["messages"][1:] == [
        {"role": "tool", "tool_call_id": "a", "content": "Wall time\n\nOutput"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {"role": "user", "content": [seen, seen]},
        {"role": "assistant", "content": "I see."},
    ]
    assert translated.changed == ["input[].output (images and files follow as a user's)"]


def test_custom_calls_travel_as_functions() -> None:
    """The text of a custom call is the one argument of a function; its result is like any other."""
    custom = {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": 'a\n"ä"'}
    result = {"type": "custom_tool_call_output", "call_id": "c", "output": "fine"}
    translated = ask({"input": [custom, result]})
    assert translated.body["messages"] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": calls(("c", "patch", '{"input": "a\\n\\"ä\\""}')),
        },
        {"role": "tool", "tool_call_id": "c", "content": "fine"},
    ]
    assert translated.changed == ["input[].input (as arguments of a function)"]


def test_tool_searches_of_the_client_are_calls() -> None:
    """What the client searched and found goes to the model as a call and its result."""
    search = {
        "type": "tool_search_call",
        "call_id": "s",
        "execution": "client",
        "arguments": {"q": 1},
    }
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    found = {"type": "tool_search_output", "call_id": "s", "execution": "client", "tools": [tool]}
    translated = ask({"input": [search, found]})
    call, result = translated.body["messages"]
    assert call["tool_calls"] == calls(("s", "tool_search", '{"q": 1}'))
    assert result["content"] == (
        '[{"type": "function", "name": "f", "parameters": {"type": "object"}}]'
    )
    assert [tool["function"]["name"] for tool in translated.body["tools"]] == ["f"]
    assert "input[].tools (as text)" in translated.changed


def test_what_ran_at_openai_is_left_out() -> None:
    """Calls of hosted tools have no counterpart; they are listed."""
    translated = ask(
        {
            "input": [
                user("Go"),
                {"type": "web_search_call", "id": "ws_1", "status": "completed"},
                {"type": "tool_search_call", "execution": "server", "arguments": {}},
                assistant("Found."),
            ]
        }
    )
    assert [m["role"] for m in translated.body["messages"]] == ["user", "assistant"]
    assert translated.dropped == ["input[] (web_search_call)", "input[] (tool_search_call)"]


@pytest.mark.parametrize(
    ("fields", "thought", "dropped"),
    [
        ({"content": [{"type": "reasoning_text", "text": "raw"}]}, "raw", []),
        ({"summary": [{"type": "summary_text", "text": "short"}]}, "short", []),
        ({"encrypted_content": seal("sealed ä \ud83d")}, "sealed ä \ud83d", []),
        (
            {"encrypted_content": seal("all"), "summary": [{"type": "summary_text", "text": "x"}]},
            "all",
            [],
        ),
        ({"encrypted_content": "gAAAAAB"}, None, ["input[].encrypted_content"]),
        ({"encrypted_content": "dolphin-logger:1:%%%"}, None, []),
        ({"encrypted_content": 5}, None, ["input[].encrypted_content"]),
    ],
)
def test_thoughts_come_back(
    fields: dict[str, Any], thought: str | None, dropped: list[str]
) -> None:
    """A thought is read from its text, else from our own seal, else from its summary."""
    translated = ask({"input": [reasoning(**fields), assistant("Hi"), function_call("a")]})
    assert translated.body["messages"][0].get("reasoning_content") == thought
    assert translated.dropped == dropped


def test_thoughts_that_led_nowhere_are_left_out() -> None:
    """A thought without an answer has no message to stand in; it is listed."""
    thought = reasoning(content=[{"type": "reasoning_text", "text": "Hm."}])
    translated = ask({"input": [thought, user("Stop")]})
    assert translated.body["messages"] == [user("Stop")]
    assert translated.dropped == ["input[] (reasoning)"]


def test_thoughts_without_calls_are_not_read_again() -> None:
    """Servers leave them out of their prompts, or refuse them; they are listed."""
    thought = reasoning(content=[{"type": "reasoning_text", "text": "Hm."}])
    translated = ask({"input": [thought, assistant("Hi"), user("Go")]})
    assert translated.body["messages"] == [{"role": "assistant", "content": "Hi"}, user("Go")]
    assert translated.dropped == ["input[] (reasoning)"]


def test_strict_providers_get_no_thoughts() -> None:
    """Where `reasoning_content` is refused in a history, the option leaves it out."""
    thought = reasoning(content=[{"type": "reasoning_text", "text": "Hm."}])
    items = [thought, assistant("Hi"), function_call("a")]
    translated = ask({"input": items}, drop=frozenset(("reasoning_content",)))
    assert translated.body["messages"] == [
        {"role": "assistant", "content": "Hi", "tool_calls": calls(("a", "f", "{}"))}
    ]
    assert translated.dropped == ["input[] (reasoning)"]


def test_later_system_messages_move_to_the_front_unless_allowed() -> None:
    """Many servers take a system message at the beginning only; the option leaves it in its place."""
    items = [user("Hi"), {"role": "developer", "content": "Now in French."}, user("Go")]
    translated = ask({"instructions": "Be brief.", "input": items})
    assert translated.body["messages"] == [
        {"role": "system", "content": "Be brief.\n\nNow in French."},
        user("Hi"),
        user("Go"),
    ]
    assert translated.changed == ["input[].role (system, from the middle to the front)"]
    in_place = messages(*items, system_in_place=True)
    assert in_place[1] == {"role": "system", "content": "Now in French."}
    assert messages(*items)[0] == {"role": "system", "content": "Now in French."}


def test_parts_of_a_user() -> None:
    """Text, images, files and audio keep their order; what says nothing is not listed."""
    content = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
        {"type": "input_image", "image_url": PNG, "detail": "original", "file_id": None},
        {
            "type": "input_file",
            "file_data": "data:application/pdf;base64,AA==",
            "filename": "a.pdf",
        },
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]
    translated = ask({"input": [{"role": "user", "content": content}]})
    assert translated.body["messages"][0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": PNG}},
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"},
        },
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]
    assert translated.dropped == ["input[].content[].detail"]


def test_refusals_stay_refusals() -> None:
    """What the model refused comes back as a refusal, beside its text."""
    content = [
        {"type": "output_text", "text": "Well."},
        {"type": "output_text", "text": " So."},
        {"type": "refusal", "refusal": "No."},
    ]
    said = messages({"type": "message", "role": "assistant", "content": content})
    assert said == [{"role": "assistant", "content": "Well. So.", "refusal": "No."}]


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ("text", "input[0]"),
        ({"type": "item_reference", "id": "msg_1"}, "input[0]"),
        ({"id": "msg_1"}, "input[0]"),
        ({"type": "compaction", "encrypted_content": "x"}, "input[0]"),
        ({"type": "local_shell_call", "call_id": "a"}, "input[0]"),
        ({"role": "tool", "content": "x"}, "input[0].role"),
        ({"role": "user", "content": 5}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_video"}]}, "input[0].content[0]"),
        ({"role": "user", "content": ["x"]}, "input[0].content[0]"),
        (
            {"role": "user", "content": [{"type": "input_image", "file_id": "f"}]},
            "input[0].content[0].file_id",
        ),
        (
            {"role": "user", "content": [{"type": "input_file", "file_url": "https://x"}]},
            "input[0].content[0].file_url",
        ),
        (
            {"role": "system", "content": [{"type": "input_image", "image_url": PNG}]},
            "input[0].content",
        ),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, "input[0].call_id"),
        ({"type": "function_call", "call_id": "a", "arguments": "{}"}, "input[0].name"),
        ({"type": "function_call_output", "output": "x"}, "input[0].call_id"),
        ({"type": "custom_tool_call", "call_id": "a", "name": "p"}, "input[0].input"),
    ],
)
def test_what_cannot_be_understood_is_refused(item: Any, param: str) -> None:
    """An item that would leave a hole in the conversation is refused, with its place."""
    with pytest.raises(RequestError) as caught:
        messages(item)
    assert (caught.value.status, caught.value.param) == (400, param)


def test_other_fields_of_items_are_named() -> None:
    """What an item says besides is listed; ids and states say nothing."""
    item = {**assistant("Hi"), "phase": "final_answer", "status": "completed"}
    assert ask({"input": [item]}).dropped == ["input[].phase"]
