"""The wire languages that this program speaks; one file each, listed here by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.dialects._api import Dialect
from dolphin_logger.dialects.openai_chat import OpenAIChat

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType({OpenAIChat.name: OpenAIChat()})
