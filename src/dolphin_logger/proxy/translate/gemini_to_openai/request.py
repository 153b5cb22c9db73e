"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end is named as dropped. So a key that nobody here
knows cannot get lost in silence. It knows no headers, and the model's name only as it goes out.

Source: https://ai.google.dev/api/generate-content#request-body.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.chat_body import ask_for_stream
from dolphin_logger.proxy.translate.chat_models import traits_of
from dolphin_logger.proxy.translate.gemini_to_openai.fields import read_fields, read_list
from dolphin_logger.proxy.translate.gemini_to_openai.generation import (
    PLACE,
    GenerationTranslation,
)
from dolphin_logger.proxy.translate.gemini_to_openai.history import History
from dolphin_logger.proxy.translate.gemini_to_openai.tools import (
    translate_choice,
    translate_tools,
)
from dolphin_logger.proxy.translate.losses import refusal
from dolphin_logger.proxy.translate.request_keys import RequestKeys

_EMPTY: Final[tuple[Any, ...]] = ([], {})


class RequestTranslation:
    """Translates one request; use once."""

    def __init__(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> None:
        fields = read_fields(body, at="the body")
        if PLACE in fields:
            fields[PLACE] = read_fields(fields[PLACE], at=PLACE)
        self._asked = RequestKeys(fields, refused=options.drop)
        self._losses = self._asked.losses
        self._options = options
        self._traits = traits_of(model)
        self._body: dict[str, Any] = {"model": model}

    def run(self) -> Translated:
        """Translate."""
        if "cachedContent" in self._asked.left:
            raise refusal(
                "cachedContent: what is cached at Google cannot be read here; send it in contents",
                param="cachedContent",
            )
        try:
            self._take_contents()
            self._take_tools()
            self._take_generation()
        except RecursionError as error:
            raise refusal("the request is nested too deeply", param="contents") from error
        ask_for_stream(self._body)
        self._asked.take_rest(says_nothing=dict.fromkeys(self._asked.left, _EMPTY))
        return Translated(self._body, self._losses.dropped, self._losses.changed)

    def _take_contents(self) -> None:
        history = History(self._losses, options=self._options, traits=self._traits)
        system = self._asked.take("systemInstruction")
        if system is not None:
            history.add_system(system)
        for number, content in enumerate(read_list(self._asked.take("contents"), at="contents")):
            history.add(content, number=number)
        self._body["messages"] = history.finish()

    def _take_tools(self) -> None:
        tools = translate_tools(self._asked.take("tools") or [], losses=self._losses)
        config = self._asked.take("toolConfig") or {}
        tools, choice = translate_choice(config, tools, losses=self._losses)
        if tools:
            self._body["tools"] = tools
        if choice is not None:
            self._body["tool_choice"] = choice

    def _take_generation(self) -> None:
        generation = GenerationTranslation(
            self._asked.take(PLACE) or {}, body=self._body, traits=self._traits, losses=self._losses
        )
        generation.run()
