"""All pairs of one conversation, in order: what people said first, then what the traffic tells.

Invariants: the same records and labels give the same pairs in the same order; what a person said of
two answers, or of one of them, stands against what the traffic seems to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from dolphin_logger.conversation import Relation
from dolphin_logger.conversation.canonical import MODEL, conversed, hash_message
from dolphin_logger.curate.material import Material
from dolphin_logger.curate.pairs.answers import Answer, Answers, Given, find_answers
from dolphin_logger.curate.pairs.asking import Asking, find_askings
from dolphin_logger.curate.pairs.labelled import edited_pairs, preferred_pairs, rated_pairs
from dolphin_logger.curate.pairs.scribe import Scribe
from dolphin_logger.curate.pairs.traffic import edit_pairs, is_served, taken_pairs
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.example import Pair
from dolphin_logger.label import Labels

_REWRITTEN: Final = (
    3  # answers that came back changed: from there on it may be the client that changes
)
_SHARE: Final = 4  # changed ones for each that came back as it was, which no person does


def find_pairs(material: Material, labels: Labels) -> Iterator[Pair]:
    """Find the preference pairs of one conversation.

    An answer is in a pair only if its record was gathered, and is known as taken only if the record
    that goes on from it was; of all others the facts count.
    """
    yield from _Finder(material, labels).find()


class _Finder:
    def __init__(self, material: Material, labels: Labels) -> None:
        self._material = material
        self._labels = labels
        self._scribe = Scribe(material, labels)
        self._there = {fact.id for fact in material.records}

    def find(self) -> Iterator[Pair]:
        """Find them."""
        there = sorted(self._material.records, key=lambda fact: (fact.time, fact.id))
        facts = {fact.id: fact for fact in there if not self._is_dropped(fact)}
        askings = find_askings(self._material.around)
        answered = [(asking, self._answers(asking)) for asking in askings]
        told = [*preferred_pairs(facts, self._scribe), *edited_pairs(facts.values(), self._scribe)]
        for _, answers in answered:
            told += rated_pairs(answers, self._scribe) if answers else ()
        named = {pair.id: pair for pair in told}
        yield from named.values()
        decided = {_ends(pair) for pair in named.values()}
        for pair in self._from_traffic(answered):
            if _ends(pair) not in decided:
                yield pair

    def _from_traffic(self, answered: Sequence[tuple[Asking, Answers | None]]) -> Iterator[Pair]:
        by_hand = not _is_rewritten(answered)
        for asking, answers in answered:
            if answers is not None:
                fit = partial(self._fit, asking)
                yield from taken_pairs(answers, self._scribe, fit)
                if by_hand:
                    yield from edit_pairs(answers, asking, self._scribe, fit, self._known)

    def _answers(self, asking: Asking) -> Answers | None:
        """Read an asking, if there can be a pair in it: what is asked once is mostly not worth reading."""
        changed = any(fact.relation is Relation.EDIT for fact, _ in asking.followers)
        if changed or len(asking.members) > 1 or self._is_many(asking.members[0]):
            return find_answers(asking, self._scribe.said)
        return None

    def _is_many(self, fact: Surveyed) -> bool:
        return fact.id in self._there and len(self._material.recorded(fact.id).choices) > 1

    def _is_dropped(self, fact: Surveyed) -> bool:
        return self._labels.marks(fact.id).verdict == "drop"

    def _fit(self, asking: Asking, answer: Answer) -> list[Given]:
        """Give the records of an answer that were served and seen, as far as we know."""
        return [
            given
            for given in answer.given
            if is_served(given.fact)
            and not given.fact.is_replay
            and given.fact.id not in asking.retried
            and not self._is_dropped(given.fact)
        ]

    def _known(self, before: Surveyed) -> set[bytes]:
        """Hash all that the model was seen to say in what was asked before a record."""
        found: set[bytes] = set()
        for fact in self._material.records:
            said = self._scribe.said(fact.id)
            if said is not None and (fact.time, fact.id) < (before.time, before.id):
                messages = [*conversed(said.asked.messages), *said.answers.values()]
                found.update(hash_message(one) for one in messages if one.role == MODEL)
        return found


def _is_rewritten(answered: Sequence[tuple[Asking, Answers | None]]) -> bool:
    """Say whether it is the client that changes answers: nearly all came back changed."""
    changed = kept = 0
    for asking, answers in answered:
        if answers is None:
            kept += bool(asking.followers)
        else:
            kept += sum(answer.continued >= 0 for answer in answers.each)
            changed += len({id(change.answer) for change in answers.changes})
    return changed >= _REWRITTEN and changed >= _SHARE * kept


def _ends(pair: Pair) -> frozenset[tuple[str, int]]:
    """Name the two answers of a pair, whichever is the better one."""
    return frozenset(
        (pair.metadata[f"{end}_record"], pair.metadata.get(f"{end}_choice", 0))
        for end in ("chosen", "rejected")
    )
