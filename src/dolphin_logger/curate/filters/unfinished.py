"""Unfinished: calls of tools to which no result came.

At the end of an example such a call is what the model answered, which is right for single turns and
half a story for conversations; before the end it breaks chat templates. It knows calls and results,
not what they say. Invariant: a result answers a call by its id, and without ids by its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from dolphin_logger.curate.said import calls_of
from dolphin_logger.example import Chat, Example


@dataclass(frozen=True, slots=True)
class Settings:
    """`at_end`: whether examples are refused that end with a call; `within`: with one before that."""

    at_end: bool = False
    within: bool = True


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Refuses examples with calls that nobody answered."""

    settings: Settings
    name: ClassVar[str] = "unfinished"

    def reason(self, example: Example) -> str | None:
        """Name the tool that was called without a result."""
        for at, chat in enumerate(example.messages):
            results = _results(example.messages, at + 1)
            is_end = at + 1 + len(results) == len(example.messages)
            if not (self.settings.at_end if is_end else self.settings.within):
                continue
            if call := _first_open(calls_of(chat), results):
                name = (call.get("function") or {}).get("name")
                place = "at the end" if is_end else f"in message {at}"
                return f"the call of {name!r} {place} has no result, none may be open"
        return None


def make(settings: Settings) -> Unfinished | None:
    """Make the filter; None when open calls are welcome."""
    return Unfinished(settings) if settings.at_end or settings.within else None


def _results(messages: list[Chat], start: int) -> list[Chat]:
    """Give the results that follow each other from a place on."""
    found = []
    for chat in messages[start:]:
        if chat.get("role") != "tool":
            break
        found.append(chat)
    return found


def _first_open(calls: Sequence[Chat], results: list[Chat]) -> Chat | None:
    answered = {result.get("tool_call_id") for result in results}
    nameless = sum(result.get("tool_call_id") is None for result in results)
    for call in calls:
        if call.get("id") is not None and call["id"] in answered:
            continue
        if not nameless:
            return call
        nameless -= 1
    return None
