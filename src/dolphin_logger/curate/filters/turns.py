"""Turns: how often the model answered. It knows messages, not what they say.

Invariant: a message of the model's is one turn, whether it speaks or calls tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dolphin_logger.curate.filters._limits import check_limits, outside
from dolphin_logger.curate.said import turns_of
from dolphin_logger.example import Example


@dataclass(frozen=True, slots=True)
class Settings:
    """`least` and `most` answers of the model; `most` 0 is any number."""

    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Turns:
    """Refuses conversations that are too short or too long."""

    settings: Settings
    name: ClassVar[str] = "turns"

    def reason(self, example: Example) -> str | None:
        """Say how many turns there are, if they are too few or too many."""
        count = len(turns_of(example.messages))
        return outside(count, least=self.settings.least, most=self.settings.most, noun="turns")


def make(settings: Settings) -> Turns | None:
    """Make the filter; None without limits."""
    check_limits(Turns.name, least=settings.least, most=settings.most)
    return Turns(settings) if settings.least or settings.most else None
