"""The keys of a chat completion request that need more than to be taken out.

It knows what they may hold, and no provider's language. Invariant: where two keys say the same, the
newer one counts, and the older one is named as dropped.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate.losses import refusal
from dolphin_logger.proxy.translate.request_keys import RequestKeys


class ChatRequest(RequestKeys):
    """A chat completion request of which less and less is left."""

    def take_limit(self) -> int | None:
        """Take the limit of tokens, in its current or its older name."""
        limit, older = self.take_whole("max_completion_tokens"), self.take_whole("max_tokens")
        if limit is not None and older is not None and older != limit:
            self.losses.drop("max_tokens")
        return older if limit is None else limit

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
