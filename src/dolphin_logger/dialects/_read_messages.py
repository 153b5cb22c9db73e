"""Anthropic's messages, in words; their blocks are the business of `_read_parts`.

It knows where a request and an answer keep them. Results stay in the user's messages, as recorded.
Invariant: never raises, whatever stands in a request or an answer.

Source: https://platform.claude.com/docs/en/api/messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._fields import take_list, take_text
from dolphin_logger.dialects._read_chat import read_message
from dolphin_logger.dialects._read_parts import read_parts
from dolphin_logger.dialects._read_tools import take_tools
from dolphin_logger.messages import Answered, Asked, Choice, Message


def read_messages_request(request: Mapping[str, Any]) -> Asked:
    """Read the system's words, the messages and the tools."""
    rest = dict(request)
    system = read_parts(rest.pop("system", None))
    messages = [Message("system", system)] if system else []
    messages += [read_message(message) for message in take_list(rest, "messages") or ()]
    return Asked(tuple(messages), take_tools(rest, "tools"), rest)


def read_messages_response(response: Mapping[str, Any]) -> Answered:
    """Read the one message that an answer is."""
    rest = dict(response)
    content = take_list(rest, "content")
    if content is None:
        return Answered(rest=rest)
    message = Message(take_text(rest, "role") or "assistant", read_parts(content))
    return Answered((Choice(message, take_text(rest, "stop_reason")),), rest)
