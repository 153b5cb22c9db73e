"""Pairs that a person told of: preferred answers, edited ones, and ratings of answers to one question.

Here a replay counts, and an answer that its client threw away: a person has read both.
Invariant: the last word holds; of two labels that contradict each other the earlier one is void.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import permutations

from dolphin_logger.conversation.canonical import hash_message
from dolphin_logger.curate.pairs.answers import Answers, Given
from dolphin_logger.curate.pairs.scribe import BAD, GOOD, LABEL, Scribe
from dolphin_logger.curate.pairs.traffic import is_served
from dolphin_logger.curate.pairs.wording import calls_of, plain
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.example import Pair


def preferred_pairs(facts: Mapping[str, Surveyed], scribe: Scribe) -> Iterator[Pair]:
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
        better, worse = scribe.said(chosen), scribe.said(rejected)
        if better and worse and better.is_same_question(worse):
            yield scribe.pair(LABEL, one, scribe.recorded(other))


def edited_pairs(facts: Collection[Surveyed], scribe: Scribe) -> Iterator[Pair]:
    """Give the answers that a person wrote better, each once, with what they were."""
    found: set[tuple[bytes, ...]] = set()
    said = (label for fact in facts for label in scribe.labels.in_force(fact.id))
    if not any(label.kind == "edit" for label in said):
        return
    for fact in facts:
        for better in _given(fact, scribe) if is_served(fact) else ():
            served, words = scribe.recorded(better), scribe.said(fact.id)
            if words is None or _is_alike(better, served):
                continue
            place = (*map(hash_message, words.history), hash_message(served.message))
            if place not in found:
                found.add(place)
                yield scribe.pair(LABEL, better, served)


def rated_pairs(answers: Answers, scribe: Scribe) -> Iterator[Pair]:
    """Give the answers to one question of which one was rated good, and the other bad."""
    rated = []
    for answer in answers.each:
        given = [(scribe.rating(one), one) for one in answer.given if is_served(one.fact)]
        rated.append([(rating, one) for rating, one in given if rating is not None])
    for better, worse in permutations(rated, 2):
        is_good = better and all(rating >= GOOD for rating, _ in better)
        is_bad = worse and all(rating <= BAD for rating, _ in worse)
        if is_good and is_bad:
            yield scribe.pair(LABEL, better[0][1], scribe.recorded(worse[0][1]))


def _first(fact: Surveyed | None, scribe: Scribe) -> Given | None:
    if fact is None or not is_served(fact):
        return None
    return next(iter(_given(fact, scribe)), None)


def _given(fact: Surveyed, scribe: Scribe) -> list[Given]:
    said = scribe.said(fact.id)
    answers = said.answers.items() if said else ()
    return [Given(fact, choice, message) for choice, message in answers]


def _is_alike(one: Given, other: Given) -> bool:
    messages = (one.message, other.message)
    return len({(plain(message), calls_of(message)) for message in messages}) == 1
