"""What does not depend on when and where records arrive, and what a store has to keep."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.sessions import SESSIONS, turns_of
from tests.support.talk import A, R, Talk, U, call

from dolphin_logger.conversation import (
    LATEST,
    MemoryNodes,
    Placed,
    Placement,
    Relation,
    Stitcher,
    Turn,
    gather,
    stitch,
)
from dolphin_logger.messages import Message


def some_turns(seed: int) -> list[Turn]:
    """Let chats, with and without sessions, ask, fail, branch and go on, on three writers."""
    choose = random.Random(seed)
    talk = Talk()
    chats: list[tuple[dict[str, str], tuple[Message, ...]]] = []
    for number in range(40):
        fresh = not chats or choose.random() < 0.2
        who = {"session": f"s{number}"} if choose.random() < 0.5 else {}
        who, history = (who, (U(f"Q{number}"),)) if fresh else choose.choice(chats)
        # without a session and an answer, how close in time two equal questions are depends on others
        failed = choose.random() < 0.15 and (len(history) > 1 or bool(who))
        answer = A(f"A{number}", *([call(n=number)] if choose.random() < 0.3 else []))
        talk.turn(
            *history,
            answer=None if failed else answer,
            outcome="timeout" if failed else "completed",
            writer=f"w{choose.randrange(3)}",
            **who,
        )
        if failed:
            chats.append((who, history))
        else:
            more = R("ok") if len(answer.parts) > 1 else U(f"more {number}")
            chats.append((who, (*history, answer, more)))
    return talk.turns


def clusters(placements: Sequence[Placement]) -> set[tuple[str, frozenset[str]]]:
    """Give each conversation's name and records."""
    return {(one.id, frozenset(turn.record for turn in one.turns)) for one in gather(placements)}


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_segments_does_not_matter(seed: int) -> None:
    """Turns of several segments, read one after the other in any order, come out the same."""
    turns = some_turns(seed)
    placements = list(stitch(turns))
    for writers in (("w0", "w1", "w2"), ("w2", "w0", "w1")):
        by_segment = [turn for name in writers for turn in turns if turn.writer == name]
        assert list(stitch(by_segment)) == placements


@given(st.integers(0, 50), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_late_turns_find_their_conversation(seed: int, shuffle: random.Random) -> None:
    """In whatever order turns are placed, the conversations and their names are the same."""
    turns = some_turns(seed)
    expected = clusters(list(stitch(turns)))
    shuffle.shuffle(turns)
    stitcher = Stitcher()
    assert clusters([stitcher.add(turn) for turn in turns]) == expected


@pytest.mark.parametrize("client", SESSIONS)
def test_real_sessions_in_any_order_are_one(client: str) -> None:
    """A real session is one conversation, whichever record is read first."""
    turns = turns_of(client)
    for seed in range(6):
        random.Random(seed).shuffle(turns)
        stitcher = Stitcher()
        found = clusters([stitcher.add(turn) for turn in turns])
        if client != "gemini-cli":  # its helper is known only by a call that was seen before it
            assert [name for name, _ in found] == [f"{client}-00"]


@pytest.mark.parametrize("seed", range(10))
def test_a_record_that_is_read_twice_changes_nothing(seed: int) -> None:
    """It keeps its place, and later ones theirs."""
    turns = some_turns(seed)
    once, twice = Stitcher(), Stitcher()
    choose = random.Random(seed)
    for number, turn in enumerate(turns):
        placed = once.add(turn)
        assert twice.add(turn) == placed
        again = choose.choice(turns[: number + 1])
        assert twice.add(again).relation == once.add(again).relation


def test_of_two_conversations_the_earlier_gives_the_name() -> None:
    """A merge is said once, and holds for what was placed before."""
    talk = Talk()
    first = talk.turn(U("Q1"), answer=A("A1"))
    second = talk.turn(U("Q1"), A("A1"), U("Q2"), answer=A("A2"))
    third = talk.turn(U("Q1"), A("A1"), U("Q2"), A("A2"), U("Q3"))
    assert talk.stitcher.add(second).conversation == "r1"
    late = talk.stitcher.add(first)
    assert (late.conversation, late.merged) == ("r0", ("r1",))
    after = talk.stitcher.add(third)
    assert (after.conversation, after.parent, after.merged) == ("r0", "r1", ())
    assert talk.stitcher.add(second).conversation == "r0"
    assert [one.id for one in gather([talk.stitcher.add(turn) for turn in talk.turns])] == ["r0"]


class TextNodes:
    """A store of lines of JSON: nothing survives in it but text."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}

    def find(self, mark: bytes) -> Sequence[str]:
        return json.loads(self.lines.get(mark.hex(), "[]"))

    def put(self, mark: bytes, value: str) -> None:
        known = [one for one in self.find(mark) if one != value]
        self.lines[mark.hex()] = json.dumps([*known, value][-LATEST:])

    def placed(self, record: str) -> Placed | None:
        kept = json.loads(self.lines.get(record, "null"))
        if kept is None:
            return None
        (name, conversation, parent, relation, _), *facts = kept
        placement = Placement(name, conversation, parent, Relation(relation))
        bare = [bytes.fromhex(one[1:]) if str(one).startswith("#") else one for one in facts]
        said = tuple(bytes.fromhex(line[1:]) for line in bare[7])
        return Placed(placement, *bare[:7], said, *bare[8:])

    def keep(self, placed: Placed) -> None:
        self.lines[placed.record] = json.dumps(astuple(placed), default=lambda one: f"#{one.hex()}")

    def alias(self, conversation: str) -> str | None:
        return self.lines.get(f"alias {conversation}")

    def rename(self, conversation: str, new: str) -> None:
        self.lines[f"alias {conversation}"] = new


@pytest.mark.parametrize("seed", range(5))
def test_all_that_is_known_is_in_the_store(seed: int) -> None:
    """A stitcher that begins anew with each turn, from what was written down, places it the same."""
    turns = sorted(
        [*some_turns(seed), *turns_of("claude-code"), *turns_of("opencode")],
        key=lambda turn: turn.order,
    )
    nodes = TextNodes()
    assert [Stitcher(nodes).add(turn) for turn in turns] == list(stitch(turns))


def test_a_mark_keeps_what_came_last() -> None:
    """The store in memory is bounded, holds each value once, and the latest at the end."""
    nodes = MemoryNodes()
    for number in range(LATEST + 5):
        nodes.put(b"m", str(number))
    nodes.put(b"m", "7")
    found = list(nodes.find(b"m"))
    assert found == [*[str(n) for n in range(5, LATEST + 5) if n != 7], "7"]
    assert list(nodes.find(b"other")) == []
