"""Answers: what was said to one question, each wording once, and what became of it.

It reads the followers of an asking and finds in their histories which answer came back, as it was or
changed. Invariant: an answer counts as taken only where a later history shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from dolphin_logger.conversation import Relation
from dolphin_logger.conversation.canonical import MODEL, hash_message
from dolphin_logger.curate.pairs.asking import Asking
from dolphin_logger.curate.pairs.said import Said, conversation_of
from dolphin_logger.curate.pairs.wording import calls_of, likeness, plain
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.messages import Message

_NEVER = -1


@dataclass(frozen=True, slots=True)
class Given:
    """One choice of one record."""

    fact: Surveyed
    choice: int
    message: Message


@dataclass(slots=True)
class Answer:
    """One wording of an answer.

    Attributes:
        given: where it was given, the earliest first.
        continued: when something was last asked behind it as it was, UNIX microseconds, -1 for never;
            `begun`: and when that began. `used`: when something was last asked behind it or behind a
            version of it that came back changed.
    """

    text: str
    calls: bytes
    given: list[Given] = field(default_factory=list)
    continued: int = _NEVER
    begun: int = _NEVER
    used: int = _NEVER

    @property
    def since(self) -> int:
        """When it was first asked for."""
        return self.given[0].fact.time

    def take(self, time: int, last: int) -> None:
        """Note that it was gone on with, from a time on until another."""
        self.begun = time if self.begun == _NEVER else min(self.begun, time)
        self.continued, self.used = max(self.continued, last), max(self.used, last)


@dataclass(frozen=True, slots=True)
class Change:
    """An answer that came back as something else; `rest` is what stands behind it there."""

    answer: Answer
    message: Message
    fact: Surveyed
    rest: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to one question, and those of them that came back changed."""

    question: Said
    each: tuple[Answer, ...]
    changes: tuple[Change, ...]

    @property
    def are_first(self) -> bool:
        """Whether the model had said nothing before, so that others may have asked the same."""
        return not any(message.role == MODEL for message in self.question.history)


def find_answers(asking: Asking, read: Callable[[str], Said | None]) -> Answers | None:
    """Find the answers to a question and what became of each; None where no words of it are here."""
    told = [(fact, said) for fact in asking.members if (said := read(fact.id)) is not None]
    if not told:
        return None
    question = told[0][1]
    by_wording: dict[tuple[str, bytes], Answer] = {}
    for fact, said in told:
        for choice, message in said.answers.items():
            key = plain(message), calls_of(message)
            answer = by_wording.setdefault(key, Answer(*key))
            answer.given.append(Given(fact, choice, message))
    each = tuple(by_wording.values())
    changes = []
    base = len(question.history)
    for fact, last in asking.followers if each else ():
        there = read(fact.id)
        if there is None:
            for answer in each:  # one of them was gone on with, and nobody knows which
                answer.used = max(answer.used, last)
            continue
        history = conversation_of(there.asked.messages)
        is_behind = _hashes(history[:base]) == _hashes(question.history)
        back = history[base : base + 1] if is_behind else history
        taken = _taken([message for message in back if message.role == MODEL], each)
        if taken is not None:
            taken.take(fact.time, last)
        elif is_behind and back and fact.relation is Relation.EDIT and back[0].role == MODEL:
            closest = _closest(back[0], each)
            closest.used = max(closest.used, last)
            changes.append(Change(closest, back[0], fact, history[base + 1 :]))
    return Answers(question, each, tuple(changes))


def _taken(messages: Sequence[Message], each: Iterable[Answer]) -> Answer | None:
    """Find the answer that is among messages; where only its calls were rewritten, if it is the only one."""
    for message in reversed(messages):
        text, calls = plain(message), calls_of(message)
        alike = [answer for answer in each if answer.text == text]
        same = [answer for answer in alike if answer.calls == calls]
        if same:
            return same[0]
        if text and len(alike) == 1:
            return alike[0]
    return None


def _closest(message: Message, each: Sequence[Answer]) -> Answer:
    """Find the answer that a text was made of; of equally close ones the latest."""
    return max(
        each,
        key=lambda answer: (likeness(message, answer.given[-1].message), answer.since),
    )


def _hashes(messages: Iterable[Message]) -> list[bytes]:
    return list(map(hash_message, messages))
