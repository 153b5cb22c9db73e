"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end is named as dropped. So a key that nobody here
knows cannot get lost in silence. It knows no headers, and the model's name only as it goes out.

Source: https://ai.google.dev/api/generate-content#request-body.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.gemini_to_openai.fields import read_fields, read_list
from dolphin_logger.proxy.translate.gemini_to_openai.generation import GenerationTranslation
from dolphin_logger.proxy.translate.gemini_to_openai.history import History
from dolphin_logger.proxy.translate.gemini_to_openai.tools import (
    translate_choice,
    translate_tools,
)
from dolphin_logger.proxy.translate.losses import Losses, refusal


class RequestTranslation:
    """Translates one request; use once."""

    def __init__(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> None:
        self._left = read_fields(body, at="the body")
        self._options = options
        self._losses = Losses()
        self._body: dict[str, Any] = {"model": model}

    def run(self) -> Translated:
        """Translate."""
        self._left.pop("model", None)
        for name in sorted(self._options.drop & self._left.keys()):
            del self._left[name]
            self._losses.drop(name)
        if "cachedContent" in self._left:
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
        self._body |= {"stream": True, "stream_options": {"include_usage": True}}
        for name, value in self._left.items():
            if value not in ([], {}):
                self._losses.drop(name)
        return Translated(self._body, self._losses.dropped, self._losses.changed)

    def _take_contents(self) -> None:
        history = History(self._losses)
        if "systemInstruction" in self._left:
            history.add_system(self._left.pop("systemInstruction"))
        for number, content in enumerate(
            read_list(self._left.pop("contents", None), at="contents")
        ):
            history.add(content, number=number)
        self._body["messages"] = history.finish(recall=self._options.recall)

    def _take_tools(self) -> None:
        tools = translate_tools(self._left.pop("tools", []), losses=self._losses)
        config = self._left.pop("toolConfig", {})
        tools, choice = translate_choice(config, tools, losses=self._losses)
        if tools:
            self._body["tools"] = tools
        if choice is not None:
            self._body["tool_choice"] = choice

    def _take_generation(self) -> None:
        self._body |= GenerationTranslation(
            self._left.pop("generationConfig", {}),
            model=self._body["model"],
            drop=self._options.drop,
            losses=self._losses,
        ).run()
