"""The tree that sessions are: each node knows its parent, and some nodes are answers.

It knows ids, not what was said. Invariant: every walk ends on any tree, also one that bites its tail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class Linked(Protocol):
    """What a walk needs of a node: its parent's id, and which answer it is a part of, if of any."""

    @property
    def parent(self) -> str | None:
        """The id of the node before it."""
        ...

    @property
    def answer(self) -> str | None:
        """What names the answer."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """A node that holds its message, as its program writes it; an answer is named by its own id."""

    parent: str | None
    answer: str | None
    message: dict[str, Any] = field(default_factory=dict)


def back_to_answer(nodes: Mapping[str, Linked], start: str | None) -> tuple[list[str], str | None]:
    """Walk from a node towards the root; give the ids up to the next answer, oldest first, and its name."""
    found: list[str] = []
    seen: set[str] = set()
    while start is not None and start in nodes and start not in seen:
        node = nodes[start]
        if node.answer is not None:
            return found[::-1], node.answer
        seen.add(start)
        found.append(start)
        start = node.parent
    return found[::-1], None


def answers_in_order(nodes: Mapping[str, Node]) -> Iterator[str]:
    """Give the answers, each behind the one that it follows: a file may hold them in any order."""
    given: set[str] = set()
    for start, node in nodes.items():
        chain: list[str] = []
        name = start if node.answer is not None else None
        while name is not None and name not in given:
            given.add(name)
            chain.append(name)
            _, name = back_to_answer(nodes, nodes[name].parent)
        yield from reversed(chain)
