"""Anthropic's Messages API for clients, chat completions for the provider.

    request    the keys of the body        history   its messages     content   their blocks
    tools      tools, choice of tools      schemas   of answers: who can promise to keep them
    stream     the answer, event by event  events    the events of a Messages stream
    faults     errors, answered and in the middle of a stream
    words      stop reasons, tokens

Sources: https://platform.claude.com/docs/en/api/messages and
https://platform.openai.com/docs/api-reference/chat.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.anthropic_to_openai.faults import translate_error
from dolphin_logger.proxy.translate.anthropic_to_openai.request import RequestTranslation
from dolphin_logger.proxy.translate.anthropic_to_openai.stream import MessageWriter
from dolphin_logger.proxy.translate.chat_seals import find_seals
from dolphin_logger.proxy.translate.from_chat import FromChat, whole_answer


class AnthropicToOpenAI:
    """Implements `Translation`."""

    def request(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> Translated:
        """Translate a Messages request into a chat completion request that asks for a stream."""
        return RequestTranslation(body, model=model, options=options).run()

    def stream(self, request: dict[str, Any], *, created: int) -> FromChat:
        """Start to translate the streamed completion into events; a message has no time."""
        del created
        return FromChat(MessageWriter(request))

    def answer(
        self, native: dict[str, Any], *, created: int, request: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Translate a chat completion into a message."""
        del created
        return whole_answer(native, MessageWriter(request or {}), dialect="anthropic.messages")

    def kept(self, native: dict[str, Any]) -> dict[str, Any]:
        """Keep what the provider wants back beside its calls."""
        return find_seals(native)

    def error(self, status: int, body: bytes) -> bytes:
        """Translate an error answer into Anthropic's shape."""
        return translate_error(status, body=body)
