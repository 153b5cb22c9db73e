"""`openai.completions`: OpenAI's legacy completions, still spoken by vLLM, llama.cpp and editors.

It differs from chat completions in the prompt and in where the text lies; the rest is the same.

Source: https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.dialects._completions_stream import CompletionDecoder
from dolphin_logger.dialects._read_chat import read_completions_request
from dolphin_logger.dialects.openai_chat import OpenAIChat
from dolphin_logger.messages import Asked


class OpenAICompletions(OpenAIChat):
    """Implements `Dialect`."""

    name = "openai.completions"

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Start to decode server-sent events; nothing else is a stream here."""
        return CompletionDecoder() if media_type == "text/event-stream" else None

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the prompt, where it is one text."""
        prompt = request.get("prompt")
        return prompt if isinstance(prompt, str) else None

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read the prompt, where it is one text."""
        return read_completions_request(request)
