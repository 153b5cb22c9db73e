"""The thread: a conversation as a person reads it, each message once.

It takes turns as entries, and what was said as a tree in which every history is one node; it knows no
files, tables or screens. Beside each turn of the line stands in one summary each what is folded away.
Invariants: a message that was shown is not shown again, also where a client sends back a history that
it has made short; the work is linear in the messages that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from dolphin_logger.conversation.canonical import MODEL, spoken
from dolphin_logger.conversation.line import Beside, Entry, find_line
from dolphin_logger.conversation.placement import Relation
from dolphin_logger.messages import Message, ToolCall, ToolDefinition, Usage

_TEXT: Final = 200  # characters of a fold's text


class Tree(Protocol):
    """What was said in a conversation."""

    def node(self, node: int) -> tuple[int, int] | None:
        """Give the node before, and the number of the message; None for what is no node: a root."""
        ...

    def message(self, message: int) -> Message | None:
        """Give a message; None for one that is gone."""
        ...

    def setting(self, node: int) -> Setting:
        """Give instructions and tools."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """What a model is told besides the conversation."""

    instructions: tuple[Message, ...] = ()
    tools: tuple[ToolDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Turns that are not shown: how many, how many of them failed, and by which record they open."""

    kind: str
    record: str
    time: int
    turns: int
    failed: int
    models: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the thread.

    Attributes:
        number: of the turn in its line, from 1.
        setting: given where it is not the one of the turn before.
        repeated: number of messages that the client sent again in a history which it has changed.
        rewritten: what the client put in the place of others: a summary, say.
        messages: what is new before the answer; `answers`: each choice.
        folds: what hangs on this turn.
    """

    number: int
    entry: Entry
    setting: Setting | None
    repeated: int
    rewritten: tuple[Message, ...]
    messages: tuple[Message, ...]
    answers: tuple[Message, ...]
    folds: tuple[Fold, ...]

    @property
    def is_compaction(self) -> bool:
        """Whether the client sent another history than the one that was shown."""
        return self.entry.relation is Relation.COMPACTION


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation, or the part of it that hangs on a record.

    Attributes:
        turns: number of calls that are part of what was said, each counted once however often it was
            tried; `failed`: of tries without a whole answer; `sides`: of the client's own requests.
        usage: sums of what is known; None where nothing is.
        cost: micro-dollars of what is known; None when nothing is.
        first, last: UNIX microseconds; `busy_ms`: how long answers took, all together.
        before: number of turns on which the first one builds and that are not here.
        early: what began before the first turn.
    """

    id: str
    session: str | None
    clients: tuple[str, ...]
    models: tuple[str, ...]
    records: int
    turns: int
    failed: int
    sides: int
    usage: Usage
    cost: int | None
    first: int
    last: int
    busy_ms: float
    before: int
    early: tuple[Fold, ...]
    steps: tuple[Step, ...]

    @property
    def head(self) -> str:
        """The record of the first turn that is here."""
        return self.steps[0].entry.record


def draw(
    name: str,
    entries: Sequence[Entry],
    tree: Tree,
    *,
    session: str | None = None,
    through: str | None = None,
) -> Thread:
    """Draw a conversation; through a record that is beside its line, what begins there.

    `entries` holds all of its turns, one at least; `through` is the record of one.
    """
    line = find_line(entries, through=through)
    told = [entry for entry in entries if entry.relation is not Relation.SIDE]
    scribe = _Scribe(tree)
    scribe.pass_over(line.before)
    steps = [
        scribe.write(entry, number=number, beside=line.beside.get(entry.record, ()))
        for number, entry in enumerate(line.entries, len(line.before) + 1)
    ]
    return Thread(
        id=name,
        session=session,
        clients=_named(entry.client for entry in entries),
        models=_named(entry.model for entry in told),
        records=len(entries),
        turns=sum(entry.relation is not Relation.DUPLICATE for entry in told),
        failed=sum(not entry.is_complete for entry in told),
        sides=len(entries) - len(told),
        usage=_sum_of(entries),
        cost=_sum(entry.cost for entry in entries),
        first=min(entry.time for entry in entries),
        last=max(entry.time for entry in entries),
        busy_ms=sum(entry.total_ms or 0 for entry in entries),
        before=len(line.before),
        early=tuple([scribe.fold(beside) for beside in line.early]),
        steps=tuple(steps),
    )


def opens(entries: Sequence[Entry], record: str) -> bool:
    """Say whether more than one turn begins with a record that is beside the line."""
    line = find_line(entries, through=record)
    return line.head == record and len(line.entries) + len(line.beside) > 1


class _Scribe:
    """Writes one turn after the other, and remembers what has been shown."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._nodes: set[int] = set()
        self._messages: set[int] = set()
        self._setting: int | None = None

    def pass_over(self, entries: Iterable[Entry]) -> None:
        """Take turns as shown."""
        for entry in entries:
            self._take(self._path(entry))
            self._take_answers(entry)
            self._setting = entry.setting

    def write(self, entry: Entry, *, number: int, beside: Iterable[Beside]) -> Step:
        """Write a turn."""
        path = self._path(entry)
        new, repeated, rewritten = self._part(entry, path)
        self._take(path)
        self._take_answers(entry)
        setting = None
        if entry.setting is not None and entry.setting != self._setting:
            setting = self._tree.setting(entry.setting)
        self._setting = entry.setting
        return Step(
            number=number,
            entry=entry,
            setting=setting,
            repeated=repeated,
            rewritten=tuple(self._read(rewritten)),
            messages=tuple(self._read(new)),
            answers=tuple(self._answers(entry)),
            folds=tuple([self.fold(one) for one in beside]),
        )

    def fold(self, beside: Beside) -> Fold:
        """Sum up what is folded away."""
        entries = beside.entries
        return Fold(
            kind=beside.kind,
            record=beside.head.record,
            time=beside.head.time,
            turns=len(entries),
            failed=sum(not entry.is_complete for entry in entries if _is_asked(entry)),
            models=_named(entry.model for entry in entries),
            text=self._text_of(beside),
        )

    def _path(self, entry: Entry) -> list[tuple[int, int]]:
        """Give the nodes of a history that are not shown yet, with their messages, in order."""
        found = []
        node = entry.history
        while node is not None and node not in self._nodes:
            there = self._tree.node(node)
            if there is None:
                break
            found.append((node, there[1]))
            node = there[0]
        return found[::-1]

    def _part(self, entry: Entry, path: list[tuple[int, int]]) -> tuple[list[int], int, list[int]]:
        """Tell what is new in a history from what comes again, and from what takes its place."""
        messages = [message for _, message in path]
        if not path or self._goes_on(path[0][0]):
            return messages, 0, []
        end = 0  # behind the last answer that was shown before
        for at, message in enumerate(messages, 1):
            if message in self._messages and self._is_models(message):
                end = at
        if not end and entry.relation is Relation.COMPACTION:
            end = max(len(messages) - 1, min(len(messages), 1))
        again = [message in self._messages for message in messages[:end]]
        rewritten = [one for one, known in zip(messages, again, strict=False) if not known]
        return messages[end:], sum(again), rewritten

    def _goes_on(self, node: int) -> bool:
        """Say whether a node follows one that is shown."""
        there = self._tree.node(node)
        return there is not None and there[0] in self._nodes

    def _is_models(self, message: int) -> bool:
        found = self._tree.message(message)
        return found is not None and found.role == MODEL

    def _take(self, path: Iterable[tuple[int, int]]) -> None:
        for node, message in path:
            self._nodes.add(node)
            self._messages.add(message)

    def _take_answers(self, entry: Entry) -> None:
        self._take(
            (answer, there[1])
            for answer in entry.answers
            if (there := self._tree.node(answer)) is not None
        )

    def _answers(self, entry: Entry) -> Iterator[Message]:
        for answer in entry.answers:
            there = self._tree.node(answer)
            yield from self._read([there[1]] if there else [])

    def _read(self, messages: Iterable[int]) -> Iterator[Message]:
        for number in messages:
            message = self._tree.message(number)
            if message is not None:
                yield message

    def _text_of(self, beside: Beside) -> str:
        """Give the words by which a fold is known: the answer of another try, else the question."""
        if beside.kind in ("regenerate", "replay", "retry"):
            found = next(self._answers(beside.head), None)
        else:
            found = self._question(beside.head)
        if found is None:
            return ""
        names = [part.name for part in found.parts if isinstance(part, ToolCall)]
        return (spoken(found) or ", ".join(names))[:_TEXT]

    def _question(self, entry: Entry) -> Message | None:
        """Find the last words of a history that are not the model's."""
        node = entry.history
        while node is not None and (there := self._tree.node(node)) is not None:
            message = self._tree.message(there[1])
            if message is not None and message.role != MODEL:
                return message
            node = there[0]
        return None


def _is_asked(entry: Entry) -> bool:
    return entry.relation is not Relation.SIDE


def _named(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _sum_of(entries: Sequence[Entry]) -> Usage:
    kinds: Mapping[str, int | None] = {
        name: _sum(getattr(entry.usage, name) for entry in entries)
        for name in Usage.__dataclass_fields__
    }
    return Usage(**kinds)
