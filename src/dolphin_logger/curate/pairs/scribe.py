"""The scribe: reads the records of one conversation as a person has corrected them, and writes pairs.

It knows words and labels, not which answer is better. Invariant: what is chosen is written as a person
has edited it; what is rejected, as it was served.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from dolphin_logger.curate.material import Material
from dolphin_logger.curate.pairs.answers import Given
from dolphin_logger.curate.pairs.said import Said, said_of
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Pair, chats_of
from dolphin_logger.label import Labels

EDIT: Final = "edit"
LABEL: Final = "label"
N_BEST: Final = "n_best"
REGENERATE: Final = "regenerate"
GOOD: Final = 4  # a rating from which on an answer is good, and
BAD: Final = 2  # one up to which it is bad
_REMEMBERED: Final = 256  # records in words


class Scribe:
    """Reads and writes for one conversation."""

    def __init__(self, material: Material, labels: Labels) -> None:
        self.labels = labels
        self._material = material
        self._read = lru_cache(_REMEMBERED)(self._put_in_words)

    def said(self, record: str) -> Said | None:
        """Put a record in words; None where they are not here, or not all of them."""
        return self._read(record)

    def rating(self, given: Given) -> int | None:
        """Give what a person said of an answer; of one of several, only what was said of it alone."""
        record = given.fact.id
        place = self._material.sent(record) + given.choice
        own = self.labels.marks(record, message=place).rating
        if own is not None or len(self._material.recorded(record).choices) > 1:
            return own
        return self.labels.marks(record).rating

    def contradicts(self, chosen: Given, rejected: Given) -> bool:
        """Say whether a person rated the better answer bad, or the worse one good."""
        better, worse = self.rating(chosen), self.rating(rejected)
        return (better or GOOD) <= BAD or (worse or BAD) >= GOOD

    def recorded(self, given: Given) -> Given:
        """Give an answer as it was served."""
        said = self.said(given.fact.id)
        served = None if said is None else said.recorded.get(given.choice)
        return given if served is None else replace(given, message=served)

    def pair(self, signal: str, chosen: Given, rejected: Given, **more: str) -> Pair:
        """Write a pair; the prompt is that of the chosen answer, whose words are here."""
        question = self.said(chosen.fact.id)
        assert question is not None
        ids = {"chosen_record": chosen.fact.id, "rejected_record": rejected.fact.id}
        models = {"chosen_model": chosen.fact.model, "rejected_model": rejected.fact.model}
        places = {"chosen_choice": chosen.choice, "rejected_choice": rejected.choice}
        if not any(places.values()):
            places = {}
        return Pair(
            id=_name(signal, chosen, rejected),
            conversation=chosen.fact.conversation,
            prompt=question.chats(),
            chosen=chats_of([chosen.message]),
            rejected=chats_of([rejected.message]),
            signal=signal,
            tools=question.tools(),
            metadata={**ids, **places, **models, **more},
        )

    def _put_in_words(self, record: str) -> Said | None:
        try:
            return said_of(self._material, record)
        except DatasetError:
            return None


def _name(signal: str, chosen: Given, rejected: Given) -> str:
    """Name a pair: two signals, records or choices never give the same name."""
    ends = [
        given.fact.id + (f".{given.choice}" if given.choice else "") for given in (chosen, rejected)
    ]
    return "-".join([signal, *dict.fromkeys(ends)])
