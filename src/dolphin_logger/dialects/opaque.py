"""Surfaces that are passed through and recorded without being understood.

It knows only OpenAI's error shape, as these paths are OpenAI's or its imitators'. Their streams
(speech, transcripts, images) are kept as raw bytes.
Invariant: nothing is claimed about what was not read: no usage, no text, no stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.dialects._openai_errors import build_error, build_error_event
from dolphin_logger.messages import Answered, Asked, Usage


class Opaque:
    """Implements `Dialect` for one surface, under its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say whether `stream` is true."""
        return request.get("stream") is True

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Decode nothing."""
        return None

    def may_finish(self, window: bytes) -> bool:
        """Expect no terminal event."""
        return False

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Know nothing."""
        return Usage()

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Know nothing."""
        return None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read nothing: all of it is rest."""
        return Asked(rest=dict(request))

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read nothing: all of it is rest."""
        return Answered(rest=dict(response))

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build OpenAI's error object."""
        return build_error(message, status=status, param=param, code=code)

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build an event that OpenAI's SDKs raise as an error."""
        return build_error_event(message, status=status, code=code)
