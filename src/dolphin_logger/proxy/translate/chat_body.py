"""The keys around the messages of a chat completion request, whoever asks for it.

It knows which keys servers have in common, and no client's language. Invariants: an answer is always
asked for as a stream that is counted; what a client says in the provider's own words goes out as it is.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.chat_models import ModelTraits
from dolphin_logger.proxy.translate.losses import Losses
from dolphin_logger.proxy.translate.request_keys import RequestKeys

Body = dict[str, Any]

NO_PARAMETERS: Final = {"type": "object", "properties": {}}  # of a function that takes none
_WHO_ASKS: Final = ("user", "safety_identifier")
# Keys of chat completions, and of servers that speak them, for clients that send them anyway.
_PASS: Final = frozenset(
    (
        *("frequency_penalty", "presence_penalty", "logit_bias", "seed", "stop", "temperature"),
        *("top_p", "top_k", "min_p", "top_a", "typical_p", "repetition_penalty", "thinking"),
        *("enable_thinking", "chat_template_kwargs", "extra_body", "keep_alive", "options"),
        *("provider", "models", "plugins", "transforms", "route", "cache_prompt", "safe_prompt"),
        *("reasoning", "reasoning_effort", "reasoning_format", "response_format", "service_tier"),
        *("parallel_tool_calls", "prediction", "prompt_cache_key", "prompt_cache_options"),
        *("prompt_cache_retention", "store", "verbosity", "web_search_options"),
    )
)


def ask_for_stream(body: Body) -> None:
    """Always ask for a stream, and for its token counts: without them nobody knows any."""
    body["stream"] = True
    body["stream_options"] = {"include_usage": True}


def take_identity(asked: RequestKeys, body: Body, *, forward: bool) -> None:
    """Send on who asks, if the configuration allows it: this may name a person."""
    for key in _WHO_ASKS:
        if key not in asked.left:
            continue
        if forward:
            body[key] = asked.take(key)
        else:
            asked.drop(key)


def pass_native(
    asked: RequestKeys,
    body: Body,
    *,
    says_nothing: Mapping[str, tuple[Any, ...]],
    but: Collection[str] = (),
) -> None:
    """Let keys pass that the provider's language has, too; name the rest as dropped.

    `but` are those that mean another thing in the client's language.
    """
    for key in [key for key in asked.left if key in _PASS and key not in but]:
        value = asked.take(key)
        if value not in says_nothing.get(key, ()):
            body[key] = value
    asked.take_rest(says_nothing=says_nothing)


def wish_effort(
    body: Body, wanted: str | None, *, at: str, traits: ModelTraits, losses: Losses
) -> None:
    """Ask for the nearest effort to a wish that clients make by themselves; `at` is its place.

    A model that is not known gets none, because servers of models that do not think refuse the key.
    """
    effort = traits.choose_effort(wanted, beside_tools="tools" in body)
    if effort is not None:
        body["reasoning_effort"] = effort
    if effort == wanted:
        return
    if wanted is None:
        losses.change("tools (reasoning_effort: none)")
    elif effort is None:
        losses.drop(at)
    else:
        losses.change(at)


def write_function(
    name: str, *, parameters: Mapping[str, Any], description: Any = None, strict: Any = None
) -> dict[str, Any]:
    """Write a tool as a function."""
    optional = {"description": description, "parameters": parameters, "strict": strict}
    said = {key: value for key, value in optional.items() if value is not None}
    return {"type": "function", "function": {"name": name, **said}}


def write_choice(name: str) -> dict[str, Any]:
    """Write the choice of one function."""
    return {"type": "function", "function": {"name": name}}
