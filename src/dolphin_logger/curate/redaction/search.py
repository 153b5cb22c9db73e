"""The search of one text: every redactor, in every way to read it, and one answer.

Of findings that overlap the higher priority stays, then the longer one. What is already a
placeholder is nothing to find. Knows no JSON and no conversations; replaces nothing.
Invariants: the spots of a text are in order and touch nothing of each other; the same text gives the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dolphin_logger.curate.redaction.pseudonyms import PLACEHOLDER
from dolphin_logger.curate.redaction.views import Hidden, View, hidden, views, without_media
from dolphin_logger.redactors import Redactor

_DEEPEST: Final = 3  # texts in base64 within texts in base64
_LEAST: Final = 4
_SAYS_NOTHING: Final = 3  # letters and digits beside a placeholder that are still nothing
_LETTERS: Final = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Spot:
    """A span that must not stay; `value` is what it says, `hidden` the text that it holds in base64."""

    start: int
    end: int
    kind: str
    rule: str
    priority: int
    value: str
    hidden: Hidden | None = None


def search(
    text: str, redactors: Sequence[Redactor], *, key: str | None = None, depth: int = 0
) -> list[Spot]:
    """Find everything, before it is decided which of those that overlap stay."""
    if len(text) < _LEAST and key is None:
        return []
    cut = without_media(text)
    shown = text if cut is None else cut.text
    found = list(_plain(shown, redactors, key))
    for view in views(shown):
        said = [_mapped(spot, view) for spot in _plain(view.text, redactors, key)]
        found = [*_uncut(found, said), *said]
    if depth < _DEEPEST:
        for held in hidden(shown):
            if inner := settle(held.text, search(held.text, redactors, depth=depth + 1)):
                first = max(inner, key=lambda spot: spot.priority)
                found.append(
                    Spot(
                        held.start,
                        held.end,
                        first.kind,
                        first.rule,
                        first.priority,
                        held.text,
                        held,
                    )
                )
    return found if cut is None else [_mapped(spot, cut) for spot in found]


def settle(text: str, found: Iterable[Spot]) -> list[Spot]:
    """Decide between spots that overlap, and forget those that are placeholders."""
    ordered = sorted(
        found, key=lambda spot: (-spot.priority, spot.start - spot.end, spot.start, spot.rule)
    )
    if not ordered:
        return []
    done = [match.span() for match in PLACEHOLDER.finditer(text)] if "<" in text else []
    taken: list[tuple[int, int]] = []
    settled = [
        spot
        for spot in ordered
        if spot.start < spot.end
        and not (done and _is_done(text, spot, done))
        and _is_apart(spot, taken)
    ]
    return sorted(settled, key=lambda spot: spot.start)


def _plain(text: str, redactors: Sequence[Redactor], key: str | None) -> Iterator[Spot]:
    for redactor in redactors:
        for finding in redactor.find(text, key=key):
            start, end = finding.start, finding.end
            yield Spot(start, end, finding.kind, finding.rule, finding.priority, text[start:end])


def _uncut(found: list[Spot], said: list[Spot]) -> list[Spot]:
    r"""Leave out spots that begin too early: of `\nann@…`, read as it stands, the name is `nann`."""
    later = {(spot.rule, spot.end): spot.start for spot in said}
    return [spot for spot in found if later.get((spot.rule, spot.end), 0) <= spot.start]


def _mapped(spot: Spot, view: View) -> Spot:
    start, end = view.span(spot.start, spot.end)
    return replace(spot, start=start, end=end)


def _is_done(text: str, spot: Spot, done: list[tuple[int, int]]) -> bool:
    """Say whether a spot lies within a placeholder, or holds some and hardly anything else."""
    first = bisect_left(done, (spot.start, spot.start))
    if first and done[first - 1][1] > spot.start:
        first -= 1
    if first == len(done) or done[first][0] >= spot.end or spot.hidden is not None:
        return False
    if done[first][0] <= spot.start and spot.end <= done[first][1]:
        return True
    rest = PLACEHOLDER.sub("", text[spot.start : spot.end])
    return len(_LETTERS.findall(rest)) <= _SAYS_NOTHING


def _is_apart(spot: Spot, taken: list[tuple[int, int]]) -> bool:
    """Take the span unless it overlaps one that is taken."""
    at = bisect_left(taken, (spot.start, spot.end))
    if at < len(taken) and taken[at][0] < spot.end:
        return False
    if at and taken[at - 1][1] > spot.start:
        return False
    taken.insert(at, (spot.start, spot.end))
    return True
