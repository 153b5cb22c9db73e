"""google: Gemini, in its own API and at its OpenAI-compatible endpoint.

Source: https://ai.google.dev/api and https://ai.google.dev/gemini-api/docs/openai
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dolphin_logger.config import ModelEntry
from dolphin_logger.providers._api import Target
from dolphin_logger.providers._target import base_of, below, build_target

_VERSION = re.compile(r"(/v1(beta|alpha)?)?(/openai)?\Z")


@dataclass(slots=True)
class Google:
    """Gemini; `apiBase` is the compatible endpoint's, whose origin serves the native API."""

    name: str = "google"
    default_base: str | None = "https://generativelanguage.googleapis.com/v1beta/openai"
    dialects: frozenset[str] = frozenset(
        ("openai.chat", "openai.embeddings", "openai.images", "openai.files", "gemini", "opaque")
    )

    def target(self, entry: ModelEntry, dialect: str, *, path: str) -> Target:
        """Say where requests in `dialect` for this model go."""
        base = base_of(entry, name=self.name, default=self.default_base)
        if dialect.startswith("openai."):
            return build_target(entry, url=below(base, path))
        origin = _VERSION.sub("", base, count=1)
        return build_target(entry, url=origin + path, key_field="x-goog-api-key")


GOOGLE = Google()
