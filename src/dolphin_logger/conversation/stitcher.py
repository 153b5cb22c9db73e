"""The stitcher: turns in, places out, one at a time.

It asks the rules in `links` where a turn hangs on, joins the conversations that it shows to be one,
and marks what later turns may find. All it knows is in its store, so that it can stop anywhere.
Invariants: a record that is placed keeps its place; of two conversations that turn out to be one, the
one that began earlier gives the id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dolphin_logger.conversation.links import (
    START,
    Link,
    Linker,
    mark,
    next_of,
    node_of,
    parents_of,
    path_of,
)
from dolphin_logger.conversation.nodes import MemoryNodes, Nodes, Placed
from dolphin_logger.conversation.placement import Placement, Relation
from dolphin_logger.conversation.turn import Turn

_MOVES_ON = (Relation.CONTINUE, Relation.BRANCH, Relation.EDIT, Relation.COMPACTION)

_ASKS_AGAIN = (Relation.DUPLICATE, Relation.REGENERATE)


def stitch(turns: Iterable[Turn], nodes: Nodes | None = None) -> Iterator[Placement]:
    """Place turns of any number of segments, in the order in which they were asked.

    Turns come in any order; they are held in memory until the last one is there.
    """
    stitcher = Stitcher(nodes)
    for turn in sorted(turns, key=lambda turn: turn.order):
        yield stitcher.add(turn)


class Stitcher:
    """Places turns. Best in the order (time, writer, seq); one that comes late still finds its place."""

    def __init__(self, nodes: Nodes | None = None) -> None:
        self._nodes: Nodes = MemoryNodes() if nodes is None else nodes

    def add(self, turn: Turn, *, path: list[bytes] | None = None) -> Placement:
        """Place one turn; one that was placed before stays where it is.

        `path`: the hashes of its history (see `path_of`), where the caller has them.
        """
        known = self._nodes.placed(turn.id)
        if known is not None:
            conversation = self._resolve(known.placement.conversation)
            return replace(known.placement, conversation=conversation, merged=())
        before = self.before(turn)
        if path is None:
            path = path_of(turn, before.tip if before else b"")
        link = Linker(self._nodes, turn, path).link()
        if before and link is START:
            link = Link(Relation.CONTINUE, before)
        tips = [node_of(path[turn.base], answer) for answer in turn.answers]
        conversation, merged = self._join(turn, self._conversations(turn, link, path, tips))
        parent = link.parent.record if link.parent else None
        placement = Placement(turn.id, conversation, parent, link.relation, merged)
        self._nodes.keep(_placed(turn, placement, tips[0] if tips else path[-1]))
        self._mark(turn, link, path, tips)
        return placement

    def before(self, turn: Turn) -> Placed | None:
        """Find the turn whose history and answer come before the messages of this one, unsaid."""
        if turn.follows is not None:
            return self._nodes.placed(turn.follows)
        if turn.previous is None:
            return None
        found = self._nodes.find(mark("answer", turn.owner, turn.previous))
        return self._nodes.placed(found[-1]) if found else None

    def _conversations(
        self, turn: Turn, link: Link, path: list[bytes], tips: list[bytes]
    ) -> Iterator[str]:
        """List the conversations that this turn belongs to."""
        marks = [mark("awaited", turn.thread)]
        if turn.session is not None:
            marks.append(mark("session", turn.owner, turn.session))
        if not turn.counting and link.parent is None and path[-1]:
            marks.append(mark("counted", turn.thread, path[-1]))
        if link.parent is not None:
            yield link.parent.placement.conversation
        for name in marks:
            for record in self._nodes.find(name)[-1:]:
                yield from self._conversation(record)
        for tip in tips:  # what was seen in histories before its answer came here
            for record in self._nodes.find(mark("shown", turn.thread, tip)):
                later = self._nodes.placed(record)
                if later is not None and later.order > turn.order:
                    yield later.placement.conversation

    def _conversation(self, record: str) -> Iterator[str]:
        placed = self._nodes.placed(record)
        if placed is not None:
            yield placed.placement.conversation

    def _join(self, turn: Turn, conversations: Iterable[str]) -> tuple[str, tuple[str, ...]]:
        """Make one of all; give its id and the ids that are aliases now."""
        began = {turn.id: turn.order}
        for conversation in conversations:
            present = self._resolve(conversation)
            first = self._nodes.placed(present)
            if first is not None:
                began[present] = first.order
        earliest = min(began, key=began.__getitem__)
        merged = tuple([old for old in began if old not in (earliest, turn.id)])
        for old in merged:
            self._nodes.rename(old, earliest)
        return earliest, merged

    def _resolve(self, conversation: str) -> str:
        while (new := self._nodes.alias(conversation)) is not None:
            conversation = new
        return conversation

    def _mark(self, turn: Turn, link: Link, path: list[bytes], tips: list[bytes]) -> None:
        nodes, thread = self._nodes, turn.thread
        if turn.session is not None:
            nodes.put(mark("session", turn.owner, turn.session), turn.id)
        if turn.counting:
            nodes.put(mark("counted", thread, path[-1]), turn.id)
            return
        if link.parent is None:
            for awaited in parents_of(turn):
                nodes.put(mark("awaited", awaited), turn.id)
        elif link.relation in _MOVES_ON:
            nodes.put(mark("next", link.parent.record), next_of(turn, path, link.depth))
        elif link.relation in _ASKS_AGAIN:
            nodes.put(mark("again", link.parent.record), turn.id)
        if link.relation is not Relation.SIDE:
            nodes.put(mark("latest", thread), turn.id)
        if turn.messages:
            nodes.put(mark("asked", thread, path[-1]), turn.id)
        for depth in range(link.depth + 1, len(path)):
            if turn.models[depth - 1]:
                nodes.put(mark("shown", thread, path[depth]), turn.id)
        self._mark_answer(turn, tips)

    def _mark_answer(self, turn: Turn, tips: list[bytes]) -> None:
        nodes, thread = self._nodes, turn.thread
        for tip, answer in zip(tips, turn.answers, strict=True):
            nodes.put(mark("served", thread, tip), turn.id)
            nodes.put(mark("ever", turn.owner, tip), turn.id)
            nodes.put(mark("gave", thread, answer), turn.id)
            if turn.base:
                nodes.put(mark("pair", thread, turn.messages[turn.base - 1], answer), turn.id)
        for text in turn.tasks:
            nodes.put(mark("task", thread, text), turn.id)
        for line in turn.said[:1]:
            nodes.put(mark("said", thread, line), turn.id)
            nodes.put(mark("said", turn.owner, line), turn.id)
        if turn.answer is not None:
            nodes.put(mark("answer", turn.owner, turn.answer), turn.id)


def _placed(turn: Turn, placement: Placement, tip: bytes) -> Placed:
    return Placed(
        placement=replace(placement, merged=()),
        time=turn.time,
        ended=turn.ended,
        writer=turn.writer,
        seq=turn.seq,
        session=turn.session,
        tip=tip,
        depth=len(turn.messages),
        said=turn.said,
        model=turn.model,
        system=turn.system,
        tools=turn.tools,
        complete=turn.complete,
        summary=turn.summary,
    )
