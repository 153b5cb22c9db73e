"""A session as a tree of messages: each hangs on what was said before it.

Steps tell only what was new, and how they follow another step; here every message gets a name of its own
and its place, so that branches, retries, compactions and sub-agents can be followed. It knows no shape.
Requests of a client that are no part of what is said (`side`: titles, counts) have no place in it.
Invariant: a node's parent stands before it; every other message of the session is there once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dolphin_logger.conversation.placement import Relation
from dolphin_logger.example import Chat, Session, Step
from dolphin_logger.exporters._calls import identify_calls

_ASKED_AGAIN = (Relation.DUPLICATE, Relation.REGENERATE, Relation.EDIT)


@dataclass(frozen=True, slots=True)
class Node:
    """One message.

    Attributes:
        id: of its record and its place there.
        thread: of the sub-agent that it belongs to, the id of its first record; None for the main one.
        is_first: whether the step begins here, `step.relation` says how.
        is_answer: whether the step's model said it.
        is_counted: whether the usage of the step stands for it: the first of the model's answers.
    """

    id: str
    parent: str | None
    chat: Chat
    step: Step
    thread: str | None
    is_first: bool
    is_answer: bool
    is_counted: bool


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where a step can be followed: behind what was asked, and behind what was answered."""

    asked: str | None
    answered: str | None
    thread: str | None
    step: Step


def plant(session: Session) -> list[Node]:
    """Give the messages of a session in the order of time."""
    nodes: list[Node] = []
    ends: dict[str, _Ends] = {}
    for step in identify_calls([one for one in session.steps if one.relation != Relation.SIDE]):
        before = ends.get(step.parent or "")
        grown, ends[step.id] = _grow(step, before)
        nodes += grown
    return nodes


def path_to(node: Node, nodes: Iterable[Node]) -> list[Node]:
    """Give the nodes from the beginning of a node's thread up to it."""
    known = {one.id: one for one in nodes if one.thread == node.thread}
    path = [node]
    while (parent := known.get(path[-1].parent or "")) is not None:
        path.append(parent)
    return path[::-1]


def ends_of(nodes: Sequence[Node], thread: str | None) -> list[Node]:
    """Give the nodes of a thread that nothing follows in it, the one it ended with first."""
    own = [node for node in nodes if node.thread == thread]
    followed = {node.parent for node in own}
    return [node for node in own if node.id not in followed][::-1]


def _grow(step: Step, before: _Ends | None) -> tuple[list[Node], _Ends]:
    thread = _thread(step, before)
    asked = _anchor(step, before)
    messages = step.messages
    if before is not None and step.relation in _ASKED_AGAIN and messages == before.step.messages:
        messages = []
    grown: list[Node] = []

    def add(chat: Chat, parent: str | None, *, is_answer: bool) -> str:
        name = f"{step.id}-{len(grown)}"
        is_counted = (
            is_answer and chat["role"] == "assistant" and not any(node.is_counted for node in grown)
        )
        grown.append(Node(name, parent, chat, step, thread, not grown, is_answer, is_counted))
        return name

    for message in messages:
        asked = add(message, asked, is_answer=False)
    # several answers of nothing but the model are choices; with results between them, one answer
    are_choices = all(answer["role"] == "assistant" for answer in step.answers)
    last = asked
    names = []
    for answer in step.answers:
        last = add(answer, asked if are_choices else last, is_answer=True)
        names.append(last)
    answered = asked
    if names:
        answered = names[0] if are_choices else names[-1]
    return grown, _Ends(asked, answered, thread, step)


def _anchor(step: Step, before: _Ends | None) -> str | None:
    if before is None:
        return None
    return before.asked if step.relation in _ASKED_AGAIN else before.answered


def _thread(step: Step, before: _Ends | None) -> str | None:
    if step.relation == Relation.SUBAGENT:
        return step.id
    if before is not None:
        return before.thread
    return step.id if step.agent is not None else None
