"""The body of a request, key by key.

Keys are taken out of a copy; what is left at the end is of chat completions already and passes, says
nothing, or is named as dropped. So a key that nobody here knows cannot get lost in silence.
It knows no models but through their traits, and no headers.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

import re
from typing import Any, Final

from dolphin_logger.proxy.translate._api import Translated, TranslateOptions
from dolphin_logger.proxy.translate.anthropic_to_openai.history import History
from dolphin_logger.proxy.translate.anthropic_to_openai.schemas import is_strict
from dolphin_logger.proxy.translate.anthropic_to_openai.tools import (
    translate_choice,
    translate_tools,
)
from dolphin_logger.proxy.translate.chat_body import (
    ask_for_stream,
    pass_native,
    take_identity,
    wish_effort,
)
from dolphin_logger.proxy.translate.chat_models import effort_of, traits_of
from dolphin_logger.proxy.translate.losses import refusal
from dolphin_logger.proxy.translate.request_keys import RequestKeys

_OWN: Final = (
    "service_tier",
    "top_k",
)  # keys of chat completions, too, where they mean another thing
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
        self._asked = RequestKeys(body, refused=options.drop)
        self._left = self._asked.left
        self._losses = self._asked.losses
        self._options = options
        self._traits = traits_of(model)
        self._body: dict[str, Any] = {"model": model}

    def run(self) -> Translated:
        """Translate."""
        if self._left.get("n", 1) != 1:
            raise refusal("n: a message of Anthropic's language is one answer", param="n")
        limit = self._asked.take_whole("max_tokens")
        if limit is not None:
            self._body[self._traits.limit] = limit
        self._take_messages()
        self._take_tools()
        self._take_stop()
        self._take_format()
        self._take_effort()
        self._take_user()
        self._asked.take("stream")
        self._asked.take("stream_options")
        ask_for_stream(self._body)
        pass_native(self._asked, self._body, says_nothing=_SAYS_NOTHING, but=_OWN)
        return Translated(self._body, self._losses.dropped, self._losses.changed)

    def _take_messages(self) -> None:
        messages = self._asked.take("messages")
        if not isinstance(messages, list):
            raise refusal("messages must be an array", param="messages")
        history = History(self._losses, options=self._options, traits=self._traits)
        system = self._asked.take("system")
        if system is not None:
            history.add_system(system)
        for number, message in enumerate(messages):
            history.add(message, number=number)
        self._body["messages"] = history.messages

    # --- tools

    def _take_tools(self) -> None:
        asked, servers = self._asked.take("tools"), self._asked.take("mcp_servers")
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
        choice = self._asked.take("tool_choice")
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
        stops = self._asked.take("stop_sequences")
        if stops:
            self._body["stop"] = stops

    def _take_format(self) -> None:
        config = self._left.get("output_config")
        older, newer = self._asked.take("output_format"), None
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
        before = self._body.get("reasoning_effort")
        wish_effort(self._body, wanted, at=at, traits=self._traits, losses=self._losses)
        if at == "thinking.budget_tokens" and self._body.get("reasoning_effort") != before:
            self._losses.change(at)  # an effort says it less exactly

    def _take_object(self, key: str, *, known: tuple[str, ...]) -> dict[str, Any]:
        value = self._asked.take(key)
        if value is not None and not isinstance(value, dict):
            self._losses.drop(key)
        found = value if isinstance(value, dict) else {}
        for name in sorted(found.keys() - known):
            self._losses.drop(f"{key}.{name}")
        return found

    def _take_user(self) -> None:
        """Take who asks; of the metadata only this has a meaning for the provider."""
        metadata = self._left.get("metadata")
        if isinstance(metadata, dict) and metadata.get("user_id") is not None:
            self._left["metadata"] = {key: metadata[key] for key in metadata.keys() - {"user_id"}}
            if self._options.forward_user and isinstance(metadata["user_id"], str):
                self._body["user"] = metadata["user_id"]
            else:
                self._losses.drop("metadata.user_id")
        take_identity(self._asked, self._body, forward=self._options.forward_user)


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
