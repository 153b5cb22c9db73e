"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end belongs to chat completions and passes, says
nothing (`store: false`), or is named as dropped. So a key that nobody here knows cannot get lost in
silence. It knows names of models only where OpenAI's own take other keys than everybody else's.

Source: https://platform.openai.com/docs/guides/migrate-to-responses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.responses_to_openai.history import History
from dolphin_logger.proxy.translate.responses_to_openai.thoughts import SEALED
from dolphin_logger.proxy.translate.responses_to_openai.tools import Tools

# Keys of chat completions, and of servers that speak them, for clients that send them anyway.
_NATIVE: Final = frozenset(
    (
        *("frequency_penalty", "presence_penalty", "logit_bias", "seed", "stop", "temperature"),
        *("top_p", "top_k", "min_p", "top_a", "typical_p", "repetition_penalty", "thinking"),
        *("enable_thinking", "chat_template_kwargs", "extra_body", "keep_alive", "options"),
        *("provider", "models", "plugins", "transforms", "route", "cache_prompt", "safe_prompt"),
        *("reasoning_effort", "reasoning_format", "service_tier", "web_search_options"),
    )
)
# What only OpenAI's own models take; strict servers refuse them.
_OPENAI_ONLY: Final = frozenset(
    ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
)
_OPENAI_MODEL: Final = re.compile(r"(?:^|[/:])(?:o\d|gpt-(?:[5-9]|\d\d)|codex)")
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
_FORMATS: Final = ("name", "schema", "strict", "description")


class RequestTranslation:
    """Translates one request; use once."""

    def __init__(self, body: Mapping[str, Any], *, model: str, options: TranslateOptions) -> None:
        self._left = {key: value for key, value in body.items() if value is not None}
        self._options = options
        self._losses = Losses()
        self._of_openai = bool(_OPENAI_MODEL.search(model.lower()))
        self._body: dict[str, Any] = {"model": model}

    def run(self) -> Translated:
        """Translate."""
        self._left.pop("model", None)
        for key in sorted(self._options.drop & self._left.keys()):
            self._drop(key)
        self._refuse()
        tools = Tools(self._left, losses=self._losses)
        self._take_input(tools)
        self._take_tools(tools)
        self._take_limit()
        self._take_format()
        self._take_reasoning()
        self._take_user()
        self._take_stream()
        self._take_rest()
        return Translated(self._body, self._losses.dropped, self._losses.changed)

    def _take(self, key: str) -> Any:
        return self._left.pop(key, None)

    def _drop(self, key: str) -> None:
        del self._left[key]
        self._losses.drop(key)

    def _refuse(self) -> None:
        """Refuse what needs a memory that nobody here has."""
        for key, cure in _NO_STATE.items():
            if key in self._left:
                raise refusal(f"{key}: {cure}", param=key)
        if self._left.get("background"):
            raise refusal(
                "background: this provider answers at once; leave background out",
                param="background",
            )

    def _take_input(self, tools: Tools) -> None:
        history = History(self._losses, tools=tools, options=self._options)
        instructions, items = self._take("instructions"), self._take("input")
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
        self._take("tools")
        choice, parallel = self._take("tool_choice"), self._take("parallel_tool_calls")
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

    def _take_limit(self) -> None:
        limit = self._take("max_output_tokens")
        if limit is not None:
            self._body["max_completion_tokens" if self._of_openai else "max_tokens"] = limit

    def _take_format(self) -> None:
        text = self._take("text")
        if text is None:
            return
        if not isinstance(text, dict):
            raise refusal("text must be an object", param="text")
        for key, value in text.items():
            if key == "verbosity" and self._of_openai and value is not None:
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
        reasoning = self._take("reasoning")
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

    def _take_user(self) -> None:
        """Send on who asks, if the configuration allows it: this may name a person."""
        for key in ("user", "safety_identifier"):
            value = self._take(key)
            if value is None:
                continue
            if self._options.forward_user:
                self._body[key] = value
            else:
                self._losses.drop(key)

    def _take_stream(self) -> None:
        """Always ask for a stream, and for what it cost."""
        self._take("stream")
        self._body["stream"] = True
        self._body["stream_options"] = {"include_usage": True}
        options = self._take("stream_options")
        for key, value in options.items() if isinstance(options, dict) else ():
            if value:
                self._losses.drop(f"stream_options.{key}")

    def _take_rest(self) -> None:
        include = self._take("include")
        for entry in include if isinstance(include, list) else ():
            if entry != SEALED:
                self._losses.drop(f"include[] ({entry})")
        for key, value in self._left.items():
            if value in _SAYS_NOTHING.get(key, ()):
                continue
            if key in _NATIVE or (key in _OPENAI_ONLY and self._of_openai):
                self._body[key] = value
            else:
                self._losses.drop(key)
