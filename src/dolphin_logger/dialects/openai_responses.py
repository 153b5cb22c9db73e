"""`openai.responses`: OpenAI's Responses API, as Codex and the newer SDK surfaces speak it.

It knows the shapes of requests, answers and errors; streams are the business of `_responses_stream`.
Invariant: unknown stays unknown. A count that is missing or no whole number is None, never zero.

Source: https://platform.openai.com/docs/api-reference/responses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.dialects._fields import count_at, first_text, object_at
from dolphin_logger.dialects._openai_errors import build_error, error_type
from dolphin_logger.dialects._read_responses import read_responses_request, read_responses_response
from dolphin_logger.dialects._reading import to_json
from dolphin_logger.dialects._responses_stream import TERMINAL, ResponsesDecoder
from dolphin_logger.messages import Answered, Asked, Usage

_MARKERS: Final = tuple(kind.encode() for kind in sorted(TERMINAL))
_BLANK_LINE: Final = re.compile(rb"\n\n|\n\r|\r\r")
_EVENT_BEGINS: Final = (b"data:", b"event:", b"id:", b":")
_SEEN_BEFORE: Final = 16  # bytes at the beginning of a window that an earlier one ended with


class OpenAIResponses:
    """Implements `Dialect`."""

    name = "openai.responses"

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say whether `stream` is true."""
        return request.get("stream") is True

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Start to decode server-sent events; nothing else is a stream here."""
        return ResponsesDecoder() if media_type == "text/event-stream" else None

    def may_finish(self, window: bytes) -> bool:
        """Say whether a terminal event could end in these bytes.

        It holds the whole response and may be far longer than a window. So an event that ends here
        and began earlier is suspected too, as its name cannot be seen.
        """
        if any(marker in window for marker in _MARKERS):
            return True
        end = None if window.startswith(_EVENT_BEGINS) else _BLANK_LINE.search(window)
        return end is not None and end.end() > _SEEN_BEFORE

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Read the token counts; OpenAI counts cached tokens as input tokens already."""
        usage = object_at(response, "usage")
        details = object_at(usage, "input_tokens_details")
        return Usage(
            input_tokens=count_at(usage, "input_tokens"),
            output_tokens=count_at(usage, "output_tokens"),
            cache_read_tokens=count_at(details, "cached_tokens"),
            cache_write_tokens=count_at(details, "cache_write_tokens"),
            reasoning_tokens=count_at(
                object_at(usage, "output_tokens_details"), "reasoning_tokens"
            ),
        )

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the first user message: the input itself, or a message item's first text part."""
        items = request.get("input")
        if isinstance(items, str):
            return items
        for item in items if isinstance(items, list) else ():
            if (
                isinstance(item, dict)
                and item.get("role") == "user"
                and item.get("type", "message") in ("message", None)
            ):
                return first_text(item.get("content"), kind="input_text")
        return None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read the history and the tools."""
        return read_responses_request(request)

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read the answers."""
        return read_responses_response(response)

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build OpenAI's error object."""
        return build_error(message, status=status, param=param, code=code)

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build an `error` event, which ends no response.

        Documented are `code`, `message` and `param` at the top level; what OpenAI really sends,
        and its SDKs raise, is an `error` object. Ours has both.
        """
        fields = {"code": code, "message": message, "param": None}
        event = {
            "type": "error",
            "sequence_number": 0,
            **fields,
            "error": {"type": error_type(status), **fields},
        }
        return b"event: error\ndata: " + to_json(event) + b"\n\n"
