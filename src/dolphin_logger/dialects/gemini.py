"""`gemini`: Google's native API: generateContent, streamed both ways, countTokens, embedContent.

It knows the shapes of requests, answers and errors; framing is the business of `_gemini_splitter`,
merging of `_gemini_answer`. The model and the wish to stream stand in the path, which it never sees.
Invariant: unknown stays unknown. A count that is missing or no whole number is None, never zero.

Source: https://ai.google.dev/api/generate-content and https://ai.google.dev/api/tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dolphin_logger.dialects._api import Answer, StreamDecoder
from dolphin_logger.dialects._fields import count_at, object_at
from dolphin_logger.dialects._gemini_answer import GeminiAnswer
from dolphin_logger.dialects._gemini_splitter import LineKeepingSplitter, ObjectSplitter
from dolphin_logger.dialects._growth import is_empty
from dolphin_logger.dialects._read_gemini import read_gemini_request, read_gemini_response
from dolphin_logger.dialects._reading import add_known, error_text, read, to_json
from dolphin_logger.messages import Answered, Asked, Usage

_STATUSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        401: "UNAUTHENTICATED",
        402: "RESOURCE_EXHAUSTED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        408: "DEADLINE_EXCEEDED",
        409: "ABORTED",
        429: "RESOURCE_EXHAUSTED",
        499: "CANCELLED",
        502: "UNAVAILABLE",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
        529: "UNAVAILABLE",
    }
)


class Gemini:
    """Implements `Dialect`."""

    name = "gemini"

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say no: the path asks, never the body."""
        return False

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Start to decode server-sent events, or the array that comes without `alt=sse`."""
        if media_type == "text/event-stream":
            return EventDecoder()
        return ArrayDecoder() if asked and media_type == "application/json" else None

    def may_finish(self, window: bytes) -> bool:
        """Say whether an array could end here; events have no terminal one."""
        return window.rstrip().endswith(b"]")

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Read the token counts; Gemini counts thoughts and tools' output apart."""
        usage = object_at(response, "usageMetadata")
        prompt = count_at(usage, "promptTokenCount")
        if prompt is None:  # countTokens answers with the count alone
            prompt = count_at(response, "totalTokens")
        tools = count_at(usage, "toolUsePromptTokenCount")
        thoughts = count_at(usage, "thoughtsTokenCount")
        cached = count_at(usage, "cachedContentTokenCount")
        if cached is None:
            cached = count_at(response, "cachedContentTokenCount")
        return Usage(
            input_tokens=None if prompt is None else add_known(prompt, tools),
            output_tokens=add_known(count_at(usage, "candidatesTokenCount"), thoughts),
            cache_read_tokens=cached,
            reasoning_tokens=thoughts,
        )

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the first user content: its first text part. A content without a role is the user's."""
        contents = request.get("contents", request.get("content"))
        if isinstance(contents, str):
            return contents
        for content in contents if isinstance(contents, list) else [contents]:
            if isinstance(content, str):
                return content
            if isinstance(content, dict) and content.get("role") in ("user", "", None):
                return _first_text(content)
        return None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read the history and the tools."""
        return read_gemini_request(request)

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read the answers."""
        return read_gemini_response(response)

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build Google's error object, which has no place for `param` and `code`."""
        other = "INVALID_ARGUMENT" if 400 <= status < 500 else "INTERNAL"
        name = _STATUSES.get(status, other)
        return to_json({"error": {"code": status, "message": message, "status": name}})

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build an error as Google sends it, bare: its SDK for JavaScript raises no other one.

        In an array it is no element, and leaves the array open: a client's parser fails there too.
        """
        body = self.error_body(message, status=status, param=None, code=code)
        return body + b"\r\n\r\n"


class _GeminiDecoder:
    """What the two formats have in common."""

    def __init__(self) -> None:
        self.finished = False
        self._answer = GeminiAnswer()
        self._objects = ObjectSplitter()
        self._received = False
        self._exact = True

    def _take(self, data: bytes) -> None:
        value, exact = read(data)
        self._exact &= exact
        if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
            for part in value:  # errors come wrapped in a list
                self._answer.merge(part)
        elif isinstance(value, dict):
            self._answer.merge(value)
        else:
            self._exact = False
            return
        self._received = True

    def _end(self) -> Answer:
        cut = self._objects.finish()
        self._exact &= not cut and self._objects.exact
        response, exact = self._answer.result()
        error = self._answer.error
        return Answer(
            response=response if self._received else None,
            exact=exact and self._exact,
            error=None if is_empty(error) else error_text(error),
            terminated=self._answer.has_finished,
        )


class EventDecoder(_GeminiDecoder):
    """Implements `StreamDecoder` for `alt=sse`; an error may come as bare lines of JSON."""

    def __init__(self) -> None:
        super().__init__()
        self._splitter = LineKeepingSplitter()
        self._bare: list[bytes] = []  # taken at the end: they are errors, whenever they came

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        for event in self._splitter.feed(chunk):
            self._take_event(event.data, oversize=event.oversize)
        self._take_lines()

    def answer(self) -> Answer:
        """Say what has been received."""
        for event in self._splitter.finish():
            self._take_event(event.data, oversize=event.oversize)
        self._take_lines()
        for data in self._bare:
            self._take_bare(data)
        return self._end()

    def _take_event(self, data: bytes, *, oversize: bool) -> None:
        self._exact &= not oversize
        if data:
            self._take(data)

    def _take_lines(self) -> None:
        for line in self._splitter.take_lines():
            self._bare += self._objects.feed(line + b"\n")

    def _take_bare(self, data: bytes) -> None:
        """Take a bare object if it is an error; anything else is a piece of a broken event."""
        value, _ = read(data)
        if isinstance(value, dict) and "error" in value:
            self._take(data)
        else:
            self._exact = False


class ArrayDecoder(_GeminiDecoder):
    """Implements `StreamDecoder` for the array; `finished` turns True where it closes."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        for data in self._objects.feed(chunk):
            self._take(data)
        self.finished = self._objects.closed

    def answer(self) -> Answer:
        """Say what has been received."""
        return self._end()


def _first_text(content: Mapping[str, Any]) -> str | None:
    parts = content.get("parts")
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            return str(part["text"])
    return None
