"""`anthropic.messages`: Anthropic's Messages API, with its beta features and `count_tokens`.

It knows the shapes of requests, answers and errors; streams are the business of
`_anthropic_stream`. It does not know which version or beta a client asked for: both are decoded.
Invariant: unknown stays unknown. A count that is missing or no whole number is None, never zero.

Source: https://platform.claude.com/docs/en/api/messages and .../docs/en/api/errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dolphin_logger.dialects._anthropic_stream import MessageDecoder
from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.dialects._fields import count_at, first_text, object_at
from dolphin_logger.dialects._read_messages import read_messages_request, read_messages_response
from dolphin_logger.dialects._reading import add_known, to_json
from dolphin_logger.messages import Answered, Asked, Usage

_ERROR_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        409: "conflict_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)
_TERMINAL: Final = b"message_stop"
# Anthropic pads its events with blanks, so the name may lie before the window's beginning.
_PADDING: Final = b' \t\r\n}"'


class AnthropicMessages:
    """Implements `Dialect`."""

    name = "anthropic.messages"

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say whether `stream` is true."""
        return request.get("stream") is True

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Start to decode server-sent events; nothing else is a stream here."""
        return MessageDecoder() if media_type == "text/event-stream" else None

    def may_finish(self, window: bytes) -> bool:
        """Say whether `message_stop` lies in these bytes, or its end and padding are all of them."""
        return _TERMINAL in window or _TERMINAL.endswith(window.strip(_PADDING))

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Read the token counts; Anthropic counts cached tokens apart from `input_tokens`."""
        usage = object_at(response, "usage")
        uncached = count_at(usage, "input_tokens")
        if uncached is None and not usage:  # count_tokens answers with the count alone
            return Usage(input_tokens=count_at(response, "input_tokens"))
        read = count_at(usage, "cache_read_input_tokens")
        written = count_at(usage, "cache_creation_input_tokens")
        details = object_at(usage, "output_tokens_details")
        return Usage(
            input_tokens=None if uncached is None else add_known(uncached, read, written),
            output_tokens=count_at(usage, "output_tokens"),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=count_at(details, "thinking_tokens"),
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
        return read_messages_request(request)

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read the answers."""
        return read_messages_response(response)

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build Anthropic's error object, which has no place for `param` and `code`."""
        return to_json(
            {"type": "error", "error": {"type": _error_type(status), "message": message}}
        )

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build an `error` event, which Anthropic's SDKs raise; no `message_stop` follows it."""
        body = self.error_body(message, status=status, param=None, code=code)
        return b"event: error\ndata: " + body + b"\n\n"


def _error_type(status: int) -> str:
    other = "invalid_request_error" if 400 <= status < 500 else "api_error"
    return _ERROR_TYPES.get(status, other)
