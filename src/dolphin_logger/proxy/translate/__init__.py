"""From the language that a client speaks to the one that its provider speaks, and back.

    _api                  the promise: `Translation`, `TranslateOptions`, `Translated`, `StreamTranslator`
    openai_to_anthropic/  chat completions for clients, the Messages API for providers

    event_stream          the frame of every translated stream
    chat_chunks           chat completions, written          from_chat   chat completions, read
    json_text             events, values and arguments       losses      what could not be carried

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `TRANSLATIONS`.
Everything here is pure and works on plain dictionaries: no connections, no configuration, no SDK.
What a language cannot carry is refused or named in the result, never left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.proxy.translate._api import (
    StreamTranslator,
    Translated,
    TranslateOptions,
    Translation,
)
from dolphin_logger.proxy.translate.openai_to_anthropic import OpenAIToAnthropic

# (dialect of the client, dialect of the provider)
TRANSLATIONS: Final[Mapping[tuple[str, str], Translation]] = MappingProxyType(
    {("openai.chat", "anthropic.messages"): OpenAIToAnthropic()}
)

__all__ = ["TRANSLATIONS", "StreamTranslator", "TranslateOptions", "Translated", "Translation"]
