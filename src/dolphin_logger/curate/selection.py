"""Selection: which records may be in a dataset, and why the others may not.

It goes once through a survey, with the labels in force; it knows facts and marks, not what was said.
What a person dropped, or was recorded as not to be published, is in no row: neither as an answer nor
in the history of a later one. A label on a conversation's first record holds for the conversation,
where a record has none of its own. `keep` says more than a rating.
Invariant: a record is chosen or has one reason; one that may stand alone, but not end a conversation
in which an earlier answer is poor, has that as a reason and is chosen as a turn.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from dolphin_logger.conversation.placement import Relation
from dolphin_logger.curate.recipe import Selection
from dolphin_logger.curate.survey import Survey, Surveyed
from dolphin_logger.errors import DatasetError
from dolphin_logger.label import Labels, Marks

DEMO: Final = "demo"  # the built-in model's provider
_RATING: Final = "rating"
_DEMO, _SIDE, _REPLAY, _IMPORTED = "built-in model", "side task", "replay", "imported"
_APART: Final = (_SIDE, _REPLAY, _IMPORTED)  # not even in a session
_ASKED_AGAIN: Final = (Relation.REGENERATE, Relation.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Standing:
    """What people said of a record, of its conversation where they said nothing of it."""

    rating: int | None
    is_kept: bool
    is_dropped: bool
    tags: tuple[str, ...]
    is_own: bool  # the rating is the record's own


Omit: TypeAlias = Callable[[Surveyed, str], object]


@dataclass(frozen=True, slots=True)
class Pick:
    """What a record may be used for; one that has none at all is in nothing.

    Attributes:
        is_turn: its answer may stand alone.
        is_leaf: it may end a whole conversation.
        is_low: nothing but its rating keeps its answer from standing alone.
        ends: it is an end of its conversation, whatever became of it.
        rating, tags: of itself, else of its conversation; `is_own`: the rating is its own.

    One without any of these may be in a session, or be the answer that was not so good.
    """

    is_turn: bool = False
    is_leaf: bool = False
    is_low: bool = False
    ends: bool = False
    rating: int | None = None
    is_own: bool = False
    tags: tuple[str, ...] = ()


Picks: TypeAlias = dict[str, dict[str, Pick]]
"""By conversation, then by record."""


@dataclass(frozen=True, slots=True)
class _History:
    """What is wrong with the answers that come before, and with them and one's own."""

    before: str | None = None
    is_poor_before: bool = False
    after: str | None = None
    is_poor_after: bool = False


_CLEAN: Final = _History()


def select(
    survey: Survey,
    labels: Labels,
    wanted: Selection,
    *,
    found: Collection[str] | None,
    withdrawn: Collection[str] = (),
    omit: Omit,
) -> Picks:
    """Choose records; `found` are the conversations that the recipe's query finds, None without one.

    `withdrawn` are ids of what was taken back for ever. `omit` is told every record that is not chosen, and the reason.

    Raises:
        DatasetError: the recipe wants one model, and there are several.
    """
    return _Selecting(survey, labels, wanted, found, withdrawn).run(omit)


def standing(labels: Labels, record: str, conversation: str) -> Standing:
    """Say what holds of a record."""
    own, whole = labels.marks(record), labels.marks(conversation)
    own_rating = own.rating if own.rating is not None else _rating_of_message(labels, record)
    verdict = own.verdict or whole.verdict
    is_dropped = verdict == "drop" or whole.verdict == "drop" or _drops_message(labels, record)
    return Standing(
        rating=whole.rating if own_rating is None else own_rating,
        is_kept=verdict == "keep" and not is_dropped,
        is_dropped=is_dropped,
        tags=tuple(sorted({*own.tags, *whole.tags})),
        is_own=own_rating is not None,
    )


def _rating_of_message(labels: Labels, record: str) -> int | None:
    """Give the rating of the last message that has one: the answer is the last."""
    rated = [
        label
        for label in labels.in_force(record)
        if label.kind == "rating" and label.message is not None
    ]
    last = max(rated, key=lambda label: (label.message or 0, label.time, label.place), default=None)
    return None if last is None else int(last.value)


def _drops_message(labels: Labels, record: str) -> bool:
    """Say whether any message of it is dropped: a row without it would say something else."""
    messages = {
        label.message
        for label in labels.in_force(record)
        if label.kind == "drop" and label.message is not None
    }
    marks: Iterable[Marks] = (labels.marks(record, message=message) for message in messages)
    return any(one.verdict == "drop" for one in marks)


class _Selecting:
    def __init__(
        self,
        survey: Survey,
        labels: Labels,
        wanted: Selection,
        found: Collection[str] | None,
        withdrawn: Collection[str],
    ) -> None:
        self._survey, self._labels, self._wanted, self._found = survey, labels, wanted, found
        self._withdrawn = withdrawn
        self._histories: dict[str, _History] = {}
        self._same: dict[Pick, Pick] = {}  # there are few different ones
        self._patterns = {
            key: [re.compile(fnmatch.translate(_lower(one))) for one in getattr(wanted, key)]
            for key in ("model", "client", "provider", "tag", "without_tag", "finish_reason")
        }
        self._ids = self._resolve(wanted.conversation)

    def run(self, omit: Omit) -> Picks:
        picks: Picks = {}
        models: set[str] = set()
        for one in self._survey:
            stand = standing(self._labels, one.id, one.conversation)
            is_back = one.id in self._withdrawn or one.conversation in self._withdrawn
            own = "withdrawn" if is_back else _forbids(one, stand, demo=self._wanted.demo)
            history = self._history(one, own, stand)
            if history != _CLEAN:  # most are clean: memory is for the others
                self._histories[one.id] = history
            reason = own or history.before or self._reason(one, stand)
            if reason is not None:
                omit(one, reason)
            if reason is None:
                models.add(one.model or "")
            if own or history.before or reason in _APART:
                continue
            ends = one.is_leaf or one.is_side
            if reason is None and ends and history.is_poor_before:
                omit(one, "rating of history")
            is_leaf = reason is None and ends and not history.is_poor_before
            pick = Pick(
                reason is None,
                is_leaf,
                reason == _RATING,
                ends,
                stand.rating,
                stand.is_own,
                stand.tags,
            )
            picks.setdefault(one.conversation, {})[one.id] = self._same.setdefault(pick, pick)
        if self._wanted.one_model and len(models) > 1:
            raise DatasetError(
                f"selection.one_model: there are answers of {len(models)} models:"
                f' {", ".join(sorted(models))}; say which: model = ["{min(models)}"]'
            )
        return {
            conversation: records
            for conversation, records in picks.items()
            if any(pick.is_turn or pick.is_low for pick in records.values())
        }

    def _resolve(self, names: Iterable[str]) -> set[str]:
        """Find the conversations that are named by an id of theirs, or of a record, or its end."""
        wanted = set(names)
        if not wanted:
            return set()
        ids: set[str] = set()
        met: set[str] = set()
        for one in self._survey:
            for name in wanted:
                if one.id.endswith(name.lower()):
                    ids.add(one.conversation)
                    met.add(name)
        if missing := sorted(wanted - met):
            raise DatasetError(f"selection.conversation: there is no {missing[0]!r}")
        return ids

    def _history(self, one: Surveyed, own: str | None, stand: Standing) -> _History:
        """Say what is wrong with what was said before, and with all of it together."""
        parent = self._histories.get(one.parent or "", _CLEAN)
        chained = self._histories.get(one.before or "", _CLEAN)
        before, poor = parent.after, parent.is_poor_after
        if one.relation in _ASKED_AGAIN:  # the parent's answer is not in it
            before, poor = parent.before, parent.is_poor_before
        elif one.relation is Relation.EDIT:  # what was poor was changed
            poor = parent.is_poor_before
        elif one.relation is Relation.SUBAGENT:
            poor = False
        before, poor = before or chained.after, poor or chained.is_poor_after
        after = before or (f"{own} in history" if own else None)
        is_poor = _is_low(stand, self._wanted) and stand.is_own
        return _History(before, poor, after, poor or is_poor)

    def _reason(self, one: Surveyed, stand: Standing) -> str | None:
        """Say why a record is not chosen; its rating comes last."""
        return (
            _origin_of(one, self._wanted, is_kept=stand.is_kept)
            or next(self._differences(one, stand), None)
            or _lack_of(stand, self._wanted)
        )

    def _differences(self, one: Surveyed, stand: Standing) -> Iterator[str]:
        """Say in what a record is not what is wanted."""
        if one.outcome not in self._wanted.outcome:
            yield f"outcome {one.outcome}"
        if one.status is not None and not 200 <= one.status < 300:
            yield f"status {one.status}"
        if not one.is_answered:
            yield "no answer"
        if not one.is_whole:
            yield "history is missing"
        if self._found is not None and one.conversation not in self._found:
            yield "query"
        if self._ids and one.conversation not in self._ids:
            yield "conversation"
        for key in ("model", "client", "provider", "finish_reason"):
            if getattr(self._wanted, key) and not self._matches(key, getattr(one, key)):
                yield key
        if not self._is_tagged_well(stand.tags):
            yield "tag"
        if not _is_in_time(one, self._wanted):
            yield "date"

    def _matches(self, key: str, value: str | None) -> bool:
        return any(pattern.match(_lower(value or "")) for pattern in self._patterns[key])

    def _is_tagged_well(self, tags: Iterable[str]) -> bool:
        tags = list(tags)
        if self._wanted.without_tag and any(self._matches("without_tag", tag) for tag in tags):
            return False
        return not self._wanted.tag or any(self._matches("tag", tag) for tag in tags)


def _forbids(one: Surveyed, stand: Standing, *, demo: bool) -> str | None:
    """Say what keeps a record out of everything; a dataset with the built-in model's answers never leaves."""
    if stand.is_dropped:
        return "dropped"
    if one.provider == DEMO:
        return None if demo else _DEMO
    return "not publishable" if one.publishable is False else None


def _origin_of(one: Surveyed, wanted: Selection, *, is_kept: bool) -> str | None:
    """Say where a record comes from, if nothing from there is wanted."""
    if one.source is not None and not wanted.imported:
        return _IMPORTED
    if one.is_side and not wanted.side_tasks and not is_kept:
        return _SIDE
    return _REPLAY if one.is_replay and not wanted.replays and not is_kept else None


def _lack_of(stand: Standing, wanted: Selection) -> str | None:
    """Say what nobody said of a record, or that it was rated low."""
    if wanted.only_rated and stand.rating is None:
        return "not rated"
    if wanted.only_kept and not stand.is_kept:
        return "not kept"
    return _RATING if _is_low(stand, wanted) else None


def _is_low(stand: Standing, wanted: Selection) -> bool:
    return stand.rating is not None and stand.rating < wanted.rating and not stand.is_kept


def _is_in_time(one: Surveyed, wanted: Selection) -> bool:
    if not wanted.since and not wanted.until:
        return True
    day = datetime.fromtimestamp(one.time / 1e6, UTC).date().isoformat()
    return (not wanted.since or day >= wanted.since) and (not wanted.until or day <= wanted.until)


def _lower(text: str) -> str:
    """Take only `*` as a pattern, and no difference between capitals."""
    return text.lower().replace("[", "[[]").replace("?", "[?]")
