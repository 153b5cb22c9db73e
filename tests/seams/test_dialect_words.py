"""The part of every dialect's promise that turns records into words: it loses nothing, never raises."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dialects import EVERY_DIALECT, NEEDS_SAMPLES, decode

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.messages import Answered, Asked, ToolCall

FOLDERS = {
    "openai_chat": "openai.chat",
    "openai_responses": "openai.responses",
    "anthropic_messages": "anthropic.messages",
    "gemini": "gemini",
}
ROOT = os.environ.get("WIRE_SAMPLES")
EVERY_SAMPLE = pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param(name, path, id=f"{name}-{path.stem}")
        for folder, name in FOLDERS.items()
        for path in (sorted(Path(ROOT, folder).glob("*.sse")) if ROOT else ())
    ]
    or [pytest.param(None, None, id="no-recordings")],
)

# Keys that belong together: what is made up has one of these sets, and a few keys more.
SHAPES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"type": ("text", "input_text", "output_text"), "text": ()},
    {"type": ("refusal",), "refusal": ()},
    {"type": ("logs",), "logs": ()},
    {"type": ("thinking",), "thinking": (), "signature": ()},
    {"type": ("redacted_thinking",), "data": ()},
    {"type": ("reasoning.text", "reasoning.summary"), "text": (), "summary": (), "signature": ()},
    {"type": ("image_url", "input_image"), "image_url": (), "file_id": ()},
    {"type": ("image", "document", "search_result"), "source": (), "title": (), "url": ()},
    {"type": ("base64", "url", "text", "content"), "media_type": (), "data": (), "url": ()},
    {"type": ("file", "input_file"), "file": (), "filename": (), "file_data": (), "file_id": ()},
    {"type": ("input_audio",), "input_audio": ()},
    {"data": (), "format": ()},
    {
        "type": ("tool_use", "server_tool_use"),
        "id": (),
        "name": (),
        "input": (),
        "partial_json": (),
    },
    {"type": ("tool_result", "web_search_tool_result"), "tool_use_id": (), "content": ()},
    {"role": ("system", "user", "critic"), "content": (), "name": (), "parts": (), "text": ()},
    {"role": ("tool", "function"), "content": (), "tool_call_id": (), "name": (), "tool_name": ()},
    {"role": ("assistant", "model"), "content": (), "tool_calls": (), "refusal": (), "parts": ()},
    {"role": ("assistant",), "reasoning": (), "reasoning_content": (), "thinking_blocks": ()},
    {"role": ("assistant",), "thinking": (), "reasoning_details": (), "function_call": ()},
    {"role": ("user", "assistant"), "content": (), "images": (), "audio": (), "transcript": ()},
    {
        "type": ("function", "custom", "strange"),
        "function": (),
        "custom": (),
        "id": (),
        "index": (),
    },
    {"name": (), "arguments": (), "input": (), "description": (), "parameters": ()},
    {"type": ("message",), "role": ("user", "assistant"), "content": (), "id": (), "status": ()},
    {"type": ("reasoning",), "summary": (), "content": (), "encrypted_content": (), "id": ()},
    {"type": ("function_call", "custom_tool_call"), "call_id": (), "name": (), "arguments": ()},
    {"type": ("function_call_output", "shell_call_output"), "call_id": (), "output": ()},
    {"type": ("mcp_call", "shell_call"), "output": (), "error": (), "action": (), "arguments": ()},
    {"type": ("code_interpreter_call",), "code": (), "outputs": (), "id": ()},
    {
        "type": ("file_search_call", "image_generation_call"),
        "queries": (),
        "results": (),
        "result": (),
    },
    {"type": ("compaction", "item_reference", "never_heard_of"), "encrypted_content": ()},
    {"text": (), "thought": (), "thoughtSignature": ()},
    {"functionCall": (), "thoughtSignature": ()},
    {"functionResponse": (), "toolCall": (), "toolResponse": ()},
    {"inlineData": (), "fileData": (), "executableCode": (), "codeExecutionResult": ()},
    {"id": (), "name": (), "args": (), "response": (), "parts": (), "toolType": ()},
    {"mimeType": (), "data": (), "fileUri": (), "displayName": (), "outcome": (), "output": ()},
    {"functionDeclarations": (), "googleSearch": ()},
    {
        "message": (),
        "content": (),
        "finish_reason": (),
        "finishReason": (),
        "text": (),
        "index": (),
    },
)
TOP_KEYS = (
    *("messages", "input", "instructions", "contents", "system", "systemInstruction", "prompt"),
    *("tools", "functions", "choices", "output", "candidates", "content", "message", "response"),
    *("images", "thinking", "stop_reason", "done_reason", "status", "incomplete_details", "error"),
)
KEYS = sorted({*TOP_KEYS, *(key for shape in SHAPES for key in shape), "extra", "is_error"})


class Inventor:
    """Makes up bodies that look like what vendors send, and are not; every string is another."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._strings = itertools.count()

    def body(self) -> dict[str, Any]:
        """Make up a request or an answer."""
        keys = self._random.sample(TOP_KEYS, 8)
        return {key: [self._value(0) for _ in range(4)] for key in keys[:5]} | {
            key: self._value(2) for key in keys[5:]
        }

    def _value(self, depth: int) -> Any:
        kind = self._random.random()
        if depth > 5 or kind < 0.12 * depth:
            return self._string()
        if kind > 0.95:
            return self._random.choice((None, True, False, 0, 3.5, [], {}, ""))
        if kind > 0.9:
            return json.dumps({"city": self._string()})
        if depth and kind > 0.7:
            return [self._value(depth + 1) for _ in range(self._random.randrange(1, 5))]
        return self._object(depth)

    def _object(self, depth: int) -> dict[str, Any]:
        shape = self._random.choice(SHAPES)
        made = {
            key: self._random.choice(words) if words else self._value(depth + 1)
            for key, words in shape.items()
            if words or self._random.random() < 0.7
        }
        for key in self._random.sample(KEYS, self._random.randrange(3)):
            made.setdefault(key, self._value(depth + 1))
        return made

    def _string(self) -> str:
        return f"{self._random.choice(('wörd', 'word', 'data:image/png;base64,QUJD'))}-{next(self._strings)}."


def said(value: Any, *, key: str = "") -> Iterator[str]:
    """Give every string of a JSON value but those that name a type or a role."""
    if isinstance(value, str):
        if key not in ("type", "role"):
            yield value
    elif isinstance(value, dict):
        for inner_key, inner in value.items():
            yield from said(inner, key=inner_key)
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner)


def written(value: Any) -> Iterator[str]:
    """Give every string of words and of what they hold; arguments also as the JSON that they are."""
    if isinstance(value, ToolCall):
        yield json.dumps(value.arguments, sort_keys=True)
    if dataclasses.is_dataclass(value):
        for member in dataclasses.fields(value):
            yield from written(getattr(value, member.name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from written(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from written(inner)
    elif isinstance(value, str):
        yield value


def assert_nothing_is_lost(body: dict[str, Any], words: Asked | Answered) -> None:
    """Every string of a body stands in the words, joined to others, or as the object that it is."""
    found = set(written(words))
    for string in {*said(body)} - found:
        if not any(string in other for other in found):
            assert json.dumps(json.loads(string), sort_keys=True) in found, string


@EVERY_DIALECT
@given(seed=st.integers(0, 2**32))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_whatever_was_recorded_is_read_without_loss(dialect, seed):
    """No body raises; each string of it is in the words; the body itself is left as it was."""
    body = Inventor(seed).body()
    before = json.dumps(body)
    assert_nothing_is_lost(body, dialect.read_request(body))
    assert_nothing_is_lost(body, dialect.read_response(body))
    assert json.dumps(body) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=20,
)


@EVERY_DIALECT
@given(body=st.dictionaries(st.sampled_from(TOP_KEYS), JSON))
@settings(deadline=None, max_examples=25)
def test_any_json_is_read(dialect, body):
    """Whatever stands where messages, parts or answers should be: nothing raises."""
    dialect.read_request(body)
    dialect.read_response(body)


@EVERY_DIALECT
def test_deep_nesting_is_read(dialect):
    """Results in results, nested deeper than Python recurses, raise nothing."""
    for kind in ("tool_result", "document", "message", "function_call_output"):
        deep: Any = "x"
        for _ in range(3000):
            deep = [{"type": kind, "role": "user", "content": deep, "source": deep, "parts": deep}]
        for key in ("messages", "input", "contents", "content", "output", "choices", "candidates"):
            dialect.read_request({key: deep})
            dialect.read_response({key: deep})


@NEEDS_SAMPLES
@EVERY_SAMPLE
def test_recordings_are_read_without_loss(name, path):
    """Every string of a recorded request, and of its answer, is in the words, and messages are found."""
    dialect = DIALECTS[name]
    request = json.loads(path.with_suffix(".request.json").read_bytes())
    asked = dialect.read_request(request)
    assert_nothing_is_lost(request, asked)
    assert asked.messages
    assert all(message.role for message in asked.messages)
    stream = path.read_bytes()
    answer, _ = decode(dialect, [stream])
    if answer.response is None:
        assert b"event:" not in stream  # recorded in compressed form
        return
    answered = dialect.read_response(answer.response)
    assert_nothing_is_lost(answer.response, answered)
    if answer.error is None:
        assert answered.choices
        assert all(choice.message.role == "assistant" for choice in answered.choices)
