"""The Responses API for clients, chat completions for the provider.

    request    the keys of the body        history   its items            content   their parts
    tools      tools, choice of tools      pending   items of one answer  thoughts  what the model thought
    stream     the answer, event by event  items     thoughts, messages   calls     of tools
    envelope   events and the response around them    faults  errors
    wrapped_input   the text of a custom tool, as the arguments of a function

Sources: https://platform.openai.com/docs/api-reference/responses,
https://platform.openai.com/docs/api-reference/chat.
Nothing is stored: what needs a memory (`previous_response_id`, conversations) is refused.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.chat_seals import find_seals
from dolphin_logger.proxy.translate.from_chat import FromChat, whole_answer
from dolphin_logger.proxy.translate.responses_to_openai.faults import translate_error
from dolphin_logger.proxy.translate.responses_to_openai.request import RequestTranslation
from dolphin_logger.proxy.translate.responses_to_openai.stream import ResponseListener


class ResponsesToOpenAI:
    """Implements `Translation`."""

    def request(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> Translated:
        """Translate a request into one for a chat completion, as a stream with its usage."""
        return RequestTranslation(body, model=model, options=options).run()

    def stream(self, request: dict[str, Any], *, created: int) -> FromChat:
        """Start to translate the streamed chat completion into events."""
        return FromChat(ResponseListener(request, created=created))

    def answer(
        self, native: dict[str, Any], *, created: int, request: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Translate a chat completion into a response, which repeats the request."""
        listener = ResponseListener(request or {}, created=created)
        return whole_answer(native, listener, dialect="openai.responses")

    def kept(self, native: dict[str, Any]) -> dict[str, Any]:
        """Keep what the provider wants back beside its calls."""
        return find_seals(native)

    def error(self, status: int, body: bytes) -> bytes:
        """Translate an error answer; mostly it has OpenAI's shape already."""
        return translate_error(status, body=body)
