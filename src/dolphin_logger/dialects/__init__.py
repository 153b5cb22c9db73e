"""The wire languages that this program speaks; one file each, listed here by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.dialects._api import Dialect
from dolphin_logger.dialects.anthropic_messages import AnthropicMessages
from dolphin_logger.dialects.gemini import Gemini
from dolphin_logger.dialects.ollama import OllamaChat, OllamaEmbed, OllamaGenerate
from dolphin_logger.dialects.opaque import Opaque
from dolphin_logger.dialects.openai_chat import OpenAIChat
from dolphin_logger.dialects.openai_completions import OpenAICompletions
from dolphin_logger.dialects.openai_embeddings import OpenAIEmbeddings
from dolphin_logger.dialects.openai_responses import OpenAIResponses

_LIST: Final[tuple[Dialect, ...]] = (
    OpenAIChat(),
    OpenAIResponses(),
    OpenAICompletions(),
    OpenAIEmbeddings(),
    AnthropicMessages(),
    Gemini(),
    OllamaChat(),
    OllamaGenerate(),
    OllamaEmbed(),
    Opaque("openai.audio"),
    Opaque("openai.images"),
    Opaque("openai.files"),
    Opaque("opaque"),
)

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {dialect.name: dialect for dialect in _LIST}
)
