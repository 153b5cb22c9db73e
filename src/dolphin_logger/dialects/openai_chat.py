"""`openai.chat`: OpenAI's chat completions, as all its imitators speak them.

It knows the shapes of requests, answers and errors; streams are the business of `_openai_stream`.
It does not know providers: their extras are kept, wherever they stand.
Invariant: unknown stays unknown. A count that is missing or no whole number is None, never zero.

Source: https://platform.openai.com/docs/api-reference/chat and .../docs/guides/error-codes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.dialects._openai_stream import ChatDecoder
from dolphin_logger.messages import Usage


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
        usage = _object(response, "usage") or _object(_object(response, "x_groq"), "usage")
        prompt = _object(usage, "prompt_tokens_details")
        cached = _count(prompt, "cached_tokens")
        return Usage(
            input_tokens=_count(usage, "prompt_tokens"),
            output_tokens=_count(usage, "completion_tokens"),
            cache_read_tokens=_count(usage, "prompt_cache_hit_tokens")
            if cached is None
            else cached,
            cache_write_tokens=_count(prompt, "cache_write_tokens"),
            reasoning_tokens=_count(
                _object(usage, "completion_tokens_details"), "reasoning_tokens"
            ),
        )

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the first user message: its text, or its first text part."""
        messages = request.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and message.get("role") == "user":
                return _first_text(message.get("content"))
        return None

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build OpenAI's error object."""
        error = {"message": message, "type": _error_type(status), "param": param, "code": code}
        return json.dumps({"error": error}, separators=(",", ":")).encode()

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build an event that OpenAI's SDKs raise as an error; no `[DONE]` follows it."""
        return b"data: " + self.error_body(message, status=status, param=None, code=code) + b"\n\n"


def _error_type(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if 400 <= status < 500 else "api_error"


def _first_text(content: Any) -> str | None:
    if isinstance(content, str):
        return content
    for part in content if isinstance(content, list) else ():
        if (
            isinstance(part, dict)
            and part.get("type") == "text"
            and isinstance(part.get("text"), str)
        ):
            return str(part["text"])
    return None


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(parent: Mapping[str, Any], key: str) -> int | None:
    value = parent.get(key)
    return value if type(value) is int and value >= 0 else None
