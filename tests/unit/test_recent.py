"""Histories that come again are not read again, and what is given is the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dolphin_logger.conversation.canonical import hash_message
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.index.recent import Recent


def chat(number: int, text: str) -> dict[str, Any]:
    """A message of chat completions."""
    if number % 3 == 2:
        return {"role": "tool", "tool_call_id": "c", "content": text}
    if number % 3 == 1:
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
        return {"role": "assistant", "content": text, "tool_calls": [call]}
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def anthropic(number: int, text: str) -> dict[str, Any]:
    """One of Anthropic's."""
    block: dict[str, Any] = {"type": "text", "text": text}
    return {"role": ("user", "assistant")[number % 2], "content": [block]}


def gemini(number: int, text: str) -> dict[str, Any]:
    """One of Gemini's."""
    return {"role": ("user", "model")[number % 2], "parts": [{"text": text}]}


KINDS = {
    "openai.chat": ("messages", chat, {}),
    "anthropic.messages": ("messages", anthropic, {"system": "Be an agent."}),
    "gemini": ("contents", gemini, {"systemInstruction": {"parts": [{"text": "Be."}]}}),
    "openai.responses": ("input", chat, {"instructions": "Be."}),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_remembered_equals_what_is_read(name: str) -> None:
    """Histories that grow, are edited, cut, marked and mixed are read as the dialect alone reads them."""
    key, make, rest = KINDS[name]
    dialect = DIALECTS[name]
    recent = Recent()
    chance = random.Random(3)
    histories: list[list[dict[str, Any]]] = [[], [], []]
    for step in range(300):
        history = histories[chance.randrange(3)]
        history.append(make(len(history), f"text {step}"))
        if chance.random() < 0.1:
            history[chance.randrange(len(history))] = make(0, f"edited {step}")
        if chance.random() < 0.05:
            del history[: chance.randrange(len(history))]
        sent = [*history[:-1], {**history[-1], "cache_control": {"type": "ephemeral"}}]
        request = {"model": "m", key: sent, **rest}
        asked, hashed = recent.read(dialect, request)
        plain = dialect.read_request(request)
        assert asked == plain
        assert list(map(hashed, asked.messages)) == list(map(hash_message, plain.messages))


def test_a_history_that_comes_again_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a request that adds two messages, two are handed to the dialect."""
    dialect = DIALECTS["openai.chat"]
    recent = Recent()
    history = [chat(number, f"text {number}") for number in range(20)]
    recent.read(dialect, {"messages": history[:18]})
    handed: list[int] = []

    class Counting:
        name = dialect.name

        def read_request(self, request: dict[str, Any]) -> Any:
            handed.append(len(request["messages"]))
            return dialect.read_request(request)

    recent.read(Counting(), {"messages": [dict(message) for message in history]})  # type: ignore[arg-type]
    assert handed == [2]
