"""ollama: models on this computer; no key is needed, one is sent if configured.

Ollama serves its own API and OpenAI's and Anthropic's beside it.
Source: https://docs.ollama.com/api and /api/openai-compatibility
"""

from __future__ import annotations

from dataclasses import dataclass

from dolphin_logger.config import ModelEntry
from dolphin_logger.providers._api import Target
from dolphin_logger.providers._target import base_of, below, build_target
from dolphin_logger.providers.openai import OPENAI_DIALECTS

_OWN = frozenset(("ollama.chat", "ollama.generate", "ollama.embed"))


@dataclass(slots=True)
class Ollama:
    """Ollama; `apiBase` with or without its `/v1`."""

    name: str = "ollama"
    default_base: str | None = "http://localhost:11434/v1"
    dialects: frozenset[str] = OPENAI_DIALECTS | _OWN | {"anthropic.messages"}

    def target(self, entry: ModelEntry, dialect: str, *, path: str) -> Target:
        """Say where requests in `dialect` for this model go."""
        base = base_of(entry, name=self.name, default=self.default_base)
        if dialect.startswith("openai."):
            return build_target(entry, url=below(base, path))
        return build_target(entry, url=base.removesuffix("/v1") + path)


OLLAMA = Ollama()
