"""Repetition: answers that say the same again and again, as models do that are stuck.

Three signs: the share of runs of eight words that were there before, the share of text in lines that
were there before, and something short said many times in a row at any place. Code repeats itself for
good reasons, so that only lines count there; so do numbers, which are no words here.
Invariant: linear time and one pass, however long the answer is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from dolphin_logger.curate.filters._limits import check_share, check_word
from dolphin_logger.curate.said import ANSWER, SCOPES, answers_of, text_of, without_code, words_of
from dolphin_logger.example import Example

_RUN: Final = 8  # words
_FEWEST: Final = 60  # words or characters in lines below which shares mean nothing
_LINES: Final = 10
_SHORTEST_LINE: Final = 12  # characters; brackets and rulers repeat in good text
_LOOP_WORDS: Final = 40  # that a loop has at least, all its rounds together
_STUCK: Final = re.compile(r"([^\s\-=_*#~.·─━═│/\\+|0-9a-fA-F])\1{199}")  # no rulers, no dumps


@dataclass(frozen=True, slots=True)
class Settings:
    """`most`: largest share of repeated text, 1 is any; `loops`: how often the same may be said in a row.

    `loops` 0 is any number. `scope`: in the `answer` that ends an example, or in `all` of the model's.
    """

    most: float = 0.5
    loops: int = 8
    scope: str = ANSWER


@dataclass(frozen=True, slots=True)
class Repetition:
    """Refuses examples in which the model repeats itself."""

    settings: Settings
    name: ClassVar[str] = "repetition"

    def reason(self, example: Example) -> str | None:
        """Say what is repeated and how much of it, if it is too much."""
        for chat in answers_of(example, scope=self.settings.scope):
            if reason := self._reason(text_of(chat)):
                return reason
        return None

    def _reason(self, text: str) -> str | None:
        most, loops = self.settings.most, self.settings.loops
        words = [word for word in words_of(without_code(text)) if not word.isdecimal()]
        repeated, rounds = _runs(words)
        if repeated > most:
            return f"{repeated:.0%} of the runs of {_RUN} words are repeated, at most {most:.0%}"
        if loops and rounds > loops:
            return f"the same words {rounds} times in a row, at most {loops}"
        lines = _lines(text.splitlines())
        if lines > most:
            return f"{lines:.0%} of the text is in repeated lines, at most {most:.0%}"
        if loops and (stuck := _STUCK.search(text)):
            return f"the sign {stuck[1]!r} 200 times in a row, at most {loops}"
        return None


def make(settings: Settings) -> Repetition | None:
    """Make the filter; None when any repetition may stay."""
    check_share(Repetition.name, "most", settings.most)
    check_word(Repetition.name, "scope", settings.scope, known=SCOPES)
    return Repetition(settings) if settings.most < 1 or settings.loops else None


def _runs(words: list[str]) -> tuple[float, int]:
    """Give the share of repeated runs, and how often the same was said in a row at most."""
    seen: dict[tuple[str, ...], int] = {}
    repeated = rounds = period = begun = 0
    count = len(words) - _RUN + 1
    for at in range(count):
        run = tuple(words[at : at + _RUN])
        before = seen.get(run)
        seen[run] = at
        if before is None:
            period = 0
            continue
        repeated += 1
        if at - before != period:
            period, begun = at - before, before
        said = at + _RUN - begun
        if said >= _LOOP_WORDS:
            rounds = max(rounds, said // period)
    return (repeated / count if count >= _FEWEST else 0.0), rounds


def _lines(lines: Iterable[str]) -> float:
    """Give the share of characters in lines that were there before."""
    seen: set[str] = set()
    repeated = total = count = 0
    for line in map(str.strip, lines):
        if len(line) < _SHORTEST_LINE:
            continue
        count += 1
        total += len(line)
        if line in seen:
            repeated += len(line)
        seen.add(line)
    return repeated / total if count >= _LINES else 0.0
