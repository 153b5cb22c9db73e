"""`ollama.chat`, `ollama.generate` and `ollama.embed`: Ollama's own API.

It knows the shapes of requests, answers and errors; streams are the business of `_ollama_stream`.
The three differ in where the user's words and the answer's texts stand, and `embed` never streams.
Invariant: unknown stays unknown. A count that is missing or no whole number is None, never zero.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.dialects._fields import count_at, first_text
from dolphin_logger.dialects._ollama_stream import LineDecoder
from dolphin_logger.dialects._read_chat import read_chat_request
from dolphin_logger.dialects._read_ollama import read_generate_request, read_ollama_response
from dolphin_logger.dialects._reading import to_json
from dolphin_logger.messages import Answered, Asked, Usage

_LINES: Final = frozenset(
    ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
)


class _Ollama:
    """What the three have in common."""

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Read the token counts; Ollama knows no cached tokens and counts thoughts as output."""
        return Usage(
            input_tokens=count_at(response, "prompt_eval_count"),
            output_tokens=count_at(response, "eval_count"),
        )

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build Ollama's error, which is a text and nothing else."""
        return to_json({"error": message})

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build an error line, which Ollama's clients raise; no `"done":true` follows it."""
        return self.error_body(message, status=status, param=None, code=code) + b"\n"


class _OllamaStreaming(_Ollama):
    """What `chat` and `generate` have in common: they stream unless told not to."""

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say whether `stream` is anything but false."""
        return request.get("stream") is not False

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Start to decode lines of JSON; nothing else is a stream here."""
        return LineDecoder() if media_type in _LINES else None

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read the answer."""
        return read_ollama_response(response)

    def may_finish(self, window: bytes) -> bool:
        """Say whether a line with `"done":true` could end in these bytes.

        The last line may be long (token ids, counts), and its end come in another chunk than the
        mark: every end of a line counts that is not plainly the end of another one, or an error.
        """
        if b'"done":true' in window or b'"done": true' in window:
            return True
        return b"\n" in window and not (
            window.rstrip().endswith(b"false}") or b'{"error"' in window
        )


class OllamaChat(_OllamaStreaming):
    """Implements `Dialect` for `/api/chat`."""

    name = "ollama.chat"

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the first user message's text."""
        messages = request.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and message.get("role") == "user":
                return first_text(message.get("content"), kind="text")
        return None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read the history and the tools."""
        return read_chat_request(request)


class OllamaGenerate(_OllamaStreaming):
    """Implements `Dialect` for `/api/generate`."""

    name = "ollama.generate"

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Give the prompt."""
        prompt = request.get("prompt")
        return prompt if isinstance(prompt, str) else None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read the prompt and the system's words."""
        return read_generate_request(request)


class OllamaEmbed(_Ollama):
    """Implements `Dialect` for `/api/embed`, and for `/api/embeddings` before it."""

    name = "ollama.embed"

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say no: embeddings come whole."""
        return False

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Give none: embeddings come whole."""
        return None

    def may_finish(self, window: bytes) -> bool:
        """Say no: without a stream there is no last event."""
        return False

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Give the input, or the first of several."""
        value = request.get("input", request.get("prompt"))
        if isinstance(value, list) and value:
            value = value[0]
        return value if isinstance(value, str) else None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read nothing: all of it is rest."""
        return Asked(rest=dict(request))

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read nothing: all of it is rest."""
        return Answered(rest=dict(response))
