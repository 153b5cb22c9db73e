"""Empty: answers that say nothing and call nothing.

It knows messages. Invariant: an answer of thoughts alone is empty, for nobody was given it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dolphin_logger.curate.said import ANSWER, answers_of, calls_of, text_of
from dolphin_logger.example import Chat, Example


@dataclass(frozen=True, slots=True)
class Settings:
    """`drop`: whether examples with an empty answer at their end are refused."""

    drop: bool = True


@dataclass(frozen=True, slots=True)
class Empty:
    """Refuses examples that end without an answer."""

    name: ClassVar[str] = "empty"

    def reason(self, example: Example) -> str | None:
        """Say that the answer is empty."""
        answers = answers_of(example, scope=ANSWER)
        if any(map(_says_something, answers)):
            return None
        return "the answer has no text and calls no tool" if answers else "there is no answer"


def make(settings: Settings) -> Empty | None:
    """Make the filter; None when it is not wanted."""
    return Empty() if settings.drop else None


def _says_something(chat: Chat) -> bool:
    content = chat.get("content")
    if isinstance(content, list) and any(part.get("type") != "text" for part in content):
        return True
    return bool(calls_of(chat) or text_of(chat).strip())
