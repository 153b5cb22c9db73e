"""Ollama's own requests and answers, in words; its messages are read as chat completions' are.

It knows where chat and generate keep texts, and that arguments of calls come as objects.
Invariant: never raises, whatever stands in a request or an answer.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._fields import take_text
from dolphin_logger.dialects._read_chat import read_message
from dolphin_logger.messages import Answered, Asked, Choice, Message, Text


def read_generate_request(request: Mapping[str, Any]) -> Asked:
    """Read a prompt, with its images, and the system's words before it."""
    rest = dict(request)
    messages = []
    system = take_text(rest, "system")
    if system is not None:
        messages.append(Message("system", (Text(system),)))
    prompt = take_text(rest, "prompt")
    if prompt is not None:
        images = {"images": rest.pop("images")} if "images" in rest else {}
        messages.append(read_message({"role": "user", "content": prompt, **images}))
    return Asked(tuple(messages), (), rest)


def read_ollama_response(response: Mapping[str, Any]) -> Answered:
    """Read the answer of chat, which has a message, or of generate, which has texts."""
    rest = dict(response)
    if isinstance(rest.get("message"), dict):
        message = read_message(rest.pop("message"))
    elif isinstance(rest.get("response"), str):
        said = {key: rest.pop(key) for key in ("thinking",) if key in rest}
        message = read_message({"role": "assistant", "content": rest.pop("response"), **said})
    else:
        return Answered(rest=rest)
    return Answered((Choice(message, take_text(rest, "done_reason")),), rest)
