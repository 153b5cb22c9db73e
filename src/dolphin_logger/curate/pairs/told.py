"""What pairs need of a conversation: facts of its records, and their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dolphin_logger.conversation import Relation
from dolphin_logger.messages import Answered, Asked


class Fact(Protocol):
    """One record, without what was said."""

    @property
    def id(self) -> str:
        """The record's id."""
        ...

    @property
    def conversation(self) -> str:
        """The id of its conversation."""
        ...

    @property
    def parent(self) -> str | None:
        """The record that the relation is to."""
        ...

    @property
    def relation(self) -> Relation:
        """As stitching placed it."""
        ...

    @property
    def time(self) -> int:
        """UNIX microseconds."""
        ...

    @property
    def model(self) -> str | None:
        """Who was asked."""
        ...

    @property
    def provider(self) -> str | None:
        """Who answered."""
        ...

    @property
    def outcome(self) -> str:
        """How it ended."""
        ...

    @property
    def status(self) -> int | None:
        """Of HTTP."""
        ...

    @property
    def publishable(self) -> bool | None:
        """False forbids."""
        ...

    @property
    def is_side(self) -> bool:
        """Whether a client asked for itself."""
        ...

    @property
    def is_replay(self) -> bool:
        """Whether our own command asked again what a record asked."""
        ...


class Told(Protocol):
    """One conversation."""

    @property
    def records(self) -> Sequence[Fact]:
        """All of its records."""
        ...

    def asked(self, record: str) -> Asked:
        """Give the whole history of a record."""
        ...

    def answered(self, record: str) -> Answered:
        """Give its answer as it was recorded."""
        ...

    def sent(self, record: str) -> int:
        """Count the messages in the list that the client sent: the answer's index for labels."""
        ...
