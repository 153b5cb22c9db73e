"""Requests and answers of every language, read into the same words."""

from __future__ import annotations

from typing import Any

import pytest
from conversations import CONVERSATIONS, OSLO, ROME, SCHEMA

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.messages import (
    File,
    Image,
    Message,
    Other,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

TOOL = ToolDefinition("weather", "Tells it", SCHEMA)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_every_language_says_the_same(name: str) -> None:
    """System, user, thought and parallel calls are the same words, whatever language they came in."""
    asked = DIALECTS[name].read_request(CONVERSATIONS[name])
    assert asked.rest == {}
    assert asked.tools == (TOOL,)
    system, user, assistant = asked.messages[:3]
    assert (system, user) == (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("Where is it warm?"),)),
    )
    assert assistant.role == "assistant"
    thought, *calls = assistant.parts
    signature = "EqQB" if name == "anthropic.messages" else None
    assert thought == Reasoning("Two cities.", signature)
    assert calls == [ToolCall("weather", ROME, "call_1"), ToolCall("weather", OSLO, "call_2")]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_every_language_gives_results_for_calls(name: str) -> None:
    """Each result names its call; a failure that the language can express is one."""
    asked = DIALECTS[name].read_request(CONVERSATIONS[name])
    results = [part for message in asked.messages[3:] for part in message.parts]
    if name == "gemini":
        assert results == [
            ToolResult("call_1", (Other("response", {"sky": "sun"}),), name="weather"),
            ToolResult(
                "call_2", (Other("response", {"error": "away"}),), is_error=True, name="weather"
            ),
        ]
    else:
        assert results == [
            ToolResult("call_1", (Text("sun"),)),
            ToolResult("call_2", (Text("snow"),)),
        ]


def only_choice(name: str, response: dict[str, Any]) -> tuple[tuple[Any, ...], str | None]:
    """Read an answer with one choice: its parts and why it ended."""
    (choice,) = DIALECTS[name].read_response(response).choices
    assert choice.message.role == "assistant"
    return choice.message.parts, choice.finish_reason


def test_chat_answers() -> None:
    """Every choice is read; reasoning once, with its signature; calls of each kind; a refusal."""
    message = {
        "role": "assistant",
        "content": "Wait.",
        "reasoning_content": "Hm.",
        "thinking_blocks": [
            {"index": 0, "type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
            {"index": 1, "type": "redacted_thinking", "data": "c2Vj"},
        ],
        "tool_calls": [
            {"id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
            {"id": "d", "type": "function", "function": {"name": "f", "arguments": '{"a": '}},
            {"id": "e", "type": "function", "function": {"name": "g", "arguments": '{"a": 1.50}'}},
        ],
    }
    refused = {"role": "assistant", "content": None, "refusal": "I will not."}
    first, second = (
        DIALECTS["openai.chat"]
        .read_response(
            {
                "choices": [
                    {"index": 0, "finish_reason": "tool_calls", "message": message},
                    {"index": 1, "finish_reason": "stop", "message": refused},
                ]
            }
        )
        .choices
    )
    assert first.message.parts == (
        Reasoning("Hm.", "EqQB"),
        Reasoning("", "c2Vj"),
        Text("Wait."),
        ToolCall("shell", "ls", "c", "custom"),
        ToolCall("f", '{"a": ', "d"),
        ToolCall("g", {"a": 1.5}, "e"),
    )
    assert (first.finish_reason, second.finish_reason) == ("tool_calls", "stop")
    assert second.message.parts == (Refusal("I will not."),)


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_beside_other_blocks_is_kept(key: str) -> None:
    """A thought that the blocks beside it do not say again stays."""
    details = [{"type": "reasoning.encrypted", "data": "c2Vj", "index": 0}]
    message = {"role": "assistant", key: "Hm.", "reasoning_details": details}
    parts, _ = only_choice("openai.chat", {"choices": [{"message": message}]})
    assert parts == (Reasoning("Hm."), Reasoning("", "c2Vj"))


def test_arguments_keep_every_digit() -> None:
    """Arguments with integers beyond 64 bits are an object without rounding."""
    called = {"name": "f", "arguments": '{"n": 123456789012345678901234567890}'}
    message = {"tool_calls": [{"function": called}], "role": "assistant"}
    parts, _ = only_choice("openai.chat", {"choices": [{"message": message}]})
    assert parts == (ToolCall("f", {"n": 123456789012345678901234567890}),)


@pytest.mark.parametrize(
    ("part", "word"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            Image("data:image/png;base64,QUJD"),
        ),
        ({"type": "input_image", "image_url": "https://a/b.png"}, Image("https://a/b.png")),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "QQ"},
            },
            Image(data="QQ", media_type="image/png"),
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:a/b;base64,QUJD"}},
            File("a.pdf", "data:a/b;base64,QUJD"),
        ),
        ({"type": "input_file", "filename": "a.pdf", "file_data": "QQ"}, File("a.pdf", data="QQ")),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ", "format": "wav"}},
            File(data="QQ", media_type="audio/wav"),
        ),
        (
            {"type": "document", "title": "t", "source": {"type": "text", "data": "words"}},
            File("t", text="words"),
        ),
        (
            {"type": "thinking", "thinking": [{"type": "text", "text": "a"}, {"text": "b"}]},
            Reasoning("ab"),
        ),
        ({"type": "text", "text": 5}, Other("text", {"type": "text", "text": 5})),
        ({"type": "video", "x": 1}, Other("video", {"type": "video", "x": 1})),
        (7, Other("", 7)),
    ],
)
def test_parts(part: Any, word: object) -> None:
    """Each kind of part is its word; what is none, or not as its type promises, is kept whole."""
    asked = DIALECTS["openai.chat"].read_request(
        {"messages": [{"role": "user", "content": [part]}]}
    )
    assert asked.messages == (Message("user", (word,)),)  # type: ignore[arg-type]


def test_anthropic_answer() -> None:
    """The provider's own calls have their results beside them; failures are failures."""
    content = [
        {"type": "text", "text": "Look:", "citations": [{"cited_text": "x"}]},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "s1",
            "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"},
        },
        {"type": "tool_use", "id": "t1", "name": "f", "input": {}, "partial_json": '{"a'},
        {"type": "redacted_thinking", "data": "c2Vj"},
    ]
    parts, reason = only_choice(
        "anthropic.messages", {"role": "assistant", "content": content, "stop_reason": "tool_use"}
    )
    error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    assert parts == (
        Text("Look:"),
        ToolCall("web_search", {"query": "q"}, "s1", "server"),
        ToolResult("s1", (Other("web_search_tool_result_error", error),), is_error=True),
        ToolCall("f", '{"a', "t1"),
        Reasoning("", "c2Vj"),
    )
    assert parts[0].rest == {"citations": [{"cited_text": "x"}]}
    assert reason == "tool_use"


def test_responses_answer() -> None:
    """All output is one message: thoughts, texts, refusals, calls of every kind, and what they gave."""
    output = [
        {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"},
        {
            "type": "message",
            "id": "msg",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "Hi.", "annotations": []},
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
        {"type": "local_shell_call", "call_id": "l", "action": {"command": ["ls"]}},
        {"type": "web_search_call", "id": "w", "action": {"type": "search", "query": "q"}},
        {
            "type": "mcp_call",
            "id": "m",
            "name": "ask",
            "arguments": "{}",
            "output": "said",
            "server_label": "wiki",
        },
        {"type": "code_interpreter_call", "id": "p", "code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]},
        {"type": "image_generation_call", "id": "i", "result": "QUJD"},
        {"type": "compaction", "encrypted_content": "gBBB"},
    ]  # fmt: skip
    parts, reason = only_choice("openai.responses", {"output": output, "status": "completed"})
    assert parts == (
        Reasoning("", "gAAA"),
        Text("Hi."),
        Refusal("No."),
        ToolCall("apply_patch", "*** Begin", "c", "custom"),
        ToolCall("local_shell", {"command": ["ls"]}, "l", "local_shell"),
        ToolCall("web_search", {"type": "search", "query": "q"}, "w", "server"),
        ToolCall("ask", {}, "m", "server"),
        ToolResult("m", (Text("said"),)),
        ToolCall("code_interpreter", "1+1", "p", "server"),
        ToolResult("p", (Text("2"),)),
        ToolCall("image_generation", {}, "i", "server"),
        ToolResult("i", (Image(data="QUJD"),)),
        Other("compaction", output[-1]),
    )
    assert parts[1].rest == {"annotations": [], "id": "msg"}
    assert reason == "completed"
    cut = {"output": [], "status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    assert only_choice("openai.responses", cut) == ((), "content_filter")


def test_responses_history_is_the_answer_that_it_was() -> None:
    """What a model said is the same message in its answer and in the history of the next request."""
    output = [
        {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"},
        {
            "type": "message",
            "id": "msg",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hi.", "annotations": []}],
        },
        {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    history = [{key: item[key] for key in item if key not in ("id", "status")} for item in output]
    dialect = DIALECTS["openai.responses"]
    (choice,) = dialect.read_response({"output": output, "status": "completed"}).choices
    later = {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "ok"}]}  # fmt: skip
    asked = dialect.read_request({"input": [{"role": "user", "content": "?"}, *history, later]})
    assert asked.messages == (
        Message("user", (Text("?"),)),
        choice.message,
        Message("tool", (ToolResult("c", (Text("ok"),)),)),
    )


def test_gemini_answer() -> None:
    """Every candidate is read, with files, code that Google ran and what it printed."""
    parts = [
        {"text": "Hm.", "thought": True, "thoughtSignature": "EqQB"},
        {"executableCode": {"language": "PYTHON", "code": "1+1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "no"}},
        {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://a/b"}},
        {"text": "", "thoughtSignature": "EqQC"},
        {"strange": 1},
    ]
    read, reason = only_choice(
        "gemini",
        {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]},
    )
    assert read == (
        Reasoning("Hm.", "EqQB"),
        ToolCall("code_execution", {"language": "PYTHON", "code": "1+1"}, kind="server"),
        ToolResult(None, (Text("no"),), is_error=True, name="code_execution"),
        Image(data="QUJD", media_type="image/png"),
        File(url="https://a/b", media_type="video/mp4"),
        Text(""),
        Other("", {"strange": 1}),
    )
    assert read[5].rest == {"thoughtSignature": "EqQC"}
    assert reason == "STOP"
    assert (
        DIALECTS["gemini"].read_response({"promptFeedback": {"blockReason": "SAFETY"}}).choices
        == ()
    )


def test_gemini_offers_its_own_tools_by_name() -> None:
    """A tool of Google's is a definition under its key."""
    asked = DIALECTS["gemini"].read_request({"tools": [{"googleSearch": {}}], "contents": "Hi"})
    assert asked.tools == (ToolDefinition("googleSearch"),)
    assert asked.messages == (Message("user", (Text("Hi"),)),)


def test_ollama_answers() -> None:
    """Chat and generate answer alike; a prompt has its images, and the system's words before it."""
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    parts, reason = only_choice(
        "ollama.chat",
        {
            "message": {
                "role": "assistant",
                "thinking": "Hm.",
                "content": "Hi",
                "tool_calls": [call],
            },
            "done_reason": "stop",
        },
    )
    assert parts == (Reasoning("Hm."), Text("Hi"), ToolCall("f", {"a": 1}))
    assert reason == "stop"
    parts, _ = only_choice("ollama.generate", {"response": "Hi", "thinking": "Hm.", "done": True})
    assert parts == (Reasoning("Hm."), Text("Hi"))
    asked = DIALECTS["ollama.generate"].read_request(
        {"system": "Be brief.", "prompt": "Look", "images": ["QUJD"], "context": [1]}
    )
    assert asked.messages == (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("Look"), Image(data="QUJD"))),
    )
    assert asked.rest == {"context": [1]}


def test_completions_are_read_as_one_exchange() -> None:
    """A prompt is the user's, a text the assistant's; a list of prompts is no conversation."""
    dialect = DIALECTS["openai.completions"]
    assert dialect.read_request({"prompt": "Once"}).messages == (Message("user", (Text("Once"),)),)
    assert dialect.read_request({"prompt": ["a", "b"]}).messages == ()
    parts, reason = only_choice(
        "openai.completions", {"choices": [{"text": " upon", "finish_reason": "length"}]}
    )
    assert (parts, reason) == ((Text(" upon"),), "length")


def test_what_agents_of_codex_say_and_use() -> None:
    """Tools that come as an item, in namespaces, are tools; another agent's words are a user's."""
    wait = {"type": "function", "name": "wait", "parameters": SCHEMA}
    space = {"type": "namespace", "name": "agents", "description": "d", "tools": [wait, 7]}
    offered = {"type": "additional_tools", "role": "developer", "tools": [space]}
    told = {
        "type": "agent_message",
        "author": "first",
        "recipient": "second",
        "content": [{"type": "input_text", "text": "Count."}],
    }
    asked = DIALECTS["openai.responses"].read_request({"input": [offered, told], "tools": [wait]})
    assert asked.tools[:2] == (ToolDefinition("wait", None, SCHEMA),) * 2
    assert asked.tools[1].rest["namespace"] == {"name": "agents", "description": "d"}
    assert asked.tools[2].rest["tools"] == [7]
    assert asked.messages[1] == Message("user", (Text("Count."),), "first")
    assert asked.messages[1].rest == {"recipient": "second"}
