"""Pairs that a person told of: preferred answers, edited ones, and ratings of answers to one question.

Here a replay counts, and an answer that its client threw away: a person has read both.
Invariant: the last word holds; of two labels that contradict each other the earlier one is void.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations

from dolphin_logger.curate.pairs.answers import Answers, Given
from dolphin_logger.curate.pairs.scribe import BAD, GOOD, LABEL, Scribe
from dolphin_logger.curate.pairs.told import Fact
from dolphin_logger.curate.pairs.traffic import is_whole
from dolphin_logger.curate.pairs.wording import calls_of, plain
from dolphin_logger.example import Pair


def preferred_pairs(facts: Mapping[str, Fact], scribe: Scribe) -> Iterator[Pair]:
    """Give the pairs of records of which a person preferred one over the other."""
    said = [
        (label.time, label.place, (fact.id, str(label.value["over"])))
        for fact in facts.values()
        for label in scribe.labels.in_force(fact.id)
        if label.kind == "prefer"
    ]
    last = {frozenset(names): names for _, _, names in sorted(said)}
    for chosen, rejected in last.values():
        one, other = (_first(facts.get(name), scribe) for name in (chosen, rejected))
        if one is None or other is None or _is_alike(one, other):
            continue
        if scribe.said(chosen).is_same_question(scribe.said(rejected)):
            yield scribe.pair(LABEL, one, other)


def edited_pairs(facts: Iterable[Fact], scribe: Scribe) -> Iterator[Pair]:
    """Give the answers that a person wrote better, each with what it was."""
    for fact in facts:
        if not is_whole(fact) or not any(
            label.kind == "edit" for label in scribe.labels.in_force(fact.id)
        ):
            continue
        for given in _given(fact, scribe):
            better = scribe.edited(given)
            if better is not None and not _is_alike(better, given):
                yield scribe.pair(LABEL, better, given)


def rated_pairs(answers: Answers, scribe: Scribe) -> Iterator[Pair]:
    """Give the answers to one question of which one was rated good, and the other bad."""
    rated = []
    for answer in answers.each:
        given = [(scribe.rating(one), one) for one in answer.given if is_whole(one.fact)]
        rated.append([(rating, one) for rating, one in given if rating is not None])
    for better, worse in permutations(rated, 2):
        is_good = better and all(rating >= GOOD for rating, _ in better)
        is_bad = worse and all(rating <= BAD for rating, _ in worse)
        if is_good and is_bad:
            yield scribe.pair(LABEL, better[0][1], worse[0][1])


def _first(fact: Fact | None, scribe: Scribe) -> Given | None:
    if fact is None or not is_whole(fact):
        return None
    return next(iter(_given(fact, scribe)), None)


def _given(fact: Fact, scribe: Scribe) -> list[Given]:
    return [Given(fact, choice, message) for choice, message in scribe.said(fact.id).answers]


def _is_alike(one: Given, other: Given) -> bool:
    messages = (one.message, other.message)
    return len({(plain(message), calls_of(message)) for message in messages}) == 1
