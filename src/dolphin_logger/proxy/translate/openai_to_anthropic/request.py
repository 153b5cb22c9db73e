"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end is Anthropic's own and passes, says nothing
(`n: 1`), or is named as dropped. So a key that nobody here knows cannot get lost in silence.
It knows no models but through `effort`, and no headers.

Source: https://platform.claude.com/docs/en/api/openai-sdk; stricter where that layer drops silently.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.chat_request import ChatRequest
from dolphin_logger.proxy.translate.json_text import mend_text
from dolphin_logger.proxy.translate.losses import refusal
from dolphin_logger.proxy.translate.openai_to_anthropic.effort import plan_effort
from dolphin_logger.proxy.translate.openai_to_anthropic.history import History
from dolphin_logger.proxy.translate.openai_to_anthropic.tools import (
    translate_choice,
    translate_functions,
    translate_tools,
)

_NATIVE: Final = frozenset(
    (
        *("billing_policy", "cache_control", "compaction", "container", "context_management"),
        *("diagnostics", "fallback_credit_token", "fallbacks", "inference_geo", "mcp_servers"),
        *("output_config", "speed", "stop_sequences", "system", "thinking", "thread", "top_k"),
        *("user_profile_id", "workspace_id"),
    )
)
_SAYS_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
    "n": (1,),
    "modalities": (["text"],),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "metadata": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "store": (False,),
    "service_tier": ("auto",),
}
_LOWEST_TOP_P: Final = 0.95  # while the model thinks


class RequestTranslation:
    """Translates one request; use once."""

    def __init__(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> None:
        self._asked = ChatRequest(body, refused=options.drop)
        self._left = self._asked.left
        self._losses = self._asked.losses
        self._options = options
        self._body: dict[str, Any] = {"model": model, "max_tokens": options.max_tokens}
        self._is_limit = False

    def run(self) -> Translated:
        """Translate."""
        self._refuse()
        self._take_limit()
        self._take_messages()
        self._take_tools()
        self._take_sampling()
        self._take_stop()
        self._take_format()
        self._take_user()
        self._take_effort()
        self._asked.take_stream()
        self._body["stream"] = True  # always: long answers without one are refused
        self._take_rest()
        body = mend_text(self._body)
        if body is not self._body:
            self._losses.change("messages (halves of characters, as U+FFFD)")
        return Translated(body, self._losses.dropped, self._losses.changed)

    def _refuse(self) -> None:
        """Refuse what would change the answer beyond recognition."""
        left = self._left
        if left.get("n", 1) != 1:
            raise refusal(f"n: {left['n']!r}: Anthropic gives one answer per request", param="n")
        if left.get("modalities", ["text"]) != ["text"]:
            raise refusal("modalities: Anthropic answers with text only", param="modalities")
        if "audio" in left:
            raise refusal("audio: Anthropic answers with text only", param="audio")
        if "web_search_options" in left:
            raise refusal(
                "web_search_options: ask for Anthropic's web search with an entry in tools,"
                ' such as {"type": "web_search_20250305", "name": "web_search"}',
                param="web_search_options",
            )

    def _take_limit(self) -> None:
        limit = self._asked.take_limit()
        if limit is not None:
            self._body["max_tokens"] = limit
            self._is_limit = True

    def _take_messages(self) -> None:
        messages = self._asked.take("messages")
        if not isinstance(messages, list):
            raise refusal("messages must be an array", param="messages")
        history = History(self._losses, options=self._options)
        for number, message in enumerate(messages):
            history.add(message, number=number)
        system = self._asked.take("system")  # Anthropic's own key: it stands first
        if isinstance(system, str):
            system = [{"type": "text", "text": system}]
        if isinstance(system, list):
            history.system[:0] = system
        if history.system:
            self._body["system"] = history.system
        self._body["messages"] = history.messages

    def _take_tools(self) -> None:
        tools, functions = self._asked.take("tools"), self._asked.take("functions")
        translated = [] if tools is None else translate_tools(tools, losses=self._losses)
        if functions is not None:
            translated += translate_functions(functions, losses=self._losses)
        parallel = self._asked.take("parallel_tool_calls")
        choice, param = self._asked.take_choice()
        if translated:
            self._body["tools"] = translated
        elif parallel is False:
            parallel = None
            self._losses.drop("parallel_tool_calls")
        wanted = translate_choice(choice, parallel=parallel, param=param)
        if wanted is not None:
            self._body["tool_choice"] = wanted

    def _take_sampling(self) -> None:
        """Take temperature and top_p, of which newer models accept only one."""
        temperature = self._asked.take_number("temperature")
        top_p = self._asked.take_number("top_p")
        if temperature is not None and not 0 <= temperature <= 1:
            temperature = min(max(temperature, 0), 1)
            self._losses.change("temperature")
        if temperature is not None and top_p is not None:
            if temperature == 1:
                temperature = None
            elif top_p != 1:
                self._losses.drop("top_p")
            if temperature is not None:
                top_p = None
        if temperature is not None:
            self._body["temperature"] = temperature
        if top_p is not None:
            self._body["top_p"] = top_p

    def _take_stop(self) -> None:
        if "stop" in self._left and "stop_sequences" in self._left:
            self._asked.drop("stop")
            return
        stops = self._asked.take_stops()
        kept = [text for text in stops if text.strip()]
        if len(kept) < len(stops):
            self._losses.drop("stop[] (white space)")
        if kept:
            self._body["stop_sequences"] = kept

    def _take_format(self) -> None:
        wanted = self._asked.take("response_format")
        kind = wanted.get("type") if isinstance(wanted, dict) else wanted
        if kind in (None, "text"):
            return
        if kind == "json_object":
            # A sentence in the prompt would have the same effect, and enter every dataset.
            self._losses.drop("response_format")
            return
        described = wanted.get("json_schema") if isinstance(wanted, dict) else None
        schema = described.get("schema") if isinstance(described, dict) else None
        if kind != "json_schema" or not isinstance(described, dict) or not isinstance(schema, dict):
            raise refusal(
                f"response_format: {kind!r} cannot be sent to Anthropic;"
                " possible: text, json_object, json_schema with a schema",
                param="response_format",
            )
        native = self._left.get("output_config")
        if isinstance(native, dict) and "format" in native:
            self._losses.drop("response_format")
            return
        for key, value in described.items():
            if key not in ("schema", "strict") and value is not None:
                self._losses.drop(f"response_format.json_schema.{key}")
        if described.get("strict") is False:
            self._losses.change("response_format.json_schema.strict")
        self._configure("format", {"type": "json_schema", "schema": schema})

    def _configure(self, key: str, value: Any) -> None:
        self._body.setdefault("output_config", {})[key] = value

    def _take_user(self) -> None:
        """Send on who asks, if the configuration allows it: this may name a person."""
        if not self._options.forward_user:
            return
        user, identifier = self._asked.take("user"), self._asked.take("safety_identifier")
        if user is not None and identifier is not None and user != identifier:
            self._losses.drop("user")
        self._body["metadata"] = {"user_id": user if identifier is None else identifier}
        if self._body["metadata"]["user_id"] is None:
            del self._body["metadata"]

    def _take_effort(self) -> None:
        """Take the reasoning effort, unless the client speaks of it in Anthropic's words, too."""
        native = self._left.get("output_config")
        if (
            "reasoning_effort" not in self._left
            or "thinking" in self._left
            or (isinstance(native, dict) and "effort" in native)
        ):
            return
        choice = self._body.get("tool_choice", {}).get("type")
        plan = plan_effort(
            self._asked.take("reasoning_effort"),
            model=self._body["model"],
            max_tokens=self._body["max_tokens"],
            is_limit=self._is_limit,
            forced_tool=choice in ("any", "tool"),
        )
        if not plan.carried:
            self._losses.drop("reasoning_effort")
        elif not plan.exact:
            self._losses.change("reasoning_effort")
        if plan.max_tokens is not None:
            self._body["max_tokens"] = plan.max_tokens
        if plan.effort is not None:
            self._configure("effort", plan.effort)
        if plan.thinking is not None:
            self._body["thinking"] = plan.thinking
            if plan.thinking["type"] != "disabled":
                self._leave_sampling_to_thinking()

    def _leave_sampling_to_thinking(self) -> None:
        """Leave out what the provider refuses while the model thinks."""
        if self._body.get("temperature", 1) != 1:
            del self._body["temperature"]
            self._losses.drop("temperature")
        if self._body.get("top_p", 1) < _LOWEST_TOP_P:
            del self._body["top_p"]
            self._losses.drop("top_p")

    def _take_rest(self) -> None:
        if self._left.get("service_tier") == "standard_only":  # the one value that is Anthropic's
            self._body["service_tier"] = self._asked.take("service_tier")
        for key, value in self._left.items():
            if key == "output_config" and isinstance(value, dict):
                self._body[key] = {**self._body.get(key, {}), **value}
            elif key in _NATIVE:
                self._body[key] = value
            elif value not in _SAYS_NOTHING.get(key, ()):
                self._losses.drop(key)
