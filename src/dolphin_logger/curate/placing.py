"""Placing: sketches in order become places, rows of facts, and the ends of branches.

It knows hashes and facts, no files and no words. What goes on from an answer is told by content: the
hash of a history with its answer that stands at the beginning of another history of the conversation.
Invariant: a record whose history is not all there, or that was not answered as a whole, ends nothing.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from dolphin_logger.conversation import Placed, Relation, Stitcher, Turn
from dolphin_logger.conversation.links import node_of, path_of
from dolphin_logger.curate.columns import Names, Table, key_of
from dolphin_logger.curate.remembered import NOBODY, RELATIONS, Remembered
from dolphin_logger.curate.scan import Facts, Sketch

_PUBLISHABLE: Final = (None, False, True)
_UNKNOWN: Final = -1  # in the place of a status
_SIDE, _DUPLICATE = RELATIONS.index(Relation.SIDE), RELATIONS.index(Relation.DUPLICATE)
_MOST_PATHS: Final = 64
_TOO_MANY: Final = 255


class Rows:
    """Facts of records, in columns."""

    def __init__(self) -> None:
        self.befores = array("I")
        self.messages = array("I")
        self.answers = array("Q")
        self.complete = array("B")
        self.whole = array("B")
        self.leaf = array("B")
        self.choices = array("B")
        self.other_tips: dict[int, tuple[bytes, ...]] = {}  # where there are several
        self._times = array("q")
        self._offsets = array("Q")
        self._lengths = array("I")
        self._status = array("i")
        self._publishable = array("B")
        self._replay = array("B")
        self._names: Names[str | None] = Names()
        self._named = [array("I") for _ in range(6)]
        self._reasons: Names[tuple[str | None, ...]] = Names()
        self._reason = array("I")

    def add(self, turn: Turn, facts: Facts) -> None:
        """Take the facts of the next record."""
        self.answers.append(key_of(turn.answers[0]) if turn.answers else 0)
        self.complete.append(turn.complete and bool(turn.answers))
        self.leaf.append(False)
        self.choices.append(0)
        self._times.append(turn.time)
        self._offsets.append(facts.offset)
        self._lengths.append(facts.length)
        self._status.append(_UNKNOWN if facts.status is None else facts.status)
        self._publishable.append(_PUBLISHABLE.index(facts.publishable))
        self._replay.append(turn.replays is not None)
        names = (
            turn.writer,
            facts.model,
            facts.provider,
            facts.client,
            facts.outcome,
            facts.source,
        )
        for column, name in zip(self._named, names, strict=True):
            column.append(self._names.number(name))
        self._reason.append(self._reasons.number(facts.finish_reasons))

    def tip(self, number: int) -> bytes:
        """Give the tip of the choice that counts, where there are several; else empty."""
        tips = self.other_tips.get(number)
        return tips[self.choices[number]] if tips else b""

    def facts(self, number: int) -> dict[str, Any]:
        """Give what a `Surveyed` tells of a record besides its place."""
        names = [self._names[column[number]] for column in self._named]
        segment, model, provider, client, outcome, source = names
        status, choice = self._status[number], self.choices[number]
        reasons = self._reasons[self._reason[number]]
        return {
            "segment": segment,
            "offset": self._offsets[number],
            "length": self._lengths[number],
            "is_whole": bool(self.whole[number]),
            "is_leaf": bool(self.leaf[number]),
            "time": self._times[number],
            "model": model,
            "provider": provider,
            "client": client,
            "outcome": outcome,
            "status": None if status == _UNKNOWN else status,
            "publishable": _PUBLISHABLE[self._publishable[number]],
            "source": source,
            "finish_reason": reasons[choice] if choice < len(reasons) else None,
            "choice": choice,
            "messages": self.messages[number],
            "is_replay": bool(self._replay[number]),
            "is_answered": bool(self.complete[number]),
        }


class Placing:
    """Places records one after the other, in the order in which they were asked."""

    def __init__(self) -> None:
        self._remembered = Remembered()
        self._stitcher = Stitcher(self._remembered)
        self._rows = Rows()
        self._paths = _Paths()
        self._shown = _Shown()

    def add(self, sketch: Sketch) -> None:
        """Place one record; one that is there already stays where it is."""
        turn, remembered = sketch.turn, self._remembered
        if remembered.ids.number(turn.id) is not None:
            return
        number = remembered.begin(turn.id)
        before = self._stitcher.before(turn)
        self._rows.add(turn, sketch.facts)
        self._chain(turn, before)
        if not (turn.messages or turn.answers):  # embeddings, images: no turn
            return
        path = self._paths.path(turn, before.tip if before else b"")
        self._stitcher.add(turn, path=path)
        if len(turn.answers) > 1:
            tips = [node_of(path[turn.base], answer) for answer in turn.answers]
            self._rows.other_tips[number] = tuple(tips[:_TOO_MANY])
        if not turn.counting:
            self._show(turn, path, number)

    def finish(self) -> tuple[Remembered, Rows]:
        """Find the ends of branches; nothing can be added afterwards."""
        self._remembered.forget()
        for number in range(len(self._remembered.ids)):
            self._end(number)
        return self._remembered, self._rows

    def _chain(self, turn: Turn, before: Placed | None) -> None:
        """Note what comes before the messages of a record, unsaid."""
        rows = self._rows
        above = None if before is None else self._remembered.ids.number(before.record)
        named = turn.follows or turn.previous
        rows.befores.append(NOBODY if above is None else above)
        rows.whole.append(named is None or (above is not None and bool(rows.whole[above])))
        unsaid = 0 if above is None else rows.messages[above] + bool(rows.answers[above])
        rows.messages.append(len(turn.messages) + unsaid)

    def _show(self, turn: Turn, path: list[bytes], number: int) -> None:
        """Note the model's words that a history shows, from the last to the first that is known."""
        for depth in range(len(turn.messages), -1, -1):
            if (depth == 0 and path[0]) or (depth and turn.models[depth - 1]):
                if self._shown.is_known(key_of(path[depth]), number, self._remembered):
                    break
                self._shown.add(key_of(path[depth]), number)
        parent = self._remembered.parents[number]
        relation = RELATIONS[self._remembered.relations[number]]
        if relation is Relation.COMPACTION and parent != NOBODY and self._has_slid(turn, parent):
            self._shown.add(key_of(self._remembered.tip(parent)), number)

    def _has_slid(self, turn: Turn, parent: int) -> bool:
        """Say whether a history is its parent's without a beginning; one made short is another."""
        if 2 * len(turn.messages) < self._remembered.depths[parent]:
            return False
        answer = self._rows.answers[parent]
        return any(key_of(message) == answer for message in turn.messages)

    def _end(self, number: int) -> None:
        rows, remembered = self._rows, self._remembered
        if not (rows.complete[number] and rows.whole[number]):
            return
        conversation = remembered.conversation(number)
        tips = rows.other_tips.get(number) or (remembered.tip(number),)
        for choice, tip in enumerate(tips):
            by = self._shown.by(key_of(tip))
            if any(remembered.conversation(one) == conversation for one in by if one != number):
                rows.choices[number] = choice
                return
        relation, parent = remembered.relations[number], remembered.parents[number]
        told = relation == _DUPLICATE and parent != NOBODY
        told = told and bool(rows.complete[parent] and rows.whole[parent])
        rows.leaf[number] = relation != _SIDE and not told


class _Shown:
    """Which records show an answer in their histories: one of them for each conversation."""

    def __init__(self) -> None:
        self._first = Table()
        self._others: dict[int, list[int]] = {}

    def by(self, key: int) -> Iterator[int]:
        """Give the records."""
        first = self._first.get(key)
        if first is not None:
            yield first
            yield from self._others.get(key, ())

    def is_known(self, key: int, number: int, remembered: Remembered) -> bool:
        """Say whether a record of the same conversation shows it."""
        conversation = remembered.conversation(number)
        return any(remembered.conversation(one) == conversation for one in self.by(key))

    def add(self, key: int, number: int) -> None:
        """Note a record."""
        if self._first.get(key) is None:
            self._first[key] = number
        else:
            self._others.setdefault(key, []).append(number)


class _Paths:
    """Hashes of histories; of one that begins as another of its thread did, only what is new is hashed."""

    def __init__(self) -> None:
        self._latest: OrderedDict[bytes, tuple[tuple[bytes, ...], list[bytes]]] = OrderedDict()

    def path(self, turn: Turn, seed: bytes) -> list[bytes]:
        """Hash every beginning of the history, the empty one first."""
        known, path = self._latest.pop(turn.thread, ((), [seed]))
        if path[0] != seed:
            made = path_of(turn, seed)
        else:
            same = _alike(known, turn.messages)
            made = path[: same + 1]
            for message in turn.messages[same:]:
                made.append(node_of(made[-1], message))
        self._latest[turn.thread] = turn.messages, made
        if len(self._latest) > _MOST_PATHS:
            self._latest.popitem(last=False)
        return made


def _alike(known: tuple[bytes, ...], messages: tuple[bytes, ...]) -> int:
    """Count the messages with which both begin."""
    if messages[: len(known)] == known:
        return len(known)
    for count, (one, other) in enumerate(zip(known, messages, strict=False)):
        if one != other:
            return count
    return min(len(known), len(messages))
