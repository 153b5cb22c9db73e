"""Examples for filters, in as few words as a test needs."""

from __future__ import annotations

from typing import Any

from dolphin_logger.example import Chat, Example


def user(text: Any) -> Chat:
    """Say something as a person."""
    return {"role": "user", "content": text}


def says(text: Any, **more: Any) -> Chat:
    """Say something as the model."""
    return {"role": "assistant", "content": text, **more}


def calls(*names: str, text: str = "", ids: bool = True, **arguments: Any) -> Chat:
    """Call tools; the id of a call is its name."""
    made = [
        {"type": "function", "function": {"name": name, "arguments": arguments}}
        | ({"id": name} if ids else {})
        for name in names
    ]
    return {"role": "assistant", "content": text, "tool_calls": made}


def gives(text: str, *, call: str | None = None) -> Chat:
    """Give a result as a tool."""
    return {"role": "tool", "content": text} | ({"tool_call_id": call} if call else {})


def example(*messages: Chat, identity: str = "r", **metadata: Any) -> Example:
    """Make an example whose last message is the answer."""
    return Example(identity, "c", list(messages), len(messages) - 1, metadata=metadata)


def answer(text: Any, **more: Any) -> Example:
    """Make an example of one question and one answer."""
    return example(user("Well?"), says(text, **more))
