"""The chat form: what a trainer sees of what was said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.example import Chat, chats_of, tool_of, unsealed
from dolphin_logger.messages import (
    File,
    Image,
    Message,
    Other,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

PNG = "iVBORw0KGgoAAAA="


def said(role: str, *parts: Part, name: str | None = None) -> list[Chat]:
    """Write one message."""
    return chats_of([Message(role, parts, name)])


def content(role: str, *parts: Part) -> Any:
    """Write one message and give its content."""
    (chat,) = said(role, *parts)
    return chat["content"]


def test_plain_words_stay_a_string() -> None:
    """A message of one text is a role and a string."""
    assert said("user", Text("hi")) == [{"role": "user", "content": "hi"}]


def test_texts_of_an_answer_are_one_text() -> None:
    """An answer in pieces (citations cut it) is joined without a seam; put-together messages by lines."""
    assert content("assistant", Text("It is "), Text("blue.")) == "It is blue."
    assert content("user", Text("<note/>"), Text("Why?")) == "<note/>\nWhy?"
    assert content("system", Text("Be kind."), Text("Be short.")) == "Be kind.\n\nBe short."


def test_texts_with_a_thought_between_are_paragraphs() -> None:
    """What was said before and after a thought does not run together; the thoughts are one string."""
    (chat,) = said(
        "assistant", Reasoning("one"), Text("First."), Reasoning("two", "seal"), Text("Then.")
    )
    assert chat["content"] == "First.\n\nThen."
    assert chat["reasoning_content"] == "one\n\ntwo"


def test_a_sealed_thought_leaves_nothing() -> None:
    """A thought of which there is only the seal is not there, nor is any seal."""
    chats = said("assistant", Reasoning("", "c2VhbA"), Reasoning("open", "c2VhbA"), Text("Hi"))
    assert chats == [{"role": "assistant", "content": "Hi", "reasoning_content": "open"}]


def test_pictures_make_a_list_of_parts_in_order() -> None:
    """Where there is a picture, content is a list: texts and pictures as they were, empty texts not."""
    assert content("user", Text("a"), Image(url="https://x.test/a.png"), Text(""), Text("b")) == [
        {"type": "text", "text": "a"},
        {"type": "image", "image": "https://x.test/a.png"},
        {"type": "text", "text": "b"},
    ]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image(data=PNG), f"data:image/png;base64,{PNG}"),
        (Image(data="/9j/AA=="), "data:image/jpeg;base64,/9j/AA=="),
        (Image(data="R0lGODlh", media_type="image/x"), "data:image/x;base64,R0lGODlh"),
        (Image(url="data:image/png;base64,AA=="), "data:image/png;base64,AA=="),
    ],
)
def test_a_picture_that_is_data_says_what_it_is(image: Image, expected: str) -> None:
    """Base64 becomes a data: address of the type that was said, else of the one that its bytes show."""
    assert content("user", image) == [{"type": "image", "image": expected}]


def test_what_has_no_form_is_named() -> None:
    """A picture that only the provider has, files and unknown parts leave a word in brackets."""
    assert content("user", Image(rest={"file_id": "f"})) == "[image]"
    assert content("user", File(name="plan.pdf", data="JVBERi0=")) == "[file plan.pdf]"
    assert content("user", File(data="AAAA", media_type="audio/wav")) == "[file audio/wav]"
    assert content("user", File()) == "[file]"
    assert content("user", File(text="all of it", name="a.txt")) == "all of it"
    assert content("assistant", Other("web_thing", {"secret": 1})) == "[web_thing]"
    assert content("user", Other("", 7)) == "[unknown]"


def test_a_refusal_is_what_was_said() -> None:
    """The words with which a model refuses are its content."""
    assert content("assistant", Refusal("I cannot.")) == "I cannot."


def test_calls_stand_beside_content_that_is_an_empty_string() -> None:
    """Content is never null or missing; arguments are an object."""
    assert said("assistant", ToolCall("run", {"a": 1}, "c1")) == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"type": "function", "id": "c1", "function": {"name": "run", "arguments": {"a": 1}}}
            ],
        }
    ]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (ToolCall("patch", "*** Begin", "1", kind="custom"), {"input": "*** Begin"}),
        (ToolCall("patch", "", "1", kind="custom"), {"input": ""}),
        (ToolCall("now", "", "1"), {}),
        (ToolCall("run", '{"a": ', "1"), {"input": '{"a": '}),
    ],
)
def test_arguments_are_an_object_whatever_the_model_wrote(
    call: ToolCall, arguments: dict[str, Any]
) -> None:
    """A custom tool's text, and a text that is no JSON, become `input`; no arguments are an empty object."""
    (chat,) = said("assistant", call)
    assert chat["tool_calls"][0]["function"]["arguments"] == arguments


def test_results_come_before_the_words_of_the_same_message() -> None:
    """A user's message that holds results and text becomes the results, then the text, wherever it stood."""
    chats = said(
        "user",
        Text("go on"),
        ToolResult("a", (Text("1"),)),
        ToolResult("b", (Text("2"), Text("3")), name="run"),
        Text("please"),
    )
    assert chats == [
        {"role": "tool", "content": "1", "tool_call_id": "a"},
        {"role": "tool", "content": "2\n3", "tool_call_id": "b", "name": "run"},
        {"role": "user", "content": "go on\nplease"},
    ]


def test_what_a_provider_ran_itself_stands_in_the_middle_of_the_answer() -> None:
    """An answer with a call and its result is cut behind the call: call, result, words."""
    chats = said(
        "assistant",
        Reasoning("look it up"),
        Text("Let me see."),
        ToolCall("web_search", {"query": "x"}, "s1", kind="server"),
        ToolResult("s1", (Other("web_search_result", {"type": "web_search_result", "url": "u"}),)),
        Reasoning("", "seal"),
        ToolResult("s2", (Text("late"),)),
        Text("Found."),
    )
    assert [chat["role"] for chat in chats] == ["assistant", "tool", "tool", "assistant"]
    assert chats[0]["reasoning_content"] == "look it up"
    assert chats[0]["tool_calls"][0]["id"] == chats[1]["tool_call_id"] == "s1"
    assert json.loads(chats[1]["content"])["url"] == "u"
    assert chats[3] == {"role": "assistant", "content": "Found."}


def test_a_result_may_hold_pictures() -> None:
    """A screenshot that a tool gave is a part of its message."""
    (chat,) = said("user", ToolResult("1", (Text("shot"), Image(data=PNG, media_type="image/png"))))
    assert chat["content"][1] == {"type": "image", "image": f"data:image/png;base64,{PNG}"}


def test_a_result_that_is_an_object_is_its_json() -> None:
    """What a tool gave as an object (Google's languages) is written as JSON, as it is."""
    assert content(
        "tool", ToolResult(None, (Other("response", {"o": "ü", "signature": "f()"}),))
    ) == ('{"o": "ü", "signature": "f()"}')


def test_the_seals_of_search_results_are_gone() -> None:
    """A search result that only its provider can read on loses the encrypted part."""
    found = {"type": "web_search_result", "url": "u", "encrypted_content": "Rm9v"}
    assert json.loads(content("tool", ToolResult("1", (Other("web_search_result", found),)))) == {
        "type": "web_search_result",
        "url": "u",
    }


def test_what_a_search_for_tools_found_is_its_result() -> None:
    """Codex says beside the result which tools were found: nothing else defines them."""
    found = [{"type": "function", "name": "spawn_agent"}]
    assert json.loads(content("tool", ToolResult("1", (), rest={"tools": found}))) == found
    told = ToolResult("1", (Text("none"),), rest={"tools": found})
    assert content("tool", told) == "none"


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_note_to_the_providers_billing_is_no_instruction(role: str) -> None:
    """What Claude Code puts in front for Anthropic's billing is left out, and alone it is no message."""
    note = Text("x-anthropic-billing-header: cc_version=2.1.197; cch=eb6c6;")
    assert content(role, note, Text("Be brief.")) == "Be brief."
    assert said(role, note) == []
    assert content("user", note) == note.text


def test_a_seal_in_the_id_of_a_call_is_cut_off() -> None:
    """A gateway that carries Google's seal in an id leaves the same short id on call and result."""
    (call,) = said("assistant", ToolCall("run", {}, "call_1__thought__AbCd"))
    (result,) = said("tool", ToolResult("call_1__thought__AbCd", ()))
    assert call["tool_calls"][0]["id"] == result["tool_call_id"] == "call_1"


def test_instructions_that_follow_each_other_are_one() -> None:
    """System and developer messages side by side become one system message; a later one stays its own."""
    chats = chats_of(
        [
            Message("system", (Text("A"),)),
            Message("developer", (Text("B"),)),
            Message("system", ()),
            Message("user", (Text("hi"),)),
            Message("developer", (Text("C"),)),
        ]
    )
    assert chats == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "C"},
    ]


def test_instructions_with_a_picture_are_joined_as_parts() -> None:
    """Where one of two instructions holds a picture, both become parts of one list."""
    (chat,) = chats_of(
        [Message("system", (Text("A"),)), Message("system", (Image(url="https://x.test/i"),))]
    )
    assert [part["type"] for part in chat["content"]] == ["text", "image"]


def test_nobody_says_nothing() -> None:
    """An item of a vendor's own without a role is no message; an empty message of somebody is one."""
    assert said("", Other("item_reference", {"id": "x"})) == []
    assert said("assistant") == [{"role": "assistant", "content": ""}]
    assert said("assistant", Reasoning("", "s")) == [{"role": "assistant", "content": ""}]
    assert said("", Text("hi")) == [{"role": "user", "content": "hi"}]
    assert said("critic", Text("no"))[0]["role"] == "critic"


def test_an_empty_answer_in_front_of_another_is_none() -> None:
    """Clients that send words and calls apart send empty words too; two answers that speak stay two."""
    spoken = Message("assistant", (Text("a"),))
    empty, called = Message("assistant", ()), Message("assistant", (ToolCall("run", {}, "1"),))
    assert len(chats_of([spoken, empty, called])) == 2
    assert chats_of([spoken, empty])[1] == {"role": "assistant", "content": ""}
    assert chats_of([empty, called]) == chats_of([called])


def test_a_speaker_keeps_the_name() -> None:
    """Who speaks is told where the client told it."""
    assert said("user", Text("hi"), name="ann")[0]["name"] == "ann"


def test_a_custom_tool_is_defined_as_its_calls_are_written() -> None:
    """A tool that takes a text by design has one parameter, `input`; others keep their schema or none."""
    custom = tool_of(ToolDefinition("patch", "Edits.", rest={"type": "custom"}))
    assert custom["function"]["parameters"]["required"] == ["input"]
    assert tool_of(ToolDefinition("f", schema={"type": "object"}))["function"] == {
        "name": "f",
        "parameters": {"type": "object"},
    }
    assert tool_of(ToolDefinition("web_search")) == {
        "type": "function",
        "function": {"name": "web_search"},
    }


def test_recorded_bodies_lose_their_seals_and_nothing_else() -> None:
    """Every vendor's seal goes, of thoughts, calls and ids; what a tool takes under the same names stays."""
    tool_input = {"signature": "f(x)", "encrypted_content": "mine", "thoughtSignature": "mine"}
    recorded = {
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "SEAL"},
            {"type": "redacted_thinking", "data": "SEAL"},
            {"type": "tool_use", "id": "1", "name": "run", "input": tool_input},
            {"functionCall": {"name": "f", "args": tool_input}, "thoughtSignature": "SEAL"},
            {"type": "reasoning", "encrypted_content": "SEAL", "summary": []},
            {"type": "thinking", "thinking": "hm", "thinkingSignature": "SEAL"},
            {"type": "text", "text": "a", "textSignature": "SEAL"},
            {"type": "reasoning", "metadata": {"anthropic": {"signature": "SEAL"}}},
            {"type": "reasoning", "metadata": {"openai": {"reasoningEncryptedContent": "SEAL"}}},
        ],
        "reasoning_details": [{"type": "reasoning.encrypted", "data": "SEAL"}],
        "tool_calls": [
            {
                "id": "call_1__thought__SEAL",
                "extra_content": {"google": {"thought_signature": "SEAL"}},
                "provider_specific_fields": {"thought_signatures": ["SEAL"]},
            }
        ],
        "tools": [{"name": "t", "input_schema": {"properties": {"signature": {"type": "string"}}}}],
        "source": {"type": "base64", "data": "AAAA"},
    }
    before = json.dumps(recorded)
    clean = unsealed(recorded)
    assert json.dumps(recorded) == before
    assert "SEAL" not in json.dumps(clean)
    assert clean["content"][0] == {"type": "thinking", "thinking": "hm"}
    assert clean["content"][2] == recorded["content"][2]
    assert clean["content"][3] == {"functionCall": {"name": "f", "args": tool_input}}
    assert clean["tools"] == recorded["tools"]
    assert clean["source"] == recorded["source"]
    assert clean["tool_calls"][0]["id"] == "call_1"


def test_words_read_from_a_wire_language_keep_no_seal() -> None:
    """An Anthropic answer with thoughts, a search and a call becomes chats without any seal."""
    answer = {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "SEAL"},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s",
                "content": [
                    {"type": "web_search_result", "title": "T", "encrypted_content": "SEAL"}
                ],
            },
            {"type": "text", "text": "So."},
        ],
    }
    answered = DIALECTS["anthropic.messages"].read_response(answer)
    chats = chats_of([answered.choices[0].message])
    assert [chat["role"] for chat in chats] == ["assistant", "tool", "assistant"]
    assert "SEAL" not in json.dumps(chats)
