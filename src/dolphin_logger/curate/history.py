"""The history: what was said in a conversation before and in each answer, in words, as it is to be told.

A request that holds only what is new is completed by the record that comes before it; what a person
wrote in the place of a message stands there in every history that holds the message. It knows words
and hashes, no rows and no files.
Invariant: where nothing was edited, a history is what was recorded, message by message.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from dolphin_logger.conversation import canonical
from dolphin_logger.conversation.canonical import INSTRUCTIONS, hash_message
from dolphin_logger.conversation.links import node_of
from dolphin_logger.curate.edits import count_messages, edit_request, edit_response
from dolphin_logger.curate.spool import Gathered
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.index.recent import Recent
from dolphin_logger.label import Labels
from dolphin_logger.messages import Answered, Asked, Choice, Message, ToolDefinition

Told: TypeAlias = tuple[Message, bytes]  # a message, and the hash of it behind all that was before
_INSTRUCTIONS: Final = b"instructions"
_SILENCE: Final = b"silence"
_MOST_HELD: Final = 64  # histories at hand
_SILENT: Final = Choice(Message("assistant", ()))


@dataclass(frozen=True, slots=True)
class _Said:
    """What one record holds itself; `own` counts the messages that stand for its whole life only."""

    asked: Asked
    answered: Answered
    own: int


class History:
    """All that was said in one conversation."""

    def __init__(self, gathered: Gathered, labels: Labels) -> None:
        self._records = gathered.records
        self._around = {one.id: one for one in gathered.around}
        self._places: dict[str, int] = {}
        for place, (surveyed, _) in enumerate(gathered.records):
            self._places[surveyed.id] = place
            self._around[surveyed.id] = surveyed
        self._labels = labels
        self._recent = Recent()
        self._said: dict[str, _Said] = {}
        self._hashes: dict[int, bytes] = {}
        self._held: OrderedDict[str, tuple[Told, ...]] = OrderedDict()
        self._changes: dict[bytes, Message] = {}
        for record in self._edited():
            self._changes |= self._change(record)

    def surveyed(self, record: str) -> Surveyed | None:
        """Give the facts of a record of the conversation, gathered or not."""
        return self._around.get(record)

    def is_there(self, record: str) -> bool:
        """Say whether a record was gathered."""
        return record in self._places

    def fields(self, record: str) -> dict[str, Any]:
        """Give the fields of a record that was gathered, as they were recorded."""
        return self._records[self._places[record]][1]

    def edited_bodies(self, record: str) -> tuple[Any, Any]:
        """Give request and response of a record as they were recorded, its own edits in place."""
        fields = self.fields(record)
        return self._edit(record, fields.get("request"), fields.get("response"))

    def asked(self, record: str) -> Asked:
        """Give a request with all that came before; instructions that stand beside the messages first."""
        said = self._read(record)
        told = [message for message, _ in self.edited(record)]
        start = len(told) - len(said.asked.messages)
        own = told[start : start + said.own]
        return Asked(
            (*own, *told[:start], *told[start + said.own :]), self._tools(record), said.asked.rest
        )

    def answered(self, record: str) -> Answered:
        """Give an answer."""
        answered = self._read(record).answered
        if not self._changes:
            return answered
        choices = [
            replace(choice, message=self._changes.get(node, choice.message))
            for choice, node in zip(answered.choices, self.answer_nodes(record), strict=True)
        ]
        return Answered(tuple(choices), answered.rest)

    def recorded(self, record: str) -> Answered:
        """Give an answer without edits."""
        return self._read(record).answered

    def choice(self, record: str) -> Choice:
        """Give the choice that was gone on from, else the first that says something."""
        return _chosen(self.answered(record), self._around[record])

    def told(self, record: str) -> tuple[Told, ...]:
        """Give all messages of a history as recorded, each with its hash behind those before it."""
        chain = [record]
        while chain[-1] not in self._held and (before := self._around[chain[-1]].before):
            if before not in self._places:
                break
            chain.append(before)
        for one in reversed(chain):
            if one not in self._held:
                self._held[one] = tuple(self._tell(one))
            self._held.move_to_end(one)  # the next one begins with it
            if len(self._held) > _MOST_HELD:
                self._held.popitem(last=False)
        return self._held[record]

    def edited(self, record: str) -> Iterator[Told]:
        """Give the same, edits in place; the hashes are those of what was recorded."""
        for message, node in self.told(record):
            yield self._changes.get(node, message), node

    def answer_nodes(self, record: str) -> list[bytes]:
        """Hash each choice behind the history."""
        end = self._end(self.told(record))
        choices = self._read(record).answered.choices
        return [self._behind(end, choice.message) for choice in choices]

    def _tell(self, record: str) -> Iterator[Told]:
        said, surveyed = self._read(record), self._around[record]
        end = b""
        if surveyed.before in self._places:
            before = self._read(surveyed.before)
            given = list(self.told(surveyed.before))
            if surveyed.source is None:  # what stood beside the messages then does not hold now
                start = len(given) - len(before.asked.messages)
                del given[start : start + before.own]
            answer = _chosen(before.answered, self._around[surveyed.before]).message
            if answer.parts:
                given.append((answer, self._behind(self._end(given), answer)))
            yield from given
            end = self._end(given)
        for message in said.asked.messages:
            node = self._behind(end, message)
            yield message, node
            end = node if self._counts(message) else end

    def _behind(self, end: bytes, message: Message) -> bytes:
        """Hash a message behind others; instructions stand for themselves, wherever they are."""
        is_instructions = message.role in INSTRUCTIONS
        return node_of(_INSTRUCTIONS if is_instructions else end, self._hash(message) or _SILENCE)

    def _counts(self, message: Message) -> bool:
        """Say whether a message is part of what is said: clients drop and add others at will."""
        return message.role not in INSTRUCTIONS and bool(self._hash(message))

    def _end(self, told: Sequence[Told]) -> bytes:
        """Give the hash of all that was said."""
        return next((node for message, node in reversed(told) if self._counts(message)), b"")

    def _hash(self, message: Message) -> bytes:
        """Hash a message that is held here, whose identity is its own."""
        known = self._hashes.get(id(message))
        if known is None:
            known = self._hashes[id(message)] = hash_message(message)
        return known

    def _read(self, record: str) -> _Said:
        said = self._said.get(record)
        if said is None:
            fields = self.fields(record)
            said = self._words(fields, fields.get("request"), fields.get("response"))
            self._said[record] = said
        return said

    def _words(self, fields: Mapping[str, Any], request: Any, response: Any) -> _Said:
        dialect = DIALECTS.get(str(fields.get("dialect")))
        asked, answered = Asked(), Answered()
        if dialect is not None and isinstance(request, dict):
            asked, _ = self._recent.read(dialect, request)
        if dialect is not None and isinstance(response, dict):
            answered = dialect.read_response(response)
        beside = isinstance(request, dict) and bool(request.get("instructions"))
        own = 1 if beside and asked.messages and asked.messages[0].role in INSTRUCTIONS else 0
        return _Said(asked, answered, own)

    def _tools(self, record: str) -> tuple[ToolDefinition, ...]:
        """Give what a request offers; transcripts say so only where it began."""
        one: Surveyed | None = self._around[record]
        while one is not None and one.id in self._places:
            tools = self._read(one.id).asked.tools
            if tools or one.source is None:
                return tools
            one = None if one.before is None else self._around.get(one.before)
        return ()

    def _edited(self) -> Iterable[str]:
        """List the records with edits, the one that was edited last at the end."""
        latest = {}
        for record in self._places:
            times = [one.time for one in self._labels.in_force(record) if one.kind == "edit"]
            if times:
                latest[record] = max(times)
        return sorted(latest, key=lambda record: (latest[record], record))

    def _edit(self, record: str, request: Any, response: Any) -> tuple[Any, Any]:
        count = count_messages(request)
        indexes = {one.message for one in self._labels.in_force(record) if one.kind == "edit"}
        for index in sorted(one for one in indexes if one is not None):
            value = self._labels.marks(record, message=index).edit
            if value is None:
                continue
            if index == count:
                response = edit_response(response, value)
            else:
                request = edit_request(request, index, value)
        return request, response

    def _change(self, record: str) -> Iterator[tuple[bytes, Message]]:
        """Give each message that was edited in a record, by its place among all that was said."""
        said, told = self._read(record), self.told(record)
        new = self._words(self.fields(record), *self.edited_bodies(record))
        own = told[len(told) - len(said.asked.messages) :]
        if len(new.asked.messages) == len(own):
            for (old, node), message in zip(own, new.asked.messages, strict=True):
                if old != message:
                    yield node, message
        if len(new.answered.choices) == len(said.answered.choices):
            for old_choice, choice, node in zip(
                said.answered.choices,
                new.answered.choices,
                self.answer_nodes(record),
                strict=True,
            ):
                if old_choice.message != choice.message:
                    yield node, choice.message


def _chosen(answered: Answered, surveyed: Surveyed) -> Choice:
    """Give the choice that counts of those that say something."""
    speaking = [choice for choice in answered.choices if canonical(choice.message)]
    found = speaking or list(answered.choices) or [_SILENT]
    return found[surveyed.choice] if surveyed.choice < len(found) else found[0]
