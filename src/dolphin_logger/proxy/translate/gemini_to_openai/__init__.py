"""Google's Gemini API for clients, chat completions for the provider.

    request    the keys of the body       history  its contents       content   what users show
    generation how to answer              tools    tools, their choice schema   Google's, as JSON Schema
    fields     names in both spellings    stream   the answer, event by event
    faults     errors, answered and in the middle of a stream
    words      finish reasons, tokens, log-probabilities

A client wishes for a stream in the path, never in the body: nothing here looks for it.
Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/openai
(Google's own reading of chat completions) and https://platform.openai.com/docs/api-reference/chat.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.chat_seals import find_seals
from dolphin_logger.proxy.translate.from_chat import FromChat, whole_answer
from dolphin_logger.proxy.translate.gemini_to_openai.faults import translate_error
from dolphin_logger.proxy.translate.gemini_to_openai.request import RequestTranslation
from dolphin_logger.proxy.translate.gemini_to_openai.stream import ContentEvents


class GeminiToOpenAI:
    """Implements `Translation`."""

    def request(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> Translated:
        """Translate a request for content into a chat completion request that asks for a stream."""
        return RequestTranslation(body, model=model, options=options).run()

    def stream(self, request: dict[str, Any], *, created: int) -> FromChat:
        """Start to translate the streamed completion into events of content."""
        del created  # Google's answers carry no time
        return FromChat(ContentEvents(request))

    def answer(
        self, native: dict[str, Any], *, created: int, request: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Translate a complete chat completion; thoughts are in it if the request asks for them."""
        del created
        return whole_answer(native, ContentEvents(request or {}), dialect="gemini")

    def kept(self, native: dict[str, Any]) -> dict[str, Any]:
        """Keep what the provider wants back beside its calls."""
        return find_seals(native)

    def error(self, status: int, body: bytes) -> bytes:
        """Translate an error answer into Google's shape."""
        return translate_error(status, body=body)
