"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end belongs to chat completions and passes, says
nothing (`store: false`), or is named as dropped. So a key that nobody here knows cannot get lost in
silence. It knows no models but through their traits.

Source: https://platform.openai.com/docs/guides/migrate-to-responses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.chat_body import ask_for_stream, pass_native, take_identity
from dolphin_logger.proxy.translate.chat_models import traits_of
from dolphin_logger.proxy.translate.losses import refusal
from dolphin_logger.proxy.translate.request_keys import RequestKeys
from dolphin_logger.proxy.translate.responses_to_openai.history import History
from dolphin_logger.proxy.translate.responses_to_openai.thoughts import SEALED
from dolphin_logger.proxy.translate.responses_to_openai.tools import Tools

# What only OpenAI's own models take; strict servers refuse them.
_OPENAI_ONLY: Final = ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
_SAYS_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
    "background": (False,),
    "metadata": ({},),
    "service_tier": ("auto",),
    "store": (False,),
    "top_logprobs": (0,),
    "truncation": ("disabled",),
}
_NO_STATE: Final = {
    "previous_response_id": "nothing is stored here; send the whole input",
    "conversation": "nothing is stored here; send the whole input",
    "prompt": "nothing is stored here; send the prompt's text as instructions or input",
}
_LOG_PROBABILITIES: Final = "message.output_text.logprobs"  # in `include`
_FORMATS: Final = ("name", "schema", "strict", "description")


class RequestTranslation:
    """Translates one request; use once."""

    def __init__(self, body: Mapping[str, Any], *, model: str, options: TranslateOptions) -> None:
        self._asked = RequestKeys(body, refused=options.drop)
        self._left = self._asked.left
        self._losses = self._asked.losses
        self._options = options
        self._traits = traits_of(model)
        self._body: dict[str, Any] = {"model": model}

    def run(self) -> Translated:
        """Translate."""
        self._refuse()
        tools = Tools(self._left, losses=self._losses)
        self._take_input(tools)
        self._take_tools(tools)
        limit = self._asked.take_whole("max_output_tokens")
        if limit is not None:
            self._body[self._traits.limit] = limit
        self._take_format()
        self._take_reasoning()
        self._take_include()
        take_identity(self._asked, self._body, forward=self._options.forward_user)
        self._take_stream()
        self._take_rest()
        return Translated(self._body, self._losses.dropped, self._losses.changed)

    def _refuse(self) -> None:
        """Refuse what needs a memory that nobody here has."""
        for key, cure in _NO_STATE.items():
            if key in self._left:
                raise refusal(f"{key}: {cure}", param=key)
        if self._left.get("n", 1) != 1:
            raise refusal("n: a response is one answer", param="n")
        if self._left.get("background"):
            raise refusal(
                "background: this provider answers at once; leave background out",
                param="background",
            )

    def _take_input(self, tools: Tools) -> None:
        history = History(self._losses, tools=tools, options=self._options, traits=self._traits)
        instructions, items = self._asked.take("instructions"), self._asked.take("input")
        if isinstance(instructions, str):
            history.add_system(instructions)
        elif instructions is not None:
            raise refusal("instructions must be a string", param="instructions")
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        if not isinstance(items, list):
            raise refusal("input must be a string or an array of items", param="input")
        for number, item in enumerate(items):
            history.add(item, number=number)
        history.finish()
        self._body["messages"] = history.messages

    def _take_tools(self, tools: Tools) -> None:
        self._asked.take("tools")
        choice, parallel = self._asked.take("tool_choice"), self._asked.take("parallel_tool_calls")
        wanted = None if choice is None else tools.choose(choice)
        if tools.functions:
            self._body["tools"] = list(tools.functions.values())
        if wanted is not None:
            self._body["tool_choice"] = wanted
        if parallel is False:
            if tools.functions:
                self._body["parallel_tool_calls"] = False
            else:
                self._losses.drop("parallel_tool_calls")

    def _take_format(self) -> None:
        text = self._asked.take("text")
        if text is None:
            return
        if not isinstance(text, dict):
            raise refusal("text must be an object", param="text")
        for key, value in text.items():
            if key == "verbosity" and self._traits.takes_newer_keys and value is not None:
                self._body["verbosity"] = value
            elif key != "format" and value is not None:
                self._losses.drop(f"text.{key}")
        wanted = text.get("format")
        kind = wanted.get("type") if isinstance(wanted, dict) else wanted
        if kind in (None, "text"):
            return
        if kind == "json_object":
            self._body["response_format"] = {"type": "json_object"}
        elif kind == "json_schema" and isinstance(wanted, dict):
            schema = {key: wanted[key] for key in _FORMATS if wanted.get(key) is not None}
            self._body["response_format"] = {"type": "json_schema", "json_schema": schema}
        else:
            raise refusal(
                f"text.format: {kind!r} cannot be sent to this provider;"
                " possible: text, json_object, json_schema",
                param="text.format",
            )

    def _take_reasoning(self) -> None:
        reasoning = self._asked.take("reasoning")
        if reasoning is None:
            return
        if not isinstance(reasoning, dict):
            raise refusal("reasoning must be an object", param="reasoning")
        for key, value in reasoning.items():
            if value is None:
                continue
            if key == "effort":
                self._body["reasoning_effort"] = value
            elif key in ("summary", "generate_summary"):
                self._losses.change(f"reasoning.{key} (thoughts as they come)")
            else:
                self._losses.drop(f"reasoning.{key}")

    def _take_include(self) -> None:
        include = self._asked.take("include")
        for entry in include if isinstance(include, list) else ():
            if entry == _LOG_PROBABILITIES:
                self._body["logprobs"] = True
            elif entry != SEALED:
                self._losses.drop(f"include[] ({entry})")
        if "logprobs" in self._body and "top_logprobs" in self._left:
            self._body["top_logprobs"] = self._asked.take("top_logprobs")

    def _take_stream(self) -> None:
        self._asked.take("stream")
        options = self._asked.take("stream_options")
        for key, value in options.items() if isinstance(options, dict) else ():
            if value:
                self._losses.drop(f"stream_options.{key}")
        ask_for_stream(self._body)

    def _take_rest(self) -> None:
        if self._left.get("store"):
            self._asked.drop("store")  # at the provider it means another thing
        for key in _OPENAI_ONLY:
            if key in self._left and not self._traits.takes_newer_keys:
                self._asked.drop(key)
        pass_native(self._asked, self._body, says_nothing=_SAYS_NOTHING)
