"""Where a turn belongs: the words that stitching answers with.

Pure values. A placement says of one record which conversation it is in, and how it came there.
Invariant: a conversation is named after its earliest record; what is called `parent` is always an
earlier placed record of the same conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Relation(StrEnum):
    """How a turn follows from its parent."""

    START = (
        "start"  # nothing came before: the only relation without a parent (but for a first `side`)
    )
    CONTINUE = "continue"  # the parent's answer, and more after it
    BRANCH = "branch"  # as `continue`, but the parent is continued otherwise too
    DUPLICATE = "duplicate"  # the parent failed or was cut, and is asked again: a retry
    REGENERATE = "regenerate"  # the parent was answered, and is asked again
    EDIT = "edit"  # the parent's answer came back changed
    COMPACTION = "compaction"  # the parent's history came back rewritten or without its beginning
    SUBAGENT = "subagent"  # the parent's answer called for it
    SIDE = "side"  # of the session, but no part of what is said: titles, counts of tokens


@dataclass(frozen=True, slots=True)
class Placement:
    """One record's place.

    Attributes:
        record: the record's id.
        conversation: the id of the conversation's earliest record that is known so far.
        parent: the record that the relation is to.
        merged: conversations that this record showed to be the same one; their ids are now aliases.
    """

    record: str
    conversation: str
    parent: str | None
    relation: Relation
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns that belong together, in the order in which they were placed."""

    id: str
    turns: tuple[Placement, ...]


def gather(placements: Iterable[Placement]) -> list[Conversation]:
    """Gather placements, in the order in which they were made, into conversations."""
    alias: dict[str, str] = {}
    turns: dict[str, list[Placement]] = {}
    for placement in placements:
        own = turns.setdefault(placement.conversation, [])
        for old in placement.merged:
            alias[old] = placement.conversation
            own += turns.pop(old, [])
        own.append(placement)
    return [Conversation(name, tuple(placed)) for name, placed in turns.items()]
