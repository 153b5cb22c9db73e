"""The line: which turns of a conversation are read one after the other, and what hangs beside them.

It knows turns as entries (where each belongs, and what came of it), and nothing of what was said.
Of several answers to one history the line goes through the one that was gone on from last; a replay is
never gone through unless somebody went on from it.
Invariant: every entry is on the line or in exactly one fold; all is linear in the entries.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from dolphin_logger.conversation.placement import Relation
from dolphin_logger.messages import Usage

_INSTEAD: Final = (Relation.DUPLICATE, Relation.REGENERATE, Relation.EDIT)
UNKNOWN: Final = Usage()
_CALLED_FOR: Final = (Relation.SIDE, Relation.SUBAGENT)


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn, as far as it is known without what was said.

    Attributes:
        time: the request's start in UNIX microseconds.
        is_replay: it asks another model what another record asked.
        setting, history, answers: numbers of nodes: the instructions and tools, the last message of
            the request, each choice of the answer.
        cost: micro-dollars; None when unknown.
    """

    record: str
    parent: str | None
    relation: Relation
    time: int
    outcome: str
    status: int | None = None
    model: str | None = None
    provider: str | None = None
    client: str | None = None
    usage: Usage = UNKNOWN
    cost: int | None = None
    total_ms: float | None = None
    is_replay: bool = False
    setting: int | None = None
    history: int | None = None
    answers: tuple[int, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether a whole answer was given."""
        return self.outcome == "completed" and bool(self.answers)

    @property
    def order(self) -> tuple[int, str]:
        """Where it stands among all others."""
        return self.time, self.record


@dataclass(slots=True)
class Beside:
    """Turns that are not on the line, under the first of them.

    `kind`: `branch`, `regenerate`, `edit`, `retry`, `replay`, `subagent`, `side`, or `start` for what
    only the session joins.
    """

    kind: str
    head: Entry
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """The turns of the line in order, `before` them those that led to its first, and what hangs on each.

    `head`: the record under which the line is folded away elsewhere; None for the main line.
    `early` began before the line did.
    """

    head: str | None
    before: tuple[Entry, ...]
    entries: tuple[Entry, ...]
    beside: dict[str, list[Beside]]
    early: tuple[Beside, ...]


def find_line(entries: Iterable[Entry], *, through: str | None = None) -> Line:
    """Find the line of a conversation; through a record that is not on it, the line that begins there.

    There is at least one entry; `through` is one of them.
    """
    family = _Family(entries)
    hanging = _Hanging(family, family.entries, family.chain(_latest(family, family.main_roots())))
    line = hanging.line()
    while through is not None and not hanging.holds(through):
        beside = hanging.fold_of(through)
        if beside is None:  # one of several requests that hang in one fold
            return Line(through, (), (family.by_record[through],), {}, ())
        chain = family.chain(_latest(family, [beside.head]))
        hanging = _Hanging(family, beside.entries, chain, head=beside.head)
        line = hanging.line()
    return line


class _Family:
    """The entries of one conversation, and how they descend from each other."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = sorted(entries, key=lambda entry: entry.order)
        self.by_record = {entry.record: entry for entry in self.entries}
        self.groups: dict[str, list[Entry]] = {}
        self._group: dict[str, str] = {}
        self._read: dict[str, Entry] = {}
        self._before: dict[str, Entry | None] = {}
        self._after: dict[str, list[Entry]] = {}
        for entry in self._parents_first():
            self._place(entry)

    def chain(self, entry: Entry) -> list[Entry]:
        """Give the turns that lead to one, and that one."""
        found = [entry]
        while (before := self._before[found[-1].record]) is not None:
            found.append(before)
        return found[::-1]

    def after(self, entry: Entry) -> list[Entry]:
        """Give the turns that go on from one."""
        return self._after.get(entry.record, [])

    def above(self, entry: Entry) -> Entry | None:
        """Give what an entry hangs on: the turn before it, or the one that called for it."""
        before = self._before[entry.record]
        return before if before is not None or entry.relation in _INSTEAD else self._parent(entry)

    def group(self, entry: Entry) -> str:
        """Name the turns that ask the same, one instead of the other."""
        return self._group[entry.record]

    def read_of(self, group: str) -> Entry:
        """Give the one of several tries or answers that is read: the one that is gone on from last."""
        if group not in self._read:
            alike = self.groups[group]
            leaf = alike[0] if len(alike) == 1 else _latest(self, alike)
            while self._group[leaf.record] != group:
                before = self._before[leaf.record]
                assert before is not None
                leaf = before
            self._read[group] = leaf
        return self._read[group]

    def main_roots(self) -> list[Entry]:
        """Find the beginning under which most turns are; of the same number, the earliest."""
        root: dict[str, str] = {}
        size: dict[str, int] = {}
        for entry in self._parents_first():
            before = self._before[entry.record]
            group = self._group[entry.record] if before is None else root[before.record]
            root[entry.record] = group
            size[group] = size.get(group, 0) + 1

        def weight(group: str) -> tuple[bool, int, int]:
            first = self.by_record[group]
            return first.relation not in _CALLED_FOR, size[group], -first.time

        return self.groups[max(size, key=weight)]

    def _place(self, entry: Entry) -> None:
        parent = self._parent(entry)
        instead = parent is not None and entry.relation in _INSTEAD
        if parent is None or entry.relation in (*_CALLED_FOR, Relation.START):
            before = None
        else:
            before = self._before[parent.record] if instead else parent
        group = self._group[parent.record] if parent is not None and instead else entry.record
        self._before[entry.record] = before
        self._group[entry.record] = group
        self.groups.setdefault(group, []).append(entry)
        if before is not None:
            self._after.setdefault(before.record, []).append(entry)

    def _parent(self, entry: Entry) -> Entry | None:
        return self.by_record.get(entry.parent) if entry.parent else None

    def _parents_first(self) -> Iterator[Entry]:
        """Give the entries so that each comes after its parent; that of a late one may be younger."""
        done: set[str] = set()
        for entry in self.entries:
            waiting = []
            now: Entry | None = entry
            while now is not None and now.record not in done:
                done.add(now.record)
                waiting.append(now)
                now = self._parent(now)
            yield from reversed(waiting)


def _latest(family: _Family, beginnings: Iterable[Entry]) -> Entry:
    """Find the turn that was made last of some, or of what goes on from them."""
    found: dict[str, Entry] = {}
    waiting = list(beginnings)
    while waiting:
        entry = waiting.pop()
        found[entry.record] = entry
        waiting += family.after(entry)
    last = max(found.values(), key=lambda entry: (not entry.is_replay, entry.order))
    if last.is_complete:
        return last
    alike = [one for one in family.groups[family.group(last)] if one.record in found]
    alike = [one for one in alike if one.is_complete and not one.is_replay]
    alike = [one for one in alike if not family.after(one)]
    return max(alike, key=lambda entry: entry.order, default=last)


class _Hanging:
    """Hangs some of the entries on the turns of a line, from its head on."""

    def __init__(
        self,
        family: _Family,
        entries: Sequence[Entry],
        chain: Sequence[Entry],
        *,
        head: Entry | None = None,
    ) -> None:
        start = 0 if head is None else chain.index(head)
        self._family = family
        self._entries = entries
        self._head = head
        self._before = tuple(chain[:start])
        self._shown = tuple(chain[start:])
        self._on_line = {entry.record for entry in chain}
        self._instead = {family.group(entry): entry for entry in self._shown}
        self._first: dict[str, Entry] = {}
        self._folds: dict[str, Beside] = {}
        self._beside: dict[str, list[Beside]] = {}
        self._early: list[Beside] = []

    def holds(self, record: str) -> bool:
        """Say whether a record is on the line."""
        return record in self._on_line

    def fold_of(self, record: str) -> Beside | None:
        """Give what holds a record that is not on the line, if it is not all of what is there."""
        found = self._folds[self._first[record].record] if record in self._first else None
        return None if found is None or len(found.entries) == len(self._entries) else found

    def line(self) -> Line:
        """Hang all, in the order of time."""
        for entry in self._entries:
            if entry.record not in self._on_line:
                first = self._first_of(entry)
                if first.record not in self._folds:
                    self._folds[first.record] = self._hang(first)
                self._folds[first.record].entries.append(entry)
        head = None if self._head is None else self._head.record
        return Line(head, self._before, self._shown, self._beside, tuple(self._early))

    def _first_of(self, entry: Entry) -> Entry:
        """Find the first turn off the line under which one is."""
        passed = []
        now = entry
        while now.record not in self._first:
            passed.append(now.record)
            above = self._above(now)
            if above is None or above.record in self._on_line:
                self._first[now.record] = now
                break
            now = above
        first = self._first[now.record]
        self._first.update(dict.fromkeys(passed, first))
        return first

    def _above(self, entry: Entry) -> Entry | None:
        """As the family has it; but other answers hang on the one that is read, where none is on the line."""
        group = self._family.group(entry)
        if group not in self._instead:
            read = self._family.read_of(group)
            if read is not entry:
                return read
        return self._family.above(entry)

    def _hang(self, first: Entry) -> Beside:
        """Hang a first turn on its place; what only the session joins, where the line was at that time."""
        instead = self._instead.get(self._family.group(first))
        place = instead or self._family.above(first) or self._at_that_time(first)
        begins = self._family.by_record[self._family.group(first)]
        made = Beside(_kind(first, instead, begins.relation), first)
        if place is None:
            self._early.append(made)
            return made
        hung = self._beside.setdefault(place.record, [])
        if made.kind == "side" and hung and hung[-1].kind == "side":
            return hung[-1]
        hung.append(made)
        return made

    def _at_that_time(self, first: Entry) -> Entry | None:
        at = bisect_right(self._shown, first.time, key=lambda entry: entry.time)
        return self._shown[at - 1] if at else None


def _kind(first: Entry, instead: Entry | None, begins: Relation) -> str:
    """Name what hangs there; `begins`: how the first of the tries came to be made."""
    if first.is_replay:
        return "replay"
    if instead is None:
        return begins.value if begins in (*_CALLED_FOR, Relation.START) else "branch"
    follows = instead.relation if instead.parent == first.record else first.relation
    if not first.is_complete or follows is Relation.DUPLICATE:
        return "retry"
    return "edit" if follows is Relation.EDIT else "regenerate"
