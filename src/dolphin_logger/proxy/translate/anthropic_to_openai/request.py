"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end is of chat completions already and passes, says
nothing, or is named as dropped. So a key that nobody here knows cannot get lost in silence.
It knows no models but through `models`, and no headers.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

import re
from typing import Any, Final

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.anthropic_to_openai.history import History
from dolphin_logger.proxy.translate.anthropic_to_openai.models import effort_of, traits_of
from dolphin_logger.proxy.translate.anthropic_to_openai.schemas import is_strict
from dolphin_logger.proxy.translate.anthropic_to_openai.tools import (
    translate_choice,
    translate_tools,
)
from dolphin_logger.proxy.translate.losses import Losses, refusal

_NATIVE: Final = frozenset(
    (
        *("frequency_penalty", "logit_bias", "parallel_tool_calls", "prediction"),
        *("presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        *("reasoning", "reasoning_effort", "response_format", "safety_identifier", "seed", "store"),
        *("temperature", "top_p", "user", "verbosity", "web_search_options"),
    )
)
_SAYS_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
    "metadata": ({},),
    "n": (1,),
    "service_tier": ("auto",),
    "speed": ("standard",),
}
_MODES: Final = (None, "adaptive", "disabled", "enabled")  # of thinking
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NAMELESS: Final = "answer"  # a format without a name is refused


class RequestTranslation:
    """Translates one request; use once."""

    def __init__(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> None:
        self._left = {key: value for key, value in body.items() if value is not None}
        self._options = options
        self._losses = Losses()
        self._traits = traits_of(model)
        self._body: dict[str, Any] = {"model": model}

    def run(self) -> Translated:
        """Translate."""
        self._left.pop("model", None)
        for key in sorted(self._options.drop & self._left.keys()):
            self._drop(key)
        if self._left.get("n", 1) != 1:
            raise refusal("n: a message of Anthropic's language is one answer", param="n")
        self._take_limit()
        self._take_messages()
        self._take_tools()
        self._take_stop()
        self._take_format()
        self._take_effort()
        self._take_user()
        self._take_stream()
        self._take_rest()
        return Translated(self._body, self._losses.dropped, self._losses.changed)

    def _take(self, key: str) -> Any:
        return self._left.pop(key, None)

    def _drop(self, key: str) -> None:
        del self._left[key]
        self._losses.drop(key)

    def _take_limit(self) -> None:
        limit = self._take("max_tokens")
        if limit is None:
            return
        if type(limit) is not int:
            raise refusal("max_tokens must be a whole number", param="max_tokens")
        self._body[self._traits.limit] = limit

    def _take_messages(self) -> None:
        messages = self._take("messages")
        if not isinstance(messages, list):
            raise refusal("messages must be an array", param="messages")
        history = History(
            self._losses, options=self._options, takes_thoughts=self._traits.takes_thoughts
        )
        system = self._take("system")
        if system is not None:
            history.add_system(system)
        for number, message in enumerate(messages):
            history.add(message, number=number)
        self._body["messages"] = history.result()

    # --- tools

    def _take_tools(self) -> None:
        asked, servers = self._take("tools"), self._take("mcp_servers")
        tools = [] if asked is None else translate_tools(asked, losses=self._losses)
        if servers:
            self._losses.drop("mcp_servers")
        if tools:
            self._body["tools"] = tools
        elif asked or servers:
            param = "tools" if asked else "mcp_servers"
            raise refusal(
                f"{param}: all of these run at Anthropic, and this provider has none of them;"
                " leave them out, or add a tool with an input_schema",
                param=param,
            )
        choice = self._take("tool_choice")
        if choice is not None:
            self._choose(choice)

    def _choose(self, choice: Any) -> None:
        wanted, parallel = translate_choice(choice)
        names = {tool["function"]["name"] for tool in self._body.get("tools", ())}
        if isinstance(wanted, dict) and wanted["function"]["name"] not in names:
            raise refusal(
                f"tool_choice: {choice['name']!r} is none of the tools that can be sent to this provider",
                param="tool_choice",
            )
        if names or wanted == "required":
            self._body["tool_choice"] = wanted
        if names and not parallel and wanted != "none":
            self._body["parallel_tool_calls"] = False

    # --- the answer

    def _take_stop(self) -> None:
        stops = self._take("stop_sequences")
        if stops:
            self._body["stop"] = stops

    def _take_format(self) -> None:
        config = self._left.get("output_config")
        older, newer = self._take("output_format"), None
        if isinstance(config, dict):
            config = dict(config)
            newer = config.pop("format", None)
            self._left["output_config"] = config
        wanted = newer if newer is not None else older
        if wanted is None:
            return
        at = "output_config.format" if newer is not None else "output_format"
        schema = wanted.get("schema") if isinstance(wanted, dict) else None
        if not isinstance(schema, dict) or wanted.get("type") != "json_schema":
            raise refusal(f"{at} must be a json_schema with a schema", param=at)
        title = schema.get("title")
        named = isinstance(title, str) and _NAME.fullmatch(title)
        strict = is_strict(schema)
        if not strict:
            self._losses.change(f"{at} (not strict)")
        described = {"name": title if named else _NAMELESS, "schema": schema, "strict": strict}
        self._body["response_format"] = {"type": "json_schema", "json_schema": described}

    def _take_effort(self) -> None:
        """Take how much the model shall think, unless the client speaks of it in the provider's words, too."""
        thinking = self._take_object("thinking", known=("type", "budget_tokens"))
        config = self._take_object("output_config", known=("effort",))
        if thinking.get("type") not in _MODES:
            self._losses.drop("thinking.type")
        at, wanted = _find_wish(thinking, config.get("effort"))
        if "budget_tokens" in thinking and at != "thinking.budget_tokens":
            self._losses.drop("thinking.budget_tokens")
        if "reasoning_effort" in self._left or "reasoning" in self._left:
            if wanted is not None:
                self._losses.drop(at)
            return
        if "tools" in self._body and not self._traits.thinks_beside_tools:
            self._body["reasoning_effort"] = "none"
            if wanted != "none":
                self._losses.change("tools (reasoning_effort: none)" if wanted is None else at)
            return
        if wanted is None:
            return
        effort = self._traits.nearest_effort(wanted)
        if effort is None:
            self._losses.drop(at)
            return
        self._body["reasoning_effort"] = effort
        if effort != wanted or at == "thinking.budget_tokens":
            self._losses.change(at)

    def _take_object(self, key: str, *, known: tuple[str, ...]) -> dict[str, Any]:
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self._losses.drop(key)
        found = value if isinstance(value, dict) else {}
        for name in sorted(found.keys() - known):
            self._losses.drop(f"{key}.{name}")
        return found

    def _take_user(self) -> None:
        """Send on who asks, if the configuration allows it: this may name a person."""
        metadata = self._left.get("metadata")
        if not isinstance(metadata, dict) or "user_id" not in metadata:
            return
        self._left["metadata"] = {key: metadata[key] for key in metadata.keys() - {"user_id"}}
        if self._options.forward_user and isinstance(metadata["user_id"], str):
            self._body["user"] = metadata["user_id"]
        elif metadata["user_id"] is not None:
            self._losses.drop("metadata.user_id")

    def _take_stream(self) -> None:
        """Always ask for a stream, and for its token counts: without them nobody knows any."""
        self._take("stream")
        self._take("stream_options")
        self._body["stream"] = True
        self._body["stream_options"] = {"include_usage": True}

    def _take_rest(self) -> None:
        for key, value in self._left.items():
            if key in _NATIVE:
                self._body[key] = value
            elif value not in _SAYS_NOTHING.get(key, ()):
                self._losses.drop(key)


def _find_wish(thinking: dict[str, Any], effort: Any) -> tuple[str, str | None]:
    """Find how much the model shall think, and the key that says so; None leaves it to the model."""
    kind = thinking.get("type")
    if kind == "disabled":
        return "thinking", "none"
    if isinstance(effort, str):
        return "output_config.effort", effort
    if kind == "enabled" and type(thinking.get("budget_tokens")) is int:
        return "thinking.budget_tokens", effort_of(thinking["budget_tokens"])
    return "thinking", None
