"""Chat completions for clients, Anthropic's Messages API for the provider.

    request    the keys of the body        history   its messages     content   their parts
    tools      tools, choice of tools      effort    how much to think
    stream     the answer, event by event  answer    the answer, whole        open_block  one block of it
    faults     errors, answered and in the middle of a stream
    skeleton   what a chat completion cannot carry of a message, and how it comes back
    words      what the answers share: finish reasons, tokens, citations

Sources: https://platform.claude.com/docs/en/api/messages, .../docs/en/api/openai-sdk (Anthropic's own
compatibility layer) and https://platform.openai.com/docs/api-reference/chat.
The requests are written for `anthropic-version: 2023-06-01`, which still takes a temperature.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.openai_to_anthropic.answer import translate_answer
from dolphin_logger.proxy.translate.openai_to_anthropic.faults import translate_error
from dolphin_logger.proxy.translate.openai_to_anthropic.request import RequestTranslation
from dolphin_logger.proxy.translate.openai_to_anthropic.skeleton import skeletons
from dolphin_logger.proxy.translate.openai_to_anthropic.stream import MessageStream


class OpenAIToAnthropic:
    """Implements `Translation`."""

    def request(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> Translated:
        """Translate a chat completion request into a Messages request that asks for a stream."""
        return RequestTranslation(body, model=model, options=options).run()

    def stream(self, request: dict[str, Any], *, created: int) -> MessageStream:
        """Start to translate the streamed message into chunks."""
        return MessageStream(request, created=created)

    def answer(
        self, native: dict[str, Any], *, created: int, request: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Translate a message into a chat completion."""
        del request
        return translate_answer(native, created=created)

    def kept(self, native: dict[str, Any]) -> dict[str, Any]:
        """Keep the thoughts around tool calls, and the order of the blocks."""
        return skeletons(native)

    def error(self, status: int, body: bytes) -> bytes:
        """Translate an error answer into OpenAI's shape."""
        return translate_error(status, body=body)
