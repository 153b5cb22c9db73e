"""`openai.chat`: OpenAI's chat completions, as all its imitators speak them.

It knows the shapes of requests, answers and errors; streams are the business of `_openai_stream`.
It does not know providers: their extras are kept, wherever they stand.
Invariant: unknown stays unknown. A count that is missing or no whole number is None, never zero.

Source: https://platform.openai.com/docs/api-reference/chat and .../docs/guides/error-codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.dialects._fields import count_at, first_text, object_at
from dolphin_logger.dialects._openai_errors import build_error, build_error_event
from dolphin_logger.dialects._openai_stream import ChatDecoder
from dolphin_logger.dialects._read_chat import read_chat_request, read_chat_response
from dolphin_logger.messages import Answered, Asked, Usage


class OpenAIChat:
    """Implements `Dialect`."""

    name = "openai.chat"

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say whether `stream` is true."""
        return request.get("stream") is True

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Start to decode server-sent events; nothing else is a stream here."""
        return ChatDecoder() if media_type == "text/event-stream" else None

    def may_finish(self, window: bytes) -> bool:
        """Say whether `data: [DONE]` could lie in these bytes."""
        return b"[DONE]" in window

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Read the token counts; OpenAI counts cached tokens as prompt tokens already."""
        usage = object_at(response, "usage") or object_at(object_at(response, "x_groq"), "usage")
        prompt = object_at(usage, "prompt_tokens_details")
        cached = count_at(prompt, "cached_tokens")
        return Usage(
            input_tokens=count_at(usage, "prompt_tokens"),
            output_tokens=count_at(usage, "completion_tokens"),
            cache_read_tokens=count_at(usage, "prompt_cache_hit_tokens")
            if cached is None
            else cached,
            cache_write_tokens=count_at(prompt, "cache_write_tokens"),
            reasoning_tokens=count_at(
                object_at(usage, "completion_tokens_details"), "reasoning_tokens"
            ),
        )

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the first user message: its text, or its first text part."""
        messages = request.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and message.get("role") == "user":
                return first_text(message.get("content"), kind="text")
        return None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read the history and the tools."""
        return read_chat_request(request)

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read the answers."""
        return read_chat_response(response)

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build OpenAI's error object."""
        return build_error(message, status=status, param=param, code=code)

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build an event that OpenAI's SDKs raise as an error; no `[DONE]` follows it."""
        return build_error_event(message, status=status, code=code)
