"""From the language that a client speaks to the one that its provider speaks, and back.

    _api                  the promise: `Translation`, `TranslateOptions`, `Translated`, `StreamTranslator`
    openai_to_anthropic/  chat completions for clients, the Messages API for providers
    openai_to_gemini/     chat completions for clients, Google's native Gemini API for providers
    anthropic_to_openai/  the Messages API for clients, chat completions for providers
    responses_to_openai/  the Responses API for clients, chat completions for providers
    gemini_to_openai/     Google's native Gemini API for clients, chat completions for providers
    chained               two of these, one behind the other, with chat completions in the middle

    of any language       event_stream (the frame of a stream), request_keys, parts, losses, faults, call_ids,
                          json_text, data_url, skeleton (an answer by reference to what comes back)
    chat completions,
      asked by a client   chat_request, chat_history, chat_tools, and answered: chat_chunks, chat_answer
      asked of a provider chat_body, chat_messages, chat_models, chat_names, chat_seals, and read: from_chat

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
from dolphin_logger.proxy.translate.anthropic_to_openai import AnthropicToOpenAI
from dolphin_logger.proxy.translate.chained import Chained
from dolphin_logger.proxy.translate.gemini_to_openai import GeminiToOpenAI
from dolphin_logger.proxy.translate.openai_to_anthropic import OpenAIToAnthropic
from dolphin_logger.proxy.translate.openai_to_gemini import OpenAIToGemini
from dolphin_logger.proxy.translate.responses_to_openai import ResponsesToOpenAI

_CHAT: Final = "openai.chat"
_MESSAGES: Final = "anthropic.messages"
_GEMINI: Final = "gemini"
_TO_MESSAGES: Final = OpenAIToAnthropic()
_TO_GEMINI: Final = OpenAIToGemini()
_FROM_MESSAGES: Final = AnthropicToOpenAI()
_FROM_RESPONSES: Final = ResponsesToOpenAI()
_FROM_GEMINI: Final = GeminiToOpenAI()

# (dialect of the client, dialect of the provider). Where a provider speaks two of these, the first is
# taken: Gemini's own API before its compatible endpoint, and that before a second translation.
TRANSLATIONS: Final[Mapping[tuple[str, str], Translation]] = MappingProxyType(
    {
        (_CHAT, _MESSAGES): _TO_MESSAGES,
        (_CHAT, _GEMINI): _TO_GEMINI,
        (_MESSAGES, _GEMINI): Chained(_FROM_MESSAGES, _TO_GEMINI),
        (_MESSAGES, _CHAT): _FROM_MESSAGES,
        ("openai.responses", _GEMINI): Chained(_FROM_RESPONSES, _TO_GEMINI),
        ("openai.responses", _CHAT): _FROM_RESPONSES,
        ("openai.responses", _MESSAGES): Chained(_FROM_RESPONSES, _TO_MESSAGES),
        (_GEMINI, _CHAT): _FROM_GEMINI,
        (_GEMINI, _MESSAGES): Chained(_FROM_GEMINI, _TO_MESSAGES),
    }
)

__all__ = ["TRANSLATIONS", "StreamTranslator", "TranslateOptions", "Translated", "Translation"]
