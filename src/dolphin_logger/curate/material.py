"""Material: one conversation in words, and the pieces that exporters make rows of.

It knows records, words and labels, no files, no rows and nothing of what is chosen or cleaned.
Invariants: nothing is invented: what a record does not tell is missing or null; a history of which a
part is missing is no example.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from dolphin_logger.conversation import Relation
from dolphin_logger.conversation.canonical import MODEL
from dolphin_logger.curate.edits import count_messages
from dolphin_logger.curate.history import History
from dolphin_logger.curate.native import NoFiles, SessionFiles
from dolphin_logger.curate.spool import Gathered
from dolphin_logger.curate.steps import steps_of
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Chat, Example, Exchanged, Json, Session, Unit, chats_of, tool_of
from dolphin_logger.journal.format import format_time
from dolphin_logger.label import Labels
from dolphin_logger.messages import Answered, Asked, Choice, Message, ToolResult

_INSTEAD: Final = (Relation.REGENERATE, Relation.DUPLICATE)
_CALLED_FOR: Final = (Relation.SUBAGENT, Relation.SIDE)


class Material:
    """One conversation. `around` holds every record of it, `records` those whose words are here."""

    def __init__(
        self, gathered: Gathered, labels: Labels, *, files: SessionFiles | NoFiles | None = None
    ) -> None:
        self.conversation = gathered.conversation
        self.records: tuple[Surveyed, ...] = tuple([one for one, _ in gathered.records])
        self.around: tuple[Surveyed, ...] = tuple(gathered.around) or self.records
        self._labels = labels
        self._files = files or NoFiles()
        self._history = History(gathered, labels)

    def asked(self, record: str) -> Asked:
        """Give the whole history of a record that was gathered, edits in place.

        Raises:
            DatasetError: a part of it is missing.
        """
        surveyed = self._surveyed(record)
        if not surveyed.is_whole or not self._is_chained(surveyed):
            raise DatasetError(
                f"record {record}: its history is not all here: what comes before it is missing"
            )
        return self._history.asked(record)

    def answered(self, record: str) -> Answered:
        """Give the answer of a record that was gathered, every choice, edits in place."""
        self._surveyed(record)
        return self._history.answered(record)

    def recorded(self, record: str) -> Answered:
        """Give the answer of a record that was gathered as it was recorded, without edits."""
        self._surveyed(record)
        return self._history.recorded(record)

    def sent(self, record: str) -> int:
        """Count the messages in the list that the client sent: where labels have the answer."""
        self._surveyed(record)
        return count_messages(self._history.fields(record).get("request"))

    def choice(self, record: str) -> Choice:
        """Give the choice that was gone on from, else the first that says something."""
        self._surveyed(record)
        return self._history.choice(record)

    def example(self, record: str, *, unit: Unit) -> Example:
        """Give a history with its answer; rating and tags of a turn are its own, of a leaf the conversation's too.

        Where the history made the model begin, its beginning is a part of the answer.

        Raises:
            DatasetError: there is no answer, or a part of the history is missing.
        """
        asked, choice = self.asked(record), self.choice(record)
        history, answer = list(asked.messages), choice.message
        if not answer.parts:
            raise DatasetError(f"record {record} has no answer")
        if history and history[-1].role == MODEL:
            answer = Message(MODEL, (*history.pop().parts, *answer.parts))
        prompt = chats_of(history)
        messages = [*prompt, *chats_of([answer])]
        facts = self._facts(record, unit)
        counts = _counts([*history, answer], messages)
        return Example(
            id=record,
            conversation=self.conversation,
            messages=messages,
            completion=len(prompt),
            tools=[tool_of(tool) for tool in asked.tools],
            metadata={**facts, **counts},
        )

    def exchanged(self, record: str) -> Exchanged:
        """Give request and answer as they were recorded, edits of the record in place."""
        surveyed = self._surveyed(record)
        request, response = self._history.edited_bodies(record)
        dialect = self._history.fields(record).get("dialect")
        facts = self._facts(surveyed.id, Unit.EXCHANGE)
        return Exchanged(
            record, self.conversation, request, response, {**facts, "dialect": dialect}
        )

    def session(self) -> Session:
        """Give the conversation as the steps of what was gathered; the client's own lines if all of it was."""
        first = self.records[0]
        tokens: dict[str, int] = {}
        for one in self.records:
            for name, count in self._tokens(one.id).items():
                tokens[name] = tokens.get(name, 0) + count
        metadata = {
            "conversation": self.conversation,
            "records": len(self.records),
            "models": _named(one.model for one in self.records),
            "providers": _named(one.provider for one in self.records),
            "client": first.client,
            "time": {"first": _moment(first.time), "last": _moment(self.records[-1].time)},
            "tokens": tokens,
            "rating": self._labels.marks(self.conversation).rating,
            "tags": sorted(self._labels.marks(self.conversation).tags),
            "source": first.source,
        }
        is_edited = any(
            label.kind == "edit" for one in self.records for label in self._labels.in_force(one.id)
        )
        fields = (self._history.fields(one.id) for one in self.records)
        return Session(
            id=self.conversation,
            conversation=self.conversation,
            client=first.client,
            steps=list(steps_of(self._history, self.records)),
            native=[] if is_edited else self._files.lines(fields),
            metadata=metadata,
        )

    def _surveyed(self, record: str) -> Surveyed:
        surveyed = self._history.surveyed(record)
        if surveyed is None or not self._history.is_there(record):
            raise DatasetError(f"record {record} was not gathered with {self.conversation}")
        return surveyed

    def _is_chained(self, surveyed: Surveyed) -> bool:
        """Say whether all that comes before a record was gathered with it."""
        while surveyed.before is not None:
            before = self._history.surveyed(surveyed.before)
            if before is None or not self._history.is_there(before.id):
                return False
            surveyed = before
        return True

    def _facts(self, record: str, unit: Unit) -> dict[str, Json]:
        surveyed = self._surveyed(record)
        line = self._line(surveyed)
        own, all_ = self._labels.marks(record), self._labels.marks(self.conversation)
        is_leaf = unit is Unit.LEAF
        rating = all_.rating if is_leaf and own.rating is None else own.rating
        return {
            "conversation": self.conversation,
            "record": record,
            "models": _named(one.model for one in line),
            "providers": _named(one.provider for one in line),
            "client": surveyed.client,
            "time": {"first": _moment(line[0].time), "last": _moment(surveyed.time)},
            "tokens": self._tokens(record),
            "finish_reason": surveyed.finish_reason,
            "rating": rating,
            "tags": sorted({*own.tags, *(all_.tags if is_leaf else ())}),
            "source": surveyed.source,
        }

    def _line(self, surveyed: Surveyed) -> Sequence[Surveyed]:
        """List the records whose answers led to one, and that one, in the order of time."""
        line, seen = [surveyed], {surveyed.id}
        now = surveyed
        while now.parent is not None and now.parent not in seen and now.relation not in _CALLED_FOR:
            above = self._history.surveyed(now.parent)
            if above is None:
                break
            if now.relation not in _INSTEAD:
                line.append(above)
            seen.add(above.id)
            now = above
        return sorted(line, key=lambda one: (one.time, one.id))

    def _tokens(self, record: str) -> dict[str, int]:
        usage = self._history.fields(record).get("usage") or {}
        return {name: count for name, count in usage.items() if type(count) is int}


def _counts(said: Iterable[Message], messages: Sequence[Chat]) -> dict[str, Any]:
    """Count what a reader of the whole would: answers of the model, its calls, and those that failed."""
    answers = [message for message in messages if message["role"] == MODEL]
    results = (part for message in said for part in message.parts if isinstance(part, ToolResult))
    return {
        "turns": len(answers),
        "tool_calls": sum(len(message.get("tool_calls", ())) for message in answers),
        "tool_errors": sum(result.is_error for result in results),
    }


def _named(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


def _moment(time: int) -> str:
    return format_time(time * 1000)
