"""Session files as other programs write them: their structure, words of our own.

One small session per importer, with a call and its result. They know what each must become, no importer.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.session_databases import llm, opencode

DAY = "2026-03-04T05:06:%02d.000Z"
CALM_S = 3600  # a file that was last written an hour ago is over


@dataclass(frozen=True)
class Sample:
    """One file: its importer, its name, its bytes, and the texts of its answers in order."""

    source: str
    file: str
    data: bytes
    answers: tuple[str, ...]
    lines: bool = True  # JSONL that is appended to


def write(folder: Path, sample: Sample, *, data: bytes | None = None) -> Path:
    """Write a sample as a file that has been quiet for an hour."""
    path = folder / sample.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sample.data if data is None else data)
    calm(path)
    return path


def calm(path: Path) -> None:
    """Let a file seem to be an hour old."""
    then = time.time() - CALM_S
    os.utime(path, (then, then))


def jsonl(entries: Sequence[Any]) -> bytes:
    """Write one value per line."""
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


SESSION = "5e551011-0000-4000-8000-000000000001"


def claude_line(number: int, parent: int | None, kind: str, message: Any, **more: Any) -> Any:
    """Write a line of Claude Code; its number is its name and its time."""
    return {
        "parentUuid": None if parent is None else f"u{parent}",
        "isSidechain": "agentId" in more,
        "type": kind,
        "message": message,
        "uuid": f"u{number}",
        "timestamp": DAY % number,
        "sessionId": SESSION,
        "version": "2.1.197",
        **more,
    }


def claude_answer(name: str, block: Any, stop: str | None = "tool_use") -> Any:
    """Write the message of one line of an answer."""
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [block],
        "stop_reason": stop,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }


def claude_words(content: Any) -> Any:
    """Write the message of a user's line."""
    return {"role": "user", "content": content}


def claude_call(number: int) -> Any:
    """Write a call."""
    return {"type": "tool_use", "id": f"call{number}", "name": "Read", "input": {"number": number}}


def claude_result(number: int, text: str) -> Any:
    """Write a call's result."""
    return [{"type": "tool_result", "tool_use_id": f"call{number}", "content": text}]


def claude_code() -> list[Any]:
    """A question, two calls at once with their results, an answer."""
    text = {"type": "text", "text": "I read both."}
    done = {"type": "text", "text": "Teal, seven."}
    return [
        {"type": "queue-operation", "operation": "enqueue", "sessionId": SESSION},
        claude_line(1, None, "user", claude_words("Read the notes.")),
        {**claude_line(2, 1, "attachment", None), "attachment": {"type": "skill_listing"}},
        claude_line(3, 2, "assistant", claude_answer("msg_a", text), requestId="req_a"),
        claude_line(4, 3, "assistant", claude_answer("msg_a", claude_call(1)), requestId="req_a"),
        claude_line(5, 4, "assistant", claude_answer("msg_a", claude_call(2)), requestId="req_a"),
        claude_line(6, 4, "user", claude_words(claude_result(1, "teal"))),
        claude_line(7, 5, "user", claude_words(claude_result(2, "seven"))),
        claude_line(8, 7, "assistant", claude_answer("msg_b", done, "end_turn"), requestId="req_b"),
    ]


def codex_item(number: int, kind: str, **fields: Any) -> Any:
    """Write a line of Codex that holds an item."""
    return {"timestamp": DAY % number, "type": "response_item", "payload": {"type": kind, **fields}}


def codex_said(number: int, role: str, text: str) -> Any:
    """Write a message."""
    kind = "output_text" if role == "assistant" else "input_text"
    return codex_item(number, "message", role=role, content=[{"type": kind, "text": text}])


def codex_meta(thread: str = "thread-1", **more: Any) -> Any:
    """Write the first line."""
    payload = {"id": thread, "timestamp": DAY % 0, "base_instructions": {"text": "Be brief."}}
    return {"timestamp": DAY % 0, "type": "session_meta", "payload": payload | more}


def codex_tokens(number: int, response: str) -> Any:
    """Write the line behind a response."""
    payload = {"response_id": response, "usage": {"input_tokens": 3}}
    return {"timestamp": DAY % number, "type": "token_usage_record", "payload": payload}


def codex() -> list[Any]:
    """A question, a call with its result, an answer."""
    return [
        codex_meta(),
        {"timestamp": DAY % 1, "type": "turn_context", "payload": {"model": "gpt-test"}},
        codex_said(2, "user", "Read the notes."),
        {"timestamp": DAY % 2, "type": "event_msg", "payload": {"type": "user_message"}},
        codex_item(3, "reasoning", id="rs_1", summary=[{"type": "summary_text", "text": "Hm."}]),
        codex_said(3, "assistant", "I read."),
        codex_item(4, "function_call", name="shell", arguments="{}", call_id="c1"),
        codex_tokens(5, "resp_1"),
        codex_item(6, "function_call_output", call_id="c1", output="teal"),
        codex_said(7, "assistant", "Teal."),
        codex_tokens(8, "resp_2"),
    ]


def gemini() -> list[Any]:
    """A question, a call that comes twice (the second time with its result), an answer."""
    call = {"id": "g2", "type": "gemini", "content": "I read.", "model": "gemini-test"}
    result = {"functionResponse": {"id": "f1", "name": "read", "response": {"output": "teal"}}}
    tool = {"id": "f1", "name": "read", "args": {"path": "a"}, "result": [result]}
    return [
        {"sessionId": "chat-1", "projectHash": "ab", "startTime": DAY % 0, "kind": "main"},
        {"$set": {"messages": [], "lastUpdated": DAY % 0}},
        {
            "id": "g1",
            "timestamp": DAY % 1,
            "type": "user",
            "content": [{"text": "Read the notes."}],
        },
        {**call, "timestamp": DAY % 2},
        {**call, "timestamp": DAY % 2, "toolCalls": [tool]},
        {"id": "g3", "timestamp": DAY % 3, "type": "user", "content": [result]},
        {
            "id": "g4",
            "timestamp": DAY % 4,
            "type": "gemini",
            "content": "Teal.",
            "model": "gemini-test",
        },
    ]


def pi() -> list[Any]:
    """A question, a call with its result, an answer, and a branch with another answer."""

    def entry(name: str, parent: str | None, message: Any) -> Any:
        return {
            "type": "message",
            "id": name,
            "parentId": parent,
            "timestamp": DAY % 3,
            "message": message,
        }

    call = {"type": "toolCall", "id": "t1", "name": "read", "arguments": {"path": "a"}}
    result = {
        "role": "toolResult",
        "toolCallId": "t1",
        "content": [{"type": "text", "text": "teal"}],
    }

    def answer(*blocks: Any) -> Any:
        return {"role": "assistant", "content": list(blocks), "model": "m", "stopReason": "stop"}

    return [
        {"type": "session", "version": 3, "id": "pi-1", "timestamp": DAY % 0, "cwd": "/w"},
        {"type": "model_change", "id": "p0", "parentId": None, "provider": "x", "modelId": "m"},
        entry("p1", "p0", {"role": "user", "content": "Read the notes."}),
        entry("p2", "p1", answer({"type": "text", "text": "I read."}, call)),
        entry("p3", "p2", result),
        entry("p4", "p3", answer({"type": "text", "text": "Teal."})),
        entry("p5", "p3", answer({"type": "text", "text": "It is teal."})),
    ]


def chatgpt() -> list[Any]:
    """A conversation with a thought, an answer, and one that was asked for again."""

    def node(name: str, parent: str | None, role: str, text: str, **more: Any) -> tuple[str, Any]:
        content = {"content_type": "text", "parts": [text]} | more.pop("content", {})
        message = {"id": name, "author": {"role": role}, "content": content, "create_time": 1.7e9}
        return name, {"id": name, "parent": parent, "children": [], "message": message | more}

    thought = {"content_type": "thoughts", "thoughts": [{"summary": "Hm", "content": "Which?"}]}
    slug = {"metadata": {"model_slug": "gpt-test"}}
    mapping = dict(
        [
            ("root", {"id": "root", "parent": None, "children": ["n1"], "message": None}),
            node("n1", "root", "user", "Which colour?"),
            node("n2", "n1", "assistant", "", content=thought),
            node("n3", "n2", "assistant", "Teal.", **slug),
            node("n4", "n1", "assistant", "It is teal.", **slug),
        ]
    )
    return [{"title": "t", "conversation_id": "conv-1", "create_time": 1.7e9, "mapping": mapping}]


def claude_export() -> list[Any]:
    """A conversation of the app, with a file's text."""

    def said(name: str, parent: str, sender: str, text: str, **more: Any) -> Any:
        return {
            "uuid": name,
            "sender": sender,
            "parent_message_uuid": parent,
            "created_at": DAY % 1,
            "content": [{"type": "text", "text": text}],
            **more,
        }

    root = "00000000-0000-4000-8000-000000000000"
    notes = [{"file_name": "notes.txt", "extracted_content": "the colour is teal"}]
    messages = [
        said("a1", root, "human", "Which colour?", attachments=notes),
        said("a2", "a1", "assistant", "Teal."),
        said("a3", "a1", "assistant", "It is teal."),
    ]
    return [{"uuid": "conv-2", "name": "n", "created_at": DAY % 0, "chat_messages": messages}]


def open_webui() -> list[Any]:
    """A chat of two turns; the first answer was asked for again."""

    def said(name: str, parent: str | None, role: str, text: str, **more: Any) -> tuple[str, Any]:
        head = {"id": name, "parentId": parent, "childrenIds": [], "timestamp": 1_700_000_000}
        return name, {**head, "role": role, "content": text, **more}

    thought = '<details type="reasoning" done="true"><summary>Thought</summary>\nHm.\n</details>\n'
    messages = dict(
        [
            said("w1", None, "user", "Which colour?"),
            said("w2", "w1", "assistant", f"{thought}Teal.", model="m", annotation={"rating": 1}),
            said("w3", "w1", "assistant", "It is teal.", model="m"),
            said("w4", "w2", "user", "Sure?"),
            said("w5", "w4", "assistant", "Sure.", model="m"),
        ]
    )
    chat = {"params": {"system": "Be brief."}, "history": {"currentId": "w5", "messages": messages}}
    return [{"id": "chat-9", "user_id": "me", "title": "t", "chat": chat}]


def original() -> list[Any]:
    """Two lines of the original program."""
    asked = [{"role": "user", "content": "Which colour?"}]
    message = {"role": "assistant", "content": "It is teal."}
    return [
        {"request": {"model": "m", "messages": asked}, "response": "Teal."},
        {
            "request": {"model": "m", "messages": asked},
            "response": {"choices": [{"index": 0, "message": message}]},
        },
    ]


def litellm() -> list[Any]:
    """One call, as LiteLLM logs it."""
    answer = {"role": "assistant", "content": "Teal."}
    return [
        {
            "id": "call-1",
            "trace_id": "trace-1",
            "call_type": "acompletion",
            "model": "m",
            "startTime": 1_700_000_000.5,
            "messages": [{"role": "user", "content": "Which colour?"}],
            "response": {"choices": [{"index": 0, "message": answer}]},
            "model_parameters": {"temperature": 0.5},
            "status": "success",
        }
    ]


def helicone() -> list[Any]:
    """One call, as Helicone exports it, in the language of Anthropic."""
    return [
        {
            "request_id": "call-1",
            "request_created_at": DAY % 1,
            "request_model": "m",
            "response_status": 200,
            "request_properties": {"Helicone-Session-Id": "s1"},
            "request_body": {"model": "m", "messages": [{"role": "user", "content": "Which?"}]},
            "response_body": {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "Teal."}],
            },
        }
    ]


def samples(folder: Path) -> list[Sample]:
    """Give one session of every source; databases are built in the folder."""
    rollout = "rollout-2026-03-04T05-06-00-thread-1.jsonl"
    whole = json.dumps
    return [
        Sample(
            "claude-code",
            f"{SESSION}.jsonl",
            jsonl(claude_code()),
            ("I read both.", "Teal, seven."),
        ),
        Sample("codex", rollout, jsonl(codex()), ("I read.", "Teal.")),
        Sample("dolphin-logger", "old.jsonl", jsonl(original()), ("Teal.", "It is teal.")),
        Sample(
            "chatgpt",
            "a/conversations.json",
            whole(chatgpt()).encode(),
            ("Teal.", "It is teal."),
            False,
        ),
        Sample(
            "claude",
            "b/conversations.json",
            whole(claude_export()).encode(),
            ("Teal.", "It is teal."),
            False,
        ),
        Sample(
            "open-webui",
            "chats.json",
            whole(open_webui()).encode(),
            ("Teal.", "It is teal.", "Sure."),
            False,
        ),
        Sample("gemini-cli", "session-1.jsonl", jsonl(gemini()), ("I read.", "Teal.")),
        Sample("opencode", "opencode.db", opencode(folder), ("I read.", "Teal.", "Four."), False),
        Sample("pi", "pi.jsonl", jsonl(pi()), ("I read.", "Teal.", "It is teal.")),
        Sample("llm", "logs.db", llm(folder), ("Teal.", "Sure.", "Noted.", "It is teal."), False),
        Sample("litellm", "litellm.jsonl", jsonl(litellm()), ("Teal.",)),
        Sample("helicone", "helicone.jsonl", jsonl(helicone()), ("Teal.",)),
    ]
