"""Pairs that the traffic itself tells of: regenerations, one of n, and edits.

It judges the answers to one question; what people said of them it is handed. Invariants: both answers
were whole and served, to the same words; the better one was taken once both were there, the other
one was not. Of several that were taken none is worse than another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import permutations
from typing import Final, TypeAlias

from dolphin_logger.conversation.canonical import MODEL, hash_message
from dolphin_logger.curate.pairs.answers import Answer, Answers, Change, Given
from dolphin_logger.curate.pairs.asking import Asking
from dolphin_logger.curate.pairs.said import Said
from dolphin_logger.curate.pairs.scribe import EDIT, N_BEST, REGENERATE, Scribe
from dolphin_logger.curate.pairs.wording import (
    calls_of,
    is_made_short,
    likeness,
    plain,
    without_thoughts,
)
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.example import Pair

Fit: TypeAlias = Callable[[Answer], Sequence[Given]]
"""Gives the records of an answer that may stand in a pair."""
Known: TypeAlias = Callable[[Surveyed], Collection[bytes]]
"""Gives hashes of all that the model was seen to say before a record was asked."""
_ASKED_AGAIN: Final = (
    300_000_000  # microseconds between a first question and the same by the same person
)
_OF_IT: Final = (
    0.3  # share of words that an edit leaves, where nothing else says whose answer it was
)


def is_served(fact: Surveyed) -> bool:
    """Say whether a record holds an answer that somebody may learn from."""
    served = fact.outcome == "completed" and (fact.status is None or 200 <= fact.status < 300)
    return served and fact.provider != "demo" and fact.publishable is not False


def taken_pairs(answers: Answers, scribe: Scribe, fit: Fit) -> Iterator[Pair]:
    """Give the pairs of answers of which one was gone on with, and the other was not."""
    for chosen, rejected in permutations(answers.each, 2):
        both = max(chosen.since, rejected.since)
        if chosen.continued <= both or rejected.used > both:
            continue
        if answers.are_first and _may_be_two_people(chosen, rejected):
            continue
        found = _given_together(fit(chosen), fit(rejected))
        if found is None:
            continue
        one, other = found
        if scribe.contradicts(one, other):
            continue
        better, worse = scribe.said(one.fact.id), scribe.said(other.fact.id)
        if better and worse and _is_same_task(better, worse):
            same = one.fact.id == other.fact.id
            yield scribe.pair(N_BEST if same else REGENERATE, one, scribe.recorded(other))


def edit_pairs(
    answers: Answers, asking: Asking, scribe: Scribe, fit: Fit, known: Known
) -> Iterator[Pair]:
    """Give the answers that a person wrote anew, each with what came of it last."""
    last = {id(change.answer): change for change in answers.changes}
    for change in last.values():
        given = fit(change.answer)
        if given and _is_by_hand(change, answers, asking, scribe, known):
            served = scribe.recorded(given[0])
            mine, theirs = without_thoughts(served.message), without_thoughts(change.message)
            one, other = (Given(given[0].fact, given[0].choice, text) for text in (theirs, mine))
            yield scribe.pair(EDIT, one, other, edited_in=change.fact.id)


def _may_be_two_people(chosen: Answer, rejected: Answer) -> bool:
    """Say whether two chats that only begin alike would look just so: the first question, but later."""
    apart = abs(chosen.since - rejected.since)
    return apart > _ASKED_AGAIN or chosen.begun <= max(chosen.since, rejected.since)


def _given_together(
    chosen: Sequence[Given], rejected: Sequence[Given]
) -> tuple[Given, Given] | None:
    """Choose where to take the two from: the same record if one gave both."""
    for one in chosen:
        for other in rejected:
            if one.fact.id == other.fact.id:
                return one, other
    return (chosen[0], rejected[0]) if chosen and rejected else None


def _is_same_task(one: Said, other: Said) -> bool:
    """Say whether two requests wanted the same, and left the model a choice."""
    return one.setting == other.setting and not (one.is_certain and other.is_certain)


def _is_by_hand(
    change: Change,
    answers: Answers,
    asking: Asking,
    scribe: Scribe,
    known: Known,
) -> bool:
    """Say whether only a person can have changed an answer so."""
    ours, text = change.answer, plain(change.message)
    if not change.rest or text == ours.text or is_made_short(text, ours.text):
        return False
    if calls_of(change.message) != ours.calls:
        return False  # clients mend and drop calls
    if answers.are_first and likeness(change.message, ours.given[-1].message) < _OF_IT:
        return False
    if text.startswith(ours.text) and text[len(ours.text) :] in _said_behind(asking, scribe):
        return False  # two answers that a client put together
    told = [message for message in change.rest if message.role == MODEL]
    return not told or {hash_message(message) for message in told} <= set(known(change.fact))


def _said_behind(asking: Asking, scribe: Scribe) -> set[str]:
    told = [scribe.said(fact.id) for fact, _ in asking.followers]
    return {plain(message) for said in told if said for message in said.answers.values()}
