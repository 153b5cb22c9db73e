"""Presence: examples with, or without, calls of tools and thoughts.

It knows messages, not what they say. Invariant: one that is there counts, wherever it is; a tool
that is only offered does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from dolphin_logger.curate.filters._limits import check_word
from dolphin_logger.curate.said import calls_of
from dolphin_logger.example import Example

_WANTED: Final = ("any", "some", "none")


@dataclass(frozen=True, slots=True)
class Settings:
    """`tool_calls` and `reasoning`: `some` have to be there, `none` may, or `any`: never mind."""

    tool_calls: str = "any"
    reasoning: str = "any"


@dataclass(frozen=True, slots=True)
class Presence:
    """Refuses examples that have what they should not, or lack what they should have."""

    settings: Settings
    name: ClassVar[str] = "presence"

    def reason(self, example: Example) -> str | None:
        """Say how many calls or thoughts there are, if that is not what is wanted."""
        calls = sum(len(calls_of(chat)) for chat in example.messages)
        thoughts = sum(bool(chat.get("reasoning_content")) for chat in example.messages)
        return _differs(calls, wanted=self.settings.tool_calls, noun="calls of tools") or _differs(
            thoughts, wanted=self.settings.reasoning, noun="messages with reasoning"
        )


def make(settings: Settings) -> Presence | None:
    """Make the filter; None when everything is welcome."""
    check_word(Presence.name, "tool_calls", settings.tool_calls, known=_WANTED)
    check_word(Presence.name, "reasoning", settings.reasoning, known=_WANTED)
    return Presence(settings) if settings != Settings() else None


def _differs(count: int, *, wanted: str, noun: str) -> str | None:
    is_fit = {"any": True, "some": count > 0, "none": count == 0}[wanted]
    return None if is_fit else f"{count} {noun}, wanted {wanted}"
