"""Reading: one record in words, with what stitching needs of it.

It brings together a record's fields, its wire language and the package conversation; it keeps nothing.
Invariant: never raises, whatever was recorded; what cannot be read has no messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from dolphin_logger.conversation import Turn, canonical, read_turn
from dolphin_logger.conversation.canonical import (
    INSTRUCTIONS,
    MODEL,
    conversed,
    digest,
    hash_message,
    spoken,
)
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.errors import RecordError
from dolphin_logger.index.contents import to_json, tools_of
from dolphin_logger.index.recent import Recent
from dolphin_logger.journal.reader import StoredRecord, body
from dolphin_logger.journal.sealed import segment_name
from dolphin_logger.messages import Answered, Asked, Message, Text

_BLOB: Final = "blob"


@dataclass(frozen=True, slots=True)
class Reading:
    """A record in words."""

    turn: Turn
    asked: Asked
    answered: Answered

    def last_messages(self, count: int) -> list[Message]:
        """Give the last messages of the history, in order."""
        found: list[Message] = []
        for message in reversed(list(conversed(self.asked.messages))):
            if len(found) == count:
                break
            if canonical(message):
                found.append(message)
        return found[::-1]

    def first_user_text(self) -> str:
        """Give what the conversation begins with."""
        for message in conversed(self.asked.messages):
            text = spoken(message) if message.role != MODEL else ""
            if text:
                return text
        return ""

    def answers(self) -> list[Message]:
        """Give the choices, each as it would come back, beside the turn's `answers`."""
        begun: tuple[Any, ...] = ()
        if self.turn.base < len(self.turn.messages):
            begun = self.last_messages(1)[0].parts
        made = [Message(MODEL, (*begun, *choice.message.parts)) for choice in self.answered.choices]
        return [message for message in made if canonical(message)]

    def setting(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Give the tools and the instructions as contents with their hashes."""
        if self.asked.tools:
            content = tools_of(self.asked.tools)
            yield digest(b"tools\x00" + to_json(content)), content
        for message in self.asked.messages:
            if message.role in INSTRUCTIONS:
                for part in message.parts:
                    if isinstance(part, Text):
                        text = part.text.encode("utf-8", "surrogatepass")
                        said = {"role": message.role}
                        parts = [{"kind": "text", "text": part.text}]
                        yield digest(b"instructions\x00" + text), {**said, "parts": parts}


def read(record: StoredRecord, recent: Recent) -> Reading:
    """Read a record."""
    fields = record.fields
    dialect = DIALECTS.get(str(fields.get("dialect")))
    request, response = _body(record, "request"), _body(record, "response")
    asked, answered = Asked(), Answered()
    hashed: Callable[[Message], bytes] = hash_message
    if dialect is not None and isinstance(request, dict):
        asked, hashed = recent.read(dialect, request)
    if dialect is not None and isinstance(response, dict):
        answered = dialect.read_response(response)
    turn = read_turn(fields, asked, answered, writer=segment_name(record.file), hashed=hashed)
    return Reading(turn, asked, answered)


def _body(record: StoredRecord, which: Literal["request", "response"]) -> Any:
    found = record.fields.get(which)
    if isinstance(found, dict) and found.keys() == {_BLOB}:
        try:
            return body(record, which)
        except RecordError:
            return None
    return found
