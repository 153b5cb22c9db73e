"""The scribe: reads the records of one conversation as a person has corrected them, and writes pairs.

It knows words and labels, not which answer is better. Invariant: what is chosen is written as a person
has edited it; what is rejected, as it was served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from dolphin_logger.curate.pairs.answers import Given
from dolphin_logger.curate.pairs.said import Said, said_of
from dolphin_logger.curate.pairs.told import Told
from dolphin_logger.example import Pair, chats_of
from dolphin_logger.label import Labels
from dolphin_logger.messages import Message, Reasoning, Refusal, Text

EDIT: Final = "edit"
LABEL: Final = "label"
N_BEST: Final = "n_best"
REGENERATE: Final = "regenerate"
GOOD: Final = 4  # a rating from which on an answer is good, and
BAD: Final = 2  # one up to which it is bad
_REMEMBERED: Final = 256  # records in words


class Scribe:
    """Reads and writes for one conversation."""

    def __init__(self, told: Told, labels: Labels) -> None:
        self.told = told
        self.labels = labels
        self._read = lru_cache(_REMEMBERED)(lambda record: said_of(told, record))

    def said(self, record: str) -> Said:
        """Put a record in words."""
        return self._read(record)

    def rating(self, given: Given) -> int | None:
        """Give what a person said of an answer; of one of several, only what was said of it alone."""
        record = given.fact.id
        own = self.labels.marks(record, message=self._place(given)).rating
        if own is not None or len(self.said(record).answers) > 1:
            return own
        return self.labels.marks(record).rating

    def contradicts(self, chosen: Given, rejected: Given) -> bool:
        """Say whether a person rated the better answer bad, or the worse one good."""
        better, worse = self.rating(chosen), self.rating(rejected)
        return (better or GOOD) <= BAD or (worse or BAD) >= GOOD

    def edited(self, given: Given) -> Given | None:
        """Give an answer as a person has edited it; None where nobody has."""
        edit = self.labels.marks(given.fact.id, message=self._place(given)).edit
        return None if edit is None else replace(given, message=_changed(given.message, edit))

    def pair(self, signal: str, chosen: Given, rejected: Given, **more: str) -> Pair:
        """Write a pair; the prompt is that of the chosen answer."""
        question = self.said(chosen.fact.id)
        ids = {"chosen_record": chosen.fact.id, "rejected_record": rejected.fact.id}
        models = {"chosen_model": chosen.fact.model, "rejected_model": rejected.fact.model}
        places = {"chosen_choice": chosen.choice, "rejected_choice": rejected.choice}
        if not any(places.values()):
            places = {}
        better = chosen if signal == EDIT else self.edited(chosen) or chosen
        return Pair(
            id=_name(signal, chosen, rejected),
            conversation=chosen.fact.conversation,
            prompt=question.chats(),
            chosen=chats_of([better.message]),
            rejected=chats_of([rejected.message]),
            signal=signal,
            tools=question.tools(),
            metadata={**ids, **places, **models, **more},
        )

    def _place(self, given: Given) -> int:
        return self.told.sent(given.fact.id) + given.choice


def _name(signal: str, chosen: Given, rejected: Given) -> str:
    """Name a pair: two signals, records or choices never give the same name."""
    ends = [
        given.fact.id + (f".{given.choice}" if given.choice else "") for given in (chosen, rejected)
    ]
    return "-".join([signal, *dict.fromkeys(ends)])


def _changed(message: Message, edit: Mapping[str, Any]) -> Message:
    """Put a person's text in the place of a message's own; thoughts and calls stay."""
    parts = edit.get("parts") or ()
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    text = edit.get("text") or "".join(text for text in texts if isinstance(text, str))
    kept = [part for part in message.parts if not isinstance(part, Text | Refusal)]
    before = [part for part in kept if isinstance(part, Reasoning)]
    after = [part for part in kept if not isinstance(part, Reasoning)]
    return Message(message.role, (*before, Text(text), *after), message.name)
