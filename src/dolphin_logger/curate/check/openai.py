"""OpenAI's rules of rows for fine-tuning: chats, and pairs of answers.

Source: platform.openai.com, supervised fine-tuning and direct preference optimization; the cookbook's
notebook for the preparation of chats, which knows no tools, for the rest. A rule says what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from dolphin_logger.curate.check.chats import Row, is_role, listed, tools

_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_KEYS: Final = {"messages", "tools", "parallel_tool_calls"}
_KEYS_OF_MESSAGES: Final = {"role", "content", "name", "tool_calls", "tool_call_id", "weight"}
_KEYS_OF_PAIRS: Final = {"input", "preferred_output", "non_preferred_output"}


def chats(row: Row) -> Iterator[str]:
    """Hold a chat."""
    yield from _chat(row)
    if not any(is_role(one, "assistant") for one in listed(row.get("messages"))):
        yield "no message of the assistant"


def pairs(row: Row) -> Iterator[str]:
    """Hold a chat with a better answer and a worse one."""
    if set(row) != _KEYS_OF_PAIRS or not isinstance(row["input"], dict):
        yield f"keys are {sorted(row)}, not {sorted(_KEYS_OF_PAIRS)}"
        return
    yield from _chat(row["input"])
    for name in ("preferred_output", "non_preferred_output"):
        yield from _thread(row[name], name=name)
        if not all(is_role(one, "assistant") for one in listed(row[name])):
            yield f"{name} holds messages that are not the assistant's"


def _chat(chat: Row) -> Iterator[str]:
    if odd := sorted(set(chat) - _KEYS):
        yield f"keys that OpenAI does not know: {odd}"
    yield from _thread(chat.get("messages"), name="messages")
    yield from tools(chat.get("tools"))


def _thread(found: Any, *, name: str) -> Iterator[str]:
    if not isinstance(found, list) or not found:
        yield f"{name} is no list of messages"
        return
    for at, message in enumerate(found):
        where = f"{name}[{at}]"
        if not isinstance(message, dict):
            yield f"{where} is no object"
            continue
        if odd := sorted(set(message) - _KEYS_OF_MESSAGES):
            yield f"{where} has unknown keys {odd}"
        if message.get("role") not in _ROLES:
            yield f"{where} has an unknown role"
        content, calls = message.get("content"), message.get("tool_calls")
        if not isinstance(content, str | list) and not calls:
            yield f"{where} has neither content nor calls"
        if is_role(message, "tool") and not isinstance(message.get("tool_call_id"), str):
            yield f"{where} has no tool_call_id"
        if message.get("weight") not in (None, 0, 1):
            yield f"{where}.weight is neither 0 nor 1"
        for call in calls or ():
            yield from _faults_of_call(call, where=where)


def _faults_of_call(call: Any, *, where: str) -> Iterator[str]:
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    try:
        found = json.loads(arguments) if isinstance(arguments, str) else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        yield f"{where}: arguments are no text of a JSON object"
    if not isinstance(call, dict) or not isinstance(call.get("id"), str):
        yield f"{where}: a call without an id"
