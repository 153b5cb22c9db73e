"""The tree that sessions are: each node knows its parent, and some nodes are answers.

It knows ids, not what was said. Invariant: it ends on any tree, also one that bites its tail.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """A node that holds its message, as its program writes it."""

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
