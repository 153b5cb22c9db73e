"""Said: the question and the answers of a record, in words and in the form of a dataset.

It knows what a record says, not what became of it. Invariant: an answer that the client began (prefill)
is one with what the model said behind it, and no part of the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dolphin_logger.conversation import canonical
from dolphin_logger.conversation.canonical import (
    INSTRUCTIONS,
    MODEL,
    conversed,
    hash_message,
    spoken,
)
from dolphin_logger.curate.material import Material
from dolphin_logger.curate.pairs.wording import lasting
from dolphin_logger.example import Chat, Json, chats_of, tool_of
from dolphin_logger.messages import Asked, Message


@dataclass(frozen=True, slots=True)
class Said:
    """One record in words.

    Attributes:
        prompt: the history, instructions included, without an answer that the client began.
        history: what was said to and fro in it, one message a turn.
        answers: each choice that says something, by its number, as it would come back, with a
            person's edits; `recorded`: as it was recorded.
    """

    prompt: tuple[Message, ...]
    history: tuple[Message, ...]
    answers: dict[int, Message]
    recorded: dict[int, Message]
    asked: Asked

    @property
    def setting(self) -> tuple[str, tuple[str, ...]]:
        """What the model was told and offered, as far as it lasts from call to call."""
        told = [spoken(message) for message in self.prompt if message.role in INSTRUCTIONS]
        return lasting("\n".join(told)), tuple(sorted(tool.name for tool in self.asked.tools))

    @property
    def is_certain(self) -> bool:
        """Whether the model was to say what is likeliest: asked again, it would say the same."""
        return temperature_of(self.asked.rest) == 0

    def chats(self) -> list[Chat]:
        """Give the prompt in chat form."""
        return chats_of(self.prompt)

    def tools(self) -> list[Json]:
        """Give the tools as chat templates expect them."""
        return [tool_of(tool) for tool in self.asked.tools]

    def is_same_question(self, other: Said) -> bool:
        """Say whether the same was said to the model before it answered."""
        return list(map(hash_message, self.history)) == list(map(hash_message, other.history))


def said_of(material: Material, record: str) -> Said:
    """Put a record in words.

    Raises:
        DatasetError: a part of its history is missing.
    """
    asked = material.asked(record)
    prompt = list(asked.messages)
    begun: list[Message] = []
    while prompt and prompt[-1].role == MODEL:
        begun.insert(0, prompt.pop())
    parts = tuple([part for message in begun for part in message.parts])
    answers, recorded = (
        {
            number: message
            for number, choice in enumerate(answered.choices)
            if canonical(message := Message(MODEL, (*parts, *choice.message.parts)))
        }
        for answered in (material.answered(record), material.recorded(record))
    )
    return Said(tuple(prompt), conversation_of(prompt), answers, recorded, asked)


def conversation_of(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Give what was said to and fro, as stitching counts it."""
    return tuple([message for message in conversed(messages) if canonical(message)])


def temperature_of(parameters: Mapping[str, Any]) -> float | None:
    """Find the temperature in the words of any wire language."""
    for place in (parameters, *(parameters.get(key) for key in _PLACES)):
        found = place.get("temperature") if isinstance(place, Mapping) else None
        if isinstance(found, int | float):
            return float(found)
    return None


_PLACES = ("generationConfig", "generation_config", "options")  # Gemini, Ollama
