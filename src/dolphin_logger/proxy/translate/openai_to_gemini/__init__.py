"""Chat completions for clients, Google's native Gemini API for the provider.

    request    the keys of the body        native     Gemini's own among them
    history    its messages                content    their parts        results  of tools
    tools      tools, choice of tools      effort     how much to think
    stream     the answer, event by event  candidate  one of its candidates
    skeleton   what a chat completion cannot carry of an answer, and how it comes back
    grounding  sources, as annotations     faults     errors, answered and in the middle of a stream
    words      what several of these share: ids, signatures, finish reasons, tokens

Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/openai
(Google's own compatibility layer) and https://platform.openai.com/docs/api-reference/chat.
The requests are written for `models/{model}:streamGenerateContent?alt=sse`.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.openai_to_gemini.faults import translate_error
from dolphin_logger.proxy.translate.openai_to_gemini.request import RequestTranslation
from dolphin_logger.proxy.translate.openai_to_gemini.skeleton import skeletons
from dolphin_logger.proxy.translate.openai_to_gemini.stream import ContentStream, translate_answer


class OpenAIToGemini:
    """Implements `Translation`."""

    def request(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> Translated:
        """Translate a chat completion request into a body of `streamGenerateContent`."""
        return RequestTranslation(body, model=model, options=options).run()

    def stream(self, request: dict[str, Any], *, created: int) -> ContentStream:
        """Start to translate the streamed content into chunks."""
        return ContentStream(request, created=created)

    def answer(self, native: dict[str, Any], *, created: int) -> dict[str, Any]:
        """Translate a complete answer into a chat completion."""
        return translate_answer(native, created=created)

    def kept(self, native: dict[str, Any]) -> dict[str, Any]:
        """Keep signatures, thoughts and Gemini's own parts around calls, and their order."""
        return skeletons(native)

    def error(self, status: int, body: bytes) -> bytes:
        """Translate an error answer into OpenAI's shape."""
        return translate_error(status, body=body)
