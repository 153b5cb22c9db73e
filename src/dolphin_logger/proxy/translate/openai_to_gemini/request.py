"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end says nothing (`store: false`), or is named as
dropped. Gemini's own keys pass, and win over an OpenAI key of the same meaning. So a key that nobody
here knows cannot get lost in silence. It knows no models but through `effort`, and no path: the model
and the wish to stream stand there.

Source: https://ai.google.dev/api/generate-content#request-body.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.chat_request import ChatRequest
from dolphin_logger.proxy.translate.losses import refusal
from dolphin_logger.proxy.translate.openai_to_gemini.effort import demands_signatures, plan_effort
from dolphin_logger.proxy.translate.openai_to_gemini.history import History
from dolphin_logger.proxy.translate.openai_to_gemini.native import take_native
from dolphin_logger.proxy.translate.openai_to_gemini.tools import (
    translate_choice,
    translate_functions,
    translate_tools,
)

_SAYS_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "metadata": ({},),
    "store": (False,),
    "service_tier": ("auto",),
    "parallel_tool_calls": (True,),
}
# Keys of OpenAI, and Gemini's for the same.
_SAME: Final[dict[str, tuple[str, ...]]] = {
    "max_tokens": ("maxOutputTokens",),
    "max_completion_tokens": ("maxOutputTokens",),
    "temperature": ("temperature",),
    "top_p": ("topP",),
    "seed": ("seed",),
    "presence_penalty": ("presencePenalty",),
    "frequency_penalty": ("frequencyPenalty",),
    "stop": ("stopSequences",),
    "logprobs": ("responseLogprobs",),
    "top_logprobs": ("logprobs",),
    "modalities": ("responseModalities",),
    "response_format": (
        *("responseMimeType", "responseSchema", "responseJsonSchema", "responseFormat"),
    ),
    "reasoning_effort": ("thinkingConfig",),
}
_NUMBERS: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_MODALITIES: Final = {"text": "TEXT", "image": "IMAGE"}
_TIERS: Final = {"default": "standard", "flex": "flex", "priority": "priority"}
_MOST_STOPS: Final = 5


class RequestTranslation:
    """Translates one request; use once."""

    def __init__(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> None:
        self._asked = ChatRequest(body, refused=options.drop)
        self._losses = self._asked.losses
        self._native = take_native(self._asked)
        self._model = model
        self._options = options
        self._body: dict[str, Any] = {}
        self._config: dict[str, Any] = {}

    def run(self) -> Translated:
        """Translate."""
        self._refuse()
        self._leave_to_native()
        self._take_messages()
        self._take_tools()
        self._take_limits()
        self._take_sampling()
        self._take_format()
        self._take_effort()
        self._take_tier()
        self._asked.take_stream()
        for key, value in self._asked.left.items():
            if value not in _SAYS_NOTHING.get(key, ()):
                self._losses.drop(key)
        config = {**self._config, **self._native.config}
        if config:
            self._body["generationConfig"] = config
        self._body |= self._native.body
        return Translated(self._body, self._losses.dropped, self._losses.changed)

    def _refuse(self) -> None:
        """Refuse what would change the answer beyond recognition."""
        left = self._asked.left
        if "audio" in left:
            raise refusal("audio: sound cannot be brought back from Gemini", param="audio")
        if "web_search_options" in left:
            raise refusal(
                "web_search_options: ask for Gemini's web search with an entry in tools,"
                ' {"googleSearch": {}}',
                param="web_search_options",
            )

    def _leave_to_native(self) -> None:
        """Leave out what the client says in Gemini's words, too."""
        for key, names in _SAME.items():
            if key in self._asked.left and any(name in self._native.config for name in names):
                self._asked.drop(key)
        if "serviceTier" in self._native.body and "service_tier" in self._asked.left:
            self._asked.drop("service_tier")

    def _take_messages(self) -> None:
        messages = self._asked.take("messages")
        if not isinstance(messages, list):
            raise refusal("messages must be an array", param="messages")
        history = History(self._losses, options=self._options)
        for number, message in enumerate(messages):
            history.add(message, number=number)
        self._take_system(history)
        self._body["contents"] = history.finish(signed=demands_signatures(self._model))

    def _take_system(self, history: History) -> None:
        """Take the system prompt; in Gemini's own words it stands first."""
        own = self._native.body.get("systemInstruction")
        if isinstance(own, str):
            own = {"parts": [{"text": own}]}
        if own is None:
            own = {"parts": []}
        if not isinstance(own, dict) or not isinstance(own.get("parts"), list):
            raise refusal(
                "systemInstruction must be a text or have parts", param="systemInstruction"
            )
        parts = own["parts"] + history.system
        if parts:
            self._native.body["systemInstruction"] = {**own, "parts": parts}

    def _take_tools(self) -> None:
        tools, functions = self._asked.take("tools"), self._asked.take("functions")
        translated = [] if tools is None else translate_tools(tools, losses=self._losses)
        if functions is not None:
            translated += translate_functions(functions, losses=self._losses)
        if isinstance(self._native.body.get("tools"), list):
            translated += self._native.body.pop("tools")
        if translated:
            self._body["tools"] = translated
        choice, param = self._asked.take_choice()
        if choice is None:
            return
        settings = self._native.body.get("toolConfig", {})
        if not isinstance(settings, dict) or "functionCallingConfig" in settings:
            self._losses.drop(param)
            return
        wanted = translate_choice(choice, param=param)
        if translated:
            self._native.body["toolConfig"] = {"functionCallingConfig": wanted, **settings}
        elif wanted["mode"] == "NONE" or wanted == {"mode": "AUTO"}:
            return  # without tools it says nothing
        else:
            self._losses.drop(param)

    def _take_limits(self) -> None:
        limit, count, stops = self._asked.take_limit(), self._take_count(), self._asked.take_stops()
        if limit is not None:
            self._config["maxOutputTokens"] = limit
        if count > 1:
            self._config["candidateCount"] = count
        kept = [text for text in stops if text]
        if len(kept) > _MOST_STOPS:
            raise refusal(f"stop: Gemini takes {_MOST_STOPS}, not {len(kept)}", param="stop")
        if len(kept) < len(stops):
            self._losses.drop("stop[] (empty)")
        if kept:
            self._config["stopSequences"] = kept

    def _take_count(self) -> int:
        count = self._asked.take("n")
        if count is None:
            return 1
        if type(count) is not int or count < 1:
            raise refusal("n must be a whole number from 1 on", param="n")
        return count

    def _take_sampling(self) -> None:
        for key, name in _NUMBERS.items():
            value = self._asked.take_number(key)
            if value is not None:
                self._config[name] = value
        if self._asked.left.get("logprobs") is True:
            self._asked.take("logprobs")
            self._config["responseLogprobs"] = True
            count = self._asked.take_number("top_logprobs")
            if count:
                self._config["logprobs"] = count

    def _take_format(self) -> None:
        modalities = self._asked.take("modalities")
        if modalities is not None and modalities != ["text"]:
            known = isinstance(modalities, list) and modalities
            if not known or not all(name in ("text", "image") for name in modalities):
                raise refusal(
                    f"modalities: {modalities!r} cannot be brought back from Gemini;"
                    " possible: text, image",
                    param="modalities",
                )
            self._config["responseModalities"] = [_MODALITIES[name] for name in modalities]
        wanted = self._asked.take("response_format")
        kind = wanted.get("type") if isinstance(wanted, dict) else wanted
        if kind in (None, "text"):
            return
        if kind == "json_schema" and isinstance(wanted, dict):
            self._config["responseJsonSchema"] = self._schema(wanted.get("json_schema"))
        elif kind != "json_object":
            raise refusal(
                f"response_format: {kind!r} cannot be sent to Gemini;"
                " possible: text, json_object, json_schema with a schema",
                param="response_format",
            )
        self._config["responseMimeType"] = "application/json"

    def _schema(self, described: Any) -> dict[str, Any]:
        schema = described.get("schema") if isinstance(described, dict) else None
        if not isinstance(schema, dict):
            raise refusal("response_format.json_schema needs a schema", param="response_format")
        for key, value in described.items():
            if key not in ("schema", "strict") and value is not None:
                self._losses.drop(f"response_format.json_schema.{key}")
        if described.get("strict") is False:
            self._losses.change("response_format.json_schema.strict")
        return schema

    def _take_effort(self) -> None:
        effort = self._asked.take("reasoning_effort")
        if effort is None:
            return
        plan = plan_effort(effort, model=self._model)
        if plan.thinking is None:
            self._losses.drop("reasoning_effort")
            return
        self._config["thinkingConfig"] = plan.thinking
        if not plan.exact:
            self._losses.change("reasoning_effort")

    def _take_tier(self) -> None:
        tier = self._asked.left.get("service_tier")
        if isinstance(tier, str) and tier in _TIERS:
            self._asked.take("service_tier")
            self._body["serviceTier"] = _TIERS[tier]
