"""`openai.embeddings`: texts in, vectors out, never streamed.

Vectors are not touched: they come as numbers or as base64, and both stay as they are.

Source: https://platform.openai.com/docs/api-reference/embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._fields import count_at, object_at
from dolphin_logger.dialects.opaque import Opaque
from dolphin_logger.messages import Usage


class OpenAIEmbeddings(Opaque):
    """Implements `Dialect`."""

    def __init__(self) -> None:
        super().__init__("openai.embeddings")

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Read the only count there is."""
        return Usage(input_tokens=count_at(object_at(response, "usage"), "prompt_tokens"))

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the input, where it is one text."""
        text = request.get("input")
        return text if isinstance(text, str) else None
