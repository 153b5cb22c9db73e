"""Refusals: answers in which the model says that it will not help.

A refusal is short, in prose, and says so in its first words; that is what is looked for, in many
languages (`_refusal_phrases`). It does not know why something was refused. Invariants: an answer
that calls a tool or shows code is none, nor is one that begins with a quotation; time is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

from dolphin_logger.curate.filters._limits import check_word
from dolphin_logger.curate.filters._refusal_phrases import PHRASES
from dolphin_logger.curate.said import ANSWER, APOSTROPHES, SCOPES, answers_of, calls_of, text_of
from dolphin_logger.example import Chat, Example

_BEGINNING: Final = 400  # characters in which it has to be said
_LONGEST: Final = 3000  # characters; who writes more has helped with something
_SHOWN: Final = 60
_REFUSED: Final = frozenset(["refusal"])  # what vendors call it, where they tell
_MARKS: Final = "*_# \t\r\n\u200b\ufeff¡"  # of Markdown, in front of the first word


@dataclass(frozen=True, slots=True)
class Settings:
    """`drop`: whether refusals are refused; `scope`: in the `answer` that ends an example, or in `all`."""

    drop: bool = False
    scope: str = ANSWER


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refuses examples in which the model would not help."""

    settings: Settings
    name: ClassVar[str] = "refusals"

    def reason(self, example: Example) -> str | None:
        """Show the words of the refusal."""
        if example.metadata.get("finish_reason") in _REFUSED:
            return "the answer ended by 'refusal', none may refuse"
        for chat in answers_of(example, scope=self.settings.scope):
            if language := refusal_of(chat):
                shown = " ".join(text_of(chat)[: 2 * _SHOWN].split())[:_SHOWN]
                return f"the model refused ({language}): {shown!r}, none may refuse"
        return None


def make(settings: Settings) -> Refusals | None:
    """Make the filter; None when refusals may stay."""
    check_word(Refusals.name, "scope", settings.scope, known=SCOPES)
    return Refusals(settings) if settings.drop else None


def refusal_of(chat: Chat) -> str | None:
    """Name the language in which a message refuses; None when it does not."""
    text = text_of(chat)
    if calls_of(chat) or len(text) > _LONGEST or "```" in text:
        return None
    beginning = text.lstrip(_MARKS)[:_BEGINNING].translate(APOSTROPHES).replace("**", "")
    return next((name for name, phrase in _phrases() if phrase.match(beginning)), None)


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Compile the phrases when they are first wanted."""
    between = r"[\s,.;:!\u060c\u3002\uff0c\uff01\u3001\u2013\u2014-]{0,4}(?:(?:but|however|because|aber|pero|mas|ma|mais|maar)[ ,]{1,2})?"
    return tuple(
        (
            language,
            re.compile(
                rf"(?:(?:{apology}){between}){{0,2}}(?:{'|'.join(refusing)})", re.IGNORECASE
            ),
        )
        for language, (apology, refusing) in PHRASES.items()
    )
