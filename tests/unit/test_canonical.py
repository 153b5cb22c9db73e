"""The canonical form of messages: what clients change on the way back makes no difference."""

from __future__ import annotations

import pytest
from tests.support.talk import A, R, U, call

from dolphin_logger.conversation import canonical
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.messages import Image, Message, Other, Part, Text, ToolCall, ToolResult


@pytest.mark.parametrize(
    ("served", "back"),
    [
        (A("Yes.\n"), A("Yes.")),
        (A("Yes.", think="Hm."), A("Yes.")),
        (A("<think>Hm.</think>\n\nYes."), A("Yes.")),
        (A('<details type="reasoning" done="true">Hm.</details>\nYes.'), A("Yes.")),
        (Message("assistant", (Text("Ye"), Text("s."))), A("Yes.")),
        (A("", call(b=1.0, a=[2.0])), A("", call(a=[2], b=1))),
        (A("", ToolCall("run", {}, "1")), A("", ToolCall("run", "", "2"))),
        (A("Yes.", ToolCall("web_search", {"query": "x"}, kind="server")), A("Yes.")),
        (U("Do it.", "<system-reminder>Today is Monday.</system-reminder>"), U("Do it.")),
        (U("<environment_context>a</environment_context>\nDo it."), U("Do it.")),
        (R("done"), R("done\n", call="2")),
        (R("done"), Message("user", (ToolResult("1", (Text("done"),)),))),
        (
            Message("user", (Image(url="data:image/png;base64,QUJD"),)),
            Message("user", (Image(data="QUJD", media_type="image/png"),)),
        ),
    ],
)
def test_what_clients_change_makes_no_difference(served: Message, back: Message) -> None:
    """White space at the ends, thoughts, ids, reminders and the order of keys are no part of a form."""
    assert canonical(served)
    assert canonical(served) == canonical(back)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A("Yes."), A("No.")),
        (A("Yes."), U("Yes.")),
        (A("Yes."), A("Yes.", call(a=1))),
        (A("", call(a=1)), A("", call(a=2))),
        (A("", call(a=1.5)), A("", call(a=1))),
        (A("", call(a=True)), A("", call(a=1))),
        (A("", ToolCall("run", {})), A("", ToolCall("ran", {}))),
        (R("done"), R("failed")),
        (Message("user", (Image(data="QUJD"),)), Message("user", (Image(data="QUJE"),))),
        (Message("user", (Other("a", {"b": 1}),)), Message("user", (Other("a", {"b": 2}),))),
        (U("a <think>b</think>"), U("a")),
    ],
)
def test_what_was_said_makes_a_difference(one: Message, other: Message) -> None:
    """Another text, role, call, argument, result or picture is another form."""
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "part",
    [
        Text(" \n"),
        Text("<system-reminder>Hurry.</system-reminder>"),
        ToolCall("x", {}, kind="server"),
    ],
)
def test_what_says_nothing_has_an_empty_form(part: Part) -> None:
    """Nothing but white space, reminders, or what the provider's own tools did is no message."""
    assert canonical(Message("assistant", (part,))) == b""


def test_any_text_has_a_form() -> None:
    """Lone surrogates, and integers of any length, are hashed like everything else."""
    assert canonical(U("a\ud800b"))
    assert canonical(A("", call(n=10**30, s="\ud800", f=1.0)))


def test_languages_agree() -> None:
    """The same words have the same form in every wire language."""
    text, arguments = "I look.", {"path": "a.txt", "limit": 2}
    said = {
        "openai.chat": {
            "choices": [
                {
                    "message": {
                        "role": "assistant",
                        "content": text,
                        "reasoning_content": "Hm.",
                        "tool_calls": [
                            {
                                "id": "c1",
                                "type": "function",
                                "function": {
                                    "name": "read",
                                    "arguments": '{"limit": 2, "path": "a.txt"}',
                                },
                            }
                        ],
                    }
                }
            ]
        },
        "anthropic.messages": {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "text", "text": text},
                {"type": "tool_use", "id": "t1", "name": "read", "input": arguments},
            ],
        },
        "openai.responses": {
            "output": [
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": text}],
                },
                {
                    "type": "function_call",
                    "call_id": "c",
                    "name": "read",
                    "arguments": '{"path":"a.txt","limit":2}',
                },
            ]
        },
        "gemini": {
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [
                            {"text": text},
                            {"functionCall": {"name": "read", "args": arguments}},
                        ],
                    }
                }
            ]
        },
        "ollama.chat": {
            "message": {
                "role": "assistant",
                "content": text,
                "tool_calls": [{"function": {"name": "read", "arguments": arguments}}],
            }
        },
    }
    forms = {
        canonical(DIALECTS[name].read_response(answer).choices[0].message)
        for name, answer in said.items()
    }
    assert len(forms) == 1
