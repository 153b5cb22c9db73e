"""Askings: records that ask the same, one instead of the other, and the records that went on from them.

It knows records as facts and as stitching placed them, and nothing of what was said.
Invariants: every record is in exactly one asking, or is aside; all is linear in the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dolphin_logger.conversation import Relation
from dolphin_logger.curate.survey import Surveyed

_INSTEAD: Final = (Relation.DUPLICATE, Relation.REGENERATE)
_GOES_ON: Final = (Relation.CONTINUE, Relation.BRANCH, Relation.COMPACTION, Relation.EDIT)


@dataclass(slots=True)
class Asking:
    """One question, as often as it was asked.

    `followers` build on one of the answers, or on what became of it, each with the `time` (UNIX
    microseconds) when something was last said behind it. `retried` were asked again by the client
    itself, so that nobody need have seen their answers.
    """

    members: list[Surveyed] = field(default_factory=list)
    followers: list[tuple[Surveyed, int]] = field(default_factory=list)
    retried: set[str] = field(default_factory=set)


def find_askings(records: Iterable[Surveyed]) -> list[Asking]:
    """Group the records of one conversation, the earliest first; side tasks are left out."""
    ordered = sorted(records, key=lambda fact: (fact.time, fact.id))
    by_id = {fact.id: fact for fact in ordered}
    roots = _roots(ordered, by_id)
    above = {fact.id: _above(by_id[roots[fact.id]], by_id) for fact in ordered}
    last = _last_said(ordered, above)
    askings: dict[str, Asking] = {}
    for fact in ordered:
        asking = askings.setdefault(roots[fact.id], Asking())
        asking.members.append(fact)
        if fact.relation is Relation.DUPLICATE and fact.parent in by_id:
            asking.retried.add(fact.parent)
    for fact in ordered:
        parent = above[fact.id]
        if parent is not None and not fact.is_replay:
            askings[roots[parent]].followers.append((fact, last[fact.id]))
    return [one for one in askings.values() if not any(map(_is_aside, one.members))]


def _roots(ordered: Iterable[Surveyed], by_id: Mapping[str, Surveyed]) -> dict[str, str]:
    """Name for each record the first one that asked the same."""
    roots: dict[str, str] = {}
    for fact in ordered:
        passed = []
        now = fact
        while now.id not in roots:
            passed.append(now.id)
            roots[now.id] = now.id  # ends a circle, should there be one
            if now.relation not in _INSTEAD or now.parent is None or now.parent not in by_id:
                break
            now = by_id[now.parent]
        root = roots[now.id]
        roots.update(dict.fromkeys(passed, root))
    return roots


def _above(root: Surveyed, by_id: Mapping[str, Surveyed]) -> str | None:
    """Name the record whose answer a question was put to."""
    goes_on = root.relation in _GOES_ON and not root.is_side
    return root.parent if goes_on and root.parent in by_id else None


def _last_said(ordered: list[Surveyed], above: Mapping[str, str | None]) -> dict[str, int]:
    """Tell for each record when something was last asked at it or behind it; replays do not count."""
    last = {fact.id: fact.time for fact in ordered}
    for fact in reversed(ordered):  # the latest first, so that each is passed once
        if fact.is_replay:
            continue
        up = above[fact.id]
        while up is not None and last[up] < fact.time:
            last[up] = fact.time
            up = above[up]
    return last


def _is_aside(fact: Surveyed) -> bool:
    return fact.is_side or fact.relation is Relation.SIDE
