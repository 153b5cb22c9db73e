"""What the providers with OpenAI's wire API share: path and bearer key.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from dataclasses import dataclass

from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError
from dolphin_logger.providers._api import Target
from dolphin_logger.providers._target import build_target

_PATHS = {"openai.chat": "/chat/completions"}


@dataclass(slots=True)
class OpenAICompatible:
    """A provider at `apiBase` + `/chat/completions`; a key is sent when there is one."""

    name: str
    default_base: str | None
    dialects: frozenset[str] = frozenset(_PATHS)
    refusal: str | None = None

    def target(self, entry: ModelEntry, dialect: str) -> Target:
        """Say where requests in `dialect` for this model go."""
        if dialect not in _PATHS:
            raise ConfigError(f"model {entry.model!r}: {self.name} does not speak {dialect} here")
        base = entry.api_base or self.default_base
        if base is None:
            raise ConfigError(f"model {entry.model!r}: provider {self.name} needs an apiBase")
        key = entry.api_key
        credentials = (("authorization", f"Bearer {key.reveal()}"),) if key else ()
        return build_target(entry, base=base, path=_PATHS[dialect], credentials=credentials)
