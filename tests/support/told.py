"""Recorded conversations in words, for tests and benchmarks of pairs: records in, one Told each out.

Records go through the project's own format, languages and stitching.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dolphin_logger.conversation import Placement, Relation, gather, read_turn, stitch
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.messages import Answered, Asked

LISTS = ("messages", "input", "contents")


@dataclass(frozen=True)
class Recorded:
    """One record, read."""

    fields: dict[str, Any]
    placement: Placement
    time: int
    is_replay: bool
    conversation: str

    @property
    def id(self) -> str:
        return str(self.fields["id"])

    @property
    def parent(self) -> str | None:
        return self.placement.parent

    @property
    def relation(self) -> Relation:
        return self.placement.relation

    @property
    def is_side(self) -> bool:
        return self.relation is Relation.SIDE

    @property
    def model(self) -> str | None:
        return self.fields.get("model")

    @property
    def provider(self) -> str | None:
        return self.fields.get("provider")

    @property
    def outcome(self) -> str:
        return str(self.fields["outcome"])

    @property
    def status(self) -> int | None:
        return self.fields.get("status")

    @property
    def publishable(self) -> bool | None:
        return (self.fields.get("policy") or {}).get("publishable")


@dataclass
class Conversation:
    """One conversation, as pairs want it told."""

    records: list[Recorded] = field(default_factory=list)
    words: dict[str, tuple[Asked, Answered]] = field(default_factory=dict)

    def asked(self, record: str) -> Asked:
        return self.words[record][0]

    def answered(self, record: str) -> Answered:
        return self.words[record][1]

    def sent(self, record: str) -> int:
        request = next(one.fields["request"] for one in self.records if one.id == record)
        found = next((request[key] for key in LISTS if key in request), [])
        return len(found) if isinstance(found, list) else 1


def tell(records: Iterable[dict[str, Any]], *, writer: str = "w") -> list[Conversation]:
    """Stitch the fields of records, and give their conversations, the earliest first."""
    return tell_all([(writer, fields) for fields in records])


def tell_all(records: Sequence[tuple[str, dict[str, Any]]]) -> list[Conversation]:
    """Stitch the fields of records of several writers."""
    read = {}
    for writer, fields in records:
        dialect = DIALECTS[fields["dialect"]]
        asked = dialect.read_request(fields["request"] or {})
        answered = dialect.read_response(fields["response"] or {})
        turn = read_turn(fields, asked, answered, writer=writer)
        read[turn.id] = (fields, asked, answered, turn)
    made = []
    for talk in gather(stitch(turn for *_, turn in read.values())):
        told = Conversation()
        for placement in talk.turns:
            fields, asked, answered, turn = read[placement.record]
            is_replay = turn.replays is not None
            told.records.append(Recorded(fields, placement, turn.time, is_replay, talk.id))
            told.words[turn.id] = (_chained(told, turn.previous, asked), answered)
        made.append(told)
    return made


def _chained(told: Conversation, previous: str | None, asked: Asked) -> Asked:
    """Put in front what the provider remembered."""
    if previous is None:
        return asked
    for before, answered in reversed(told.words.values()):
        if answered.rest.get("id") == previous:
            said = [choice.message for choice in answered.choices]
            return Asked((*before.messages, *said, *asked.messages), asked.tools, asked.rest)
    return asked
