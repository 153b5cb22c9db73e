"""openai: OpenAI itself, every server that speaks its API at a given `apiBase`, and presets of such.

Source: https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

from dataclasses import dataclass

from dolphin_logger.config import ModelEntry
from dolphin_logger.providers._api import Target
from dolphin_logger.providers._target import base_of, below, build_target

OPENAI_DIALECTS = frozenset(
    [
        "openai.chat",
        "openai.responses",
        "openai.completions",
        "openai.embeddings",
        "openai.audio",
        "openai.images",
        "openai.files",
        "opaque",
    ]
)
_WITH_MESSAGES = OPENAI_DIALECTS | {"anthropic.messages"}


@dataclass(slots=True)
class OpenAICompatible:
    """A provider whose paths lie below `apiBase`: `/v1/chat/completions` at base + `/chat/completions`."""

    name: str
    default_base: str | None
    dialects: frozenset[str] = OPENAI_DIALECTS
    key_field: str = "authorization"

    def target(self, entry: ModelEntry, dialect: str, *, path: str) -> Target:
        """Say where requests in `dialect` for this model go."""
        del dialect
        base = base_of(entry, name=self.name, default=self.default_base)
        return build_target(entry, url=below(base, path), key_field=self.key_field)


OPENAI = OpenAICompatible("openai", "https://api.openai.com/v1")
PRESETS = (
    OpenAICompatible("openrouter", "https://openrouter.ai/api/v1", _WITH_MESSAGES),
    OpenAICompatible("groq", "https://api.groq.com/openai/v1"),
    OpenAICompatible("deepseek", "https://api.deepseek.com/v1"),
    OpenAICompatible("mistral", "https://api.mistral.ai/v1"),
    OpenAICompatible("xai", "https://api.x.ai/v1"),
    OpenAICompatible("together", "https://api.together.xyz/v1"),
    OpenAICompatible("azure", None, key_field="api-key"),
    OpenAICompatible("vllm", "http://localhost:8000/v1", _WITH_MESSAGES),
    OpenAICompatible("llamacpp", "http://localhost:8080/v1", _WITH_MESSAGES),
    OpenAICompatible("lmstudio", "http://localhost:1234/v1", _WITH_MESSAGES),
)
