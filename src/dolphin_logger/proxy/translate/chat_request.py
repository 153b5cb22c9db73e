"""The keys of a chat completion request, taken out one by one.

It knows what they may hold, and no provider's language. Invariant: a key is taken, dropped by name,
or still there for whoever looks at the rest; none gets lost in silence.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.proxy.translate.losses import Losses, refusal


class ChatRequest:
    """A request of which less and less is left; null is the same as leaving a key out."""

    def __init__(self, body: Mapping[str, Any], *, refused: frozenset[str]) -> None:
        self.losses = Losses()
        self.left = {key: value for key, value in body.items() if value is not None}
        self.left.pop("model", None)  # it has chosen the provider already
        for key in sorted(refused & self.left.keys()):
            self.drop(key)

    def take(self, key: str) -> Any:
        """Take a value out; None when there is none."""
        return self.left.pop(key, None)

    def drop(self, key: str) -> None:
        """Leave a value out that is there, and say so."""
        del self.left[key]
        self.losses.drop(key)

    def take_number(self, key: str) -> int | float | None:
        """Take a number."""
        value = self.take(key)
        if value is None or type(value) in (int, float):
            number: int | float | None = value
            return number
        raise refusal(f"{key} must be a number", param=key)

    def take_limit(self) -> int | None:
        """Take the limit of tokens, in its current or its older name."""
        limit, older = self.take("max_completion_tokens"), self.take("max_tokens")
        if limit is not None and older is not None and older != limit:
            self.losses.drop("max_tokens")
        key = "max_tokens" if limit is None else "max_completion_tokens"
        limit = older if limit is None else limit
        if limit is not None and type(limit) is not int:
            raise refusal(f"{key} must be a whole number", param=key)
        return limit

    def take_stops(self) -> list[str]:
        """Take the texts that end an answer."""
        stop = self.take("stop")
        stops = [] if stop is None else [stop] if isinstance(stop, str) else stop
        if not isinstance(stops, list) or not all(isinstance(text, str) for text in stops):
            raise refusal("stop must be a string or an array of strings", param="stop")
        return stops

    def take_choice(self) -> tuple[Any, str]:
        """Take the choice of tools, and the name of the key that it stood in."""
        choice, older = self.take("tool_choice"), self.take("function_call")
        if choice is None:
            return older, "function_call"
        if older is not None:
            self.losses.drop("function_call")
        return choice, "tool_choice"

    def take_stream(self) -> None:
        """Take what concerns our own stream."""
        self.take("stream")
        options = self.take("stream_options")
        for key, value in options.items() if isinstance(options, dict) else ():
            if key != "include_usage" and value:
                self.losses.drop(f"stream_options.{key}")
