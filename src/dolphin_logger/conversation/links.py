"""Where one turn hangs on: the rules, one function each, and the order in which they are asked.

Equal histories first, as nothing is surer: the same asked again, or an answer and more after it. Then
ids of agents, texts of calls, what is left of a rewritten history, the session, and at last answers
that another session continues. It reads what is remembered and changes nothing.
Invariant: without a session, a turn joins another only by something that we saw a model say, by a
call that still waits, or within minutes by the same question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from dolphin_logger.conversation.nodes import Nodes, Placed
from dolphin_logger.conversation.placement import Relation
from dolphin_logger.conversation.turn import Turn, hash_of, thread_of

MINUTE: Final = 60_000_000  # microseconds
ASKED_AGAIN: Final = 10 * MINUTE  # two chats that begin alike stay two after this
EDITED: Final = 60 * MINUTE
_WORTH_A_SUMMARY: Final = 4  # messages
_LONG: Final = 40  # characters of the longest line of an answer that is nobody else's


@dataclass(frozen=True, slots=True)
class Link:
    """What a turn hangs on. `depth`: how many messages of its history are the parent's."""

    relation: Relation
    parent: Placed | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Match:
    """The longest beginning of the history that was seen before, and in which turns."""

    depth: int
    served: list[Placed]
    asked: list[Placed]


START: Final = Link(Relation.START)


def mark(kind: str, *parts: str | bytes) -> bytes:
    """Name a mark."""
    return hash_of(kind, *parts)


def path_of(turn: Turn, seed: bytes) -> list[bytes]:
    """Hash every beginning of the history, the empty one first."""
    path = [seed]
    for message in turn.messages:
        path.append(node_of(path[-1], message))
    return path


def node_of(before: bytes, message: bytes) -> bytes:
    """Hash a message behind others."""
    return blake2b(before + message, digest_size=16, person=b"node").digest()


class Linker:
    """Finds the link of one turn."""

    def __init__(self, nodes: Nodes, turn: Turn, path: list[bytes]) -> None:
        self._nodes = nodes
        self._turn = turn
        self._path = path
        self._size = len(turn.messages)

    def link(self) -> Link:
        """Find what the turn hangs on."""
        turn = self._turn
        if turn.counting:
            return self._beside()
        link = self._replayed() or self._told_again() or self._linked()
        if turn.aside and link.relation in (Relation.START, Relation.CONTINUE, Relation.BRANCH):
            return Link(Relation.SIDE, link.parent)
        return link

    def _linked(self) -> Link:
        match = self._longest()
        if match and (match.served or match.depth == self._size):
            return self._rewritten(match) or self._follow(match) or START
        return (
            self._called_by_id()
            or self._called_by_text()
            or self._shortened()
            or (match and self._changed(match))
            or self._rewritten(None)
            or self._in_session()
            or self._resumed()
            or START
        )

    def _replayed(self) -> Link | None:
        """What says itself which record it asks again."""
        parent = self._nodes.placed(self._turn.replays) if self._turn.replays else None
        if parent is None:
            return None
        again = Relation.REGENERATE if parent.complete else Relation.DUPLICATE
        return Link(again, parent, self._size)

    def _told_again(self) -> Link | None:
        """The same answer of the same session: one call that the wire and a transcript tell of."""
        turn = self._turn
        if turn.answer is None or turn.session is None:
            return None
        for told in self._at(mark("answer", turn.owner, turn.answer)):
            if told.session == turn.session:
                return Link(Relation.DUPLICATE, told, self._size)
        return None

    def _longest(self) -> _Match | None:
        thread = self._turn.thread
        for depth in range(self._size, -1, -1):
            if depth == 0 and not self._path[0]:
                break
            node = self._path[depth]
            match = _Match(
                depth,
                self._at(mark("served", thread, node)),
                self._alike(self._at(mark("asked", thread, node)) if depth else [], depth),
            )
            if match.served or match.asked:
                return match
        return None

    def _alike(self, asked: list[Placed], depth: int) -> list[Placed]:
        """Leave out what is not the same request: a title is asked for without tools, and the like.

        Without a session and an answer in the history, the same question asks again only if all else
        is the same too.
        """
        turn = self._turn
        asked = [one for one in asked if bool(one.tools) == bool(turn.tools)]
        if turn.session is not None or depth < self._size or any(turn.models[:depth]):
            return asked
        own = (turn.model, turn.system, turn.tools)
        return [one for one in asked if (one.model, one.system, one.tools) == own]

    def _follow(self, match: _Match) -> Link | None:
        if match.depth == self._size and match.asked:
            return self._again(match)
        return self._continued(match.served, match.depth)

    def _continued(self, served: list[Placed], depth: int) -> Link:
        parent = self._likeliest(served)
        return Link(
            Relation.BRANCH if self._is_elsewhere(parent, depth) else Relation.CONTINUE,
            parent,
            depth,
        )

    def _again(self, match: _Match) -> Link | None:
        """The same history once more: a retry, a regeneration, or another chat that begins alike."""
        turn = self._turn
        nearest = min(match.asked, key=lambda one: (abs(turn.time - one.time), one.order))
        parent = self._failed(match.asked) or nearest
        depth, served = self._served_before(match.depth)
        if served:
            newest = self._likeliest(served)
            if newest.order > parent.order and not self._is_continued(newest):
                return self._continued([newest], depth)
        elif turn.session is None and self._is_another(parent):
            return None
        again = parent.complete and not turn.retry
        return Link(Relation.REGENERATE if again else Relation.DUPLICATE, parent, match.depth)

    def _failed(self, asked: list[Placed]) -> Placed | None:
        """Find the last try that failed and was not made again."""
        found = [
            one
            for one in asked
            if not one.complete
            and one.ended <= self._turn.time
            and not self._nodes.find(mark("again", one.record))
        ]
        return found[-1] if found else None

    def _is_another(self, parent: Placed) -> bool:
        """Say whether the same first question is another conversation's: later, or of agents side by side.

        Samplers ask side by side too, but without tools: what an agent does is a conversation each time.
        """
        turn = self._turn
        side_by_side = turn.time < parent.ended and parent.time < turn.ended
        return (bool(turn.tools) and side_by_side) or abs(turn.time - parent.time) > ASKED_AGAIN

    def _changed(self, match: _Match) -> Link | None:
        """A question that was asked, and something else after it than its answer."""
        turn, depth = self._turn, match.depth
        if self._size == depth:
            return None
        parent = match.asked[-1]
        is_edit = turn.models[depth]
        if turn.session is None and not self._served_before(depth)[1]:
            window = EDITED if is_edit else ASKED_AGAIN
            near = [one for one in match.asked if abs(turn.time - one.time) <= window]
            near = [one for one in near if not self._is_continued(one)]
            if not near:
                return None
            parent = near[-1]
        if not parent.complete or parent.tip == self._path[depth]:
            return Link(Relation.CONTINUE, parent, depth)
        return Link(Relation.EDIT if is_edit else Relation.BRANCH, parent, depth)

    def _called_by_id(self) -> Link | None:
        """The first turn of an agent that names itself or its parent."""
        turn = self._turn
        if turn.session is None or self._nodes.find(mark("latest", turn.thread)):
            return None
        for thread in parents_of(turn):
            parent = self._task_in(thread) or self._latest(thread)
            if parent is not None:
                return Link(Relation.SUBAGENT, parent)
        return None

    def _called_by_text(self) -> Link | None:
        """A first question that is an argument of a call; without a session, of one that waits."""
        turn = self._turn
        if any(turn.models):
            return None
        parent = self._task_in(turn.thread)
        if parent is None or (turn.session is None and self._is_continued(parent)):
            return None
        return Link(Relation.SUBAGENT, parent)

    def _shortened(self) -> Link | None:
        """A history that begins with what an answer summed up, or says that it was made short."""
        turn = self._turn
        if not turn.shortened and (any(turn.models) or not turn.lines):
            return None
        found = [one for one in self._quoted(turn.thread) if turn.aside or self._is_summary(one)]
        if turn.aside:
            return Link(Relation.SIDE, max(found, key=_order)) if found else None
        kept = self._rewritten(None)
        if kept and kept.parent:
            found.append(kept.parent)
        latest = self._latest(turn.thread) if turn.shortened and turn.session else None
        if latest and not found:
            found.append(latest)
        return Link(Relation.COMPACTION, max(found, key=_order)) if found else None

    def _rewritten(self, match: _Match | None) -> Link | None:
        """An answer, and the question that we saw it given to, in a history that is not the one we saw.

        An answer alone is enough where something else says that the conversation is the same, or
        where it is long enough to be nobody else's.
        """
        turn = self._turn
        above = match.depth + 1 if match else 1
        answers = [index for index in range(self._size - 1, above - 1, -1) if turn.models[index]]
        for index in answers:
            pair = turn.messages[index - 1 : index + 1]
            found = self._at(mark("pair", turn.thread, *pair))
            found = found or self._known_by_answer(turn.messages[index], match)
            if found:
                return Link(Relation.COMPACTION, found[-1])
        return None

    def _known_by_answer(self, answer: bytes, match: _Match | None) -> list[Placed]:
        found = self._at(mark("gave", self._turn.thread, answer))
        if self._turn.session is not None:
            return found
        there = {one.placement.conversation for one in match.served} if match else set()
        return [one for one in found if _is_long(one) or one.placement.conversation in there]

    def _in_session(self) -> Link | None:
        """Nothing but the session says where it belongs; what it offers, what it is."""
        turn = self._turn
        latest = self._latest(turn.thread) if turn.session else None
        if latest is None:
            return None
        if turn.aside:
            return Link(Relation.SIDE, latest)
        if any(turn.models):
            return Link(Relation.COMPACTION, latest)
        if turn.tools and not latest.tools:
            return START
        if turn.tools == latest.tools and (turn.tools or turn.system == latest.system):
            return Link(Relation.BRANCH, latest)
        return Link(Relation.SIDE, latest)

    def _resumed(self) -> Link | None:
        """A history that begins with an answer, or its summary, of another session or another run."""
        turn = self._turn
        for depth in range(self._size, 0, -1):
            if turn.models[depth - 1]:
                found = self._at(mark("ever", turn.owner, self._path[depth]))
                if found:
                    return self._continued(found, depth)
        told = self._quoted(turn.owner) if turn.shortened else ()
        found = [one for one in told if self._is_summary(one)]
        return Link(Relation.COMPACTION, max(found, key=_order)) if found else None

    def _beside(self) -> Link:
        """A question for the number of tokens."""
        match = self._longest()
        found = (match.served or match.asked)[-1] if match else self._latest(self._turn.thread)
        return Link(Relation.SIDE, found)

    def _served_before(self, depth: int) -> tuple[int, list[Placed]]:
        """Find the last answer of ours within the beginning of a history."""
        for index in range(depth - 1, 0, -1):
            if self._turn.models[index - 1]:
                found = self._at(mark("served", self._turn.thread, self._path[index]))
                if found:
                    return index, found
        return 0, []

    def _quoted(self, where: bytes) -> Iterator[Placed]:
        """Find answers, of a thread or of an owner, whose longest lines the first questions hold."""
        lines = self._turn.lines
        for line in lines:
            for placed in self._at(mark("said", where, line)):
                if lines.issuperset(placed.said):
                    yield placed

    def _is_summary(self, placed: Placed) -> bool:
        """Say whether what is quoted is a summary to go on with; people quote answers in new chats too."""
        if not _is_long(placed):
            return False
        asked = placed.summary or self._turn.shortened
        return self._turn.session is not None or (asked and placed.depth >= _WORTH_A_SUMMARY)

    def _task_in(self, thread: bytes) -> Placed | None:
        found = [
            placed for text in self._turn.firsts for placed in self._at(mark("task", thread, text))
        ]
        return max(found, key=_order, default=None)

    def _latest(self, thread: bytes) -> Placed | None:
        found = self._at(mark("latest", thread))
        return found[-1] if found else None

    def _likeliest(self, candidates: list[Placed]) -> Placed:
        """Choose among turns that gave the same answer to the same history."""
        turn = self._turn
        return max(
            candidates,
            key=lambda one: (
                not self._is_continued(one),
                one.system == turn.system,
                one.model == turn.model,
                one.order,
            ),
        )

    def _is_continued(self, placed: Placed) -> bool:
        return bool(self._nodes.find(mark("next", placed.record)))

    def _is_elsewhere(self, parent: Placed, depth: int) -> bool:
        """Say whether an answer is continued otherwise too, by a turn that offers tools as this does."""
        own = next_of(self._turn, self._path, depth)
        there = self._nodes.find(mark("next", parent.record))
        return any(one != own and one[-1] == own[-1] for one in there)

    def _at(self, name: bytes) -> list[Placed]:
        found: Iterable[Placed | None] = map(self._nodes.placed, self._nodes.find(name))
        return [placed for placed in found if placed is not None]


def next_of(turn: Turn, path: list[bytes], depth: int) -> str:
    """Name what comes after the first `depth` messages of a history."""
    node = path[depth + 1] if depth < len(turn.messages) else b""
    return f"{node.hex()}{'+' if turn.tools else '-'}"


def parents_of(turn: Turn) -> list[bytes]:
    """List the threads that may have started this one, the one that is named first."""
    if turn.session is None or (turn.agent is None and turn.parent is None):
        return []
    named = []
    if turn.parent is not None:
        named = [
            thread_of(turn.owner, turn.session, turn.parent),
            thread_of(turn.owner, turn.parent, None),
        ]
    threads = [*named, thread_of(turn.owner, turn.session, None)]
    return [thread for thread in threads if thread != turn.thread]


def _is_long(placed: Placed) -> bool:
    return bool(placed.said) and placed.said[0][0] >= _LONG


def _order(placed: Placed) -> tuple[int, str, int]:
    return placed.order
