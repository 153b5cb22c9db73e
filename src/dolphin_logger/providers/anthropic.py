"""anthropic: recognised, so that existing configurations load, but not spoken in this version."""

from __future__ import annotations

from dataclasses import dataclass

from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError
from dolphin_logger.providers._api import Target

_REFUSAL = (
    "provider 'anthropic' cannot be used in this version and follows in the next one; meanwhile use"
    " provider 'openai' with the apiBase of an OpenAI-compatible endpoint for Claude"
)


@dataclass(slots=True)
class Anthropic:
    """Claude over the Messages API."""

    name: str = "anthropic"
    default_base: str | None = "https://api.anthropic.com"
    dialects: frozenset[str] = frozenset()
    refusal: str | None = _REFUSAL

    def target(self, entry: ModelEntry, dialect: str) -> Target:
        """Refuse, with the cure."""
        raise ConfigError(f"model {entry.model!r}: {self.refusal}")


ANTHROPIC = Anthropic()
