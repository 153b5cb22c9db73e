"""Finish reason: answers that did not come to their own end.

The reason is the vendor's word; those that mean the same are one here, in the words of OpenTelemetry.
It does not know texts. Invariant: an unknown reason is never one of those refused by meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from dolphin_logger.example import Example

_MEANINGS: Final = {
    "length": "max_tokens max_output_tokens model_length model_context_window_exceeded token_limit",
    "content_filter": "safety recitation prohibited_content blocklist spii image_safety refusal",
    "error": "malformed_function_call malformed_response unexpected_tool_call failed cancelled",
}
_MEANING: Final = {word: name for name, words in _MEANINGS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Settings:
    """`drop`: reasons that are refused.

    `length`, `content_filter` and `error` mean every vendor's word for it (`max_tokens` is `length`);
    others are taken as they are.
    """

    drop: tuple[str, ...] = ("length", "content_filter", "error")


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Refuses answers that were cut, filtered or broken off."""

    settings: Settings
    name: ClassVar[str] = "finish_reason"

    def reason(self, example: Example) -> str | None:
        """Name the reason for which the answer ended, if it is one of those refused."""
        given = example.metadata.get("finish_reason")
        if not isinstance(given, str):
            return None
        dropped = {word.lower() for word in self.settings.drop}
        word = given.lower()
        if word in dropped or _MEANING.get(word) in dropped:
            return f"the answer ended by {given!r}, none of {', '.join(self.settings.drop)}"
        return None


def make(settings: Settings) -> FinishReason | None:
    """Make the filter; None when every reason is good."""
    return FinishReason(settings) if settings.drop else None
