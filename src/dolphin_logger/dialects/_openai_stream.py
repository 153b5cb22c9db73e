"""A streamed chat completion, re-assembled into the answer that a plain request would have got.

It knows the envelope (`chat.completion.chunk`, errors, `[DONE]`); a choice's content is the business
of `_openai_choice`. Most events only lengthen one text: they are recognised by their envelope and
frame being equal to the last ones, and cost a few microseconds.
Invariant: never raises on provider input; what it cannot place makes the answer inexact.

Source: https://platform.openai.com/docs/api-reference/chat-streaming and what providers really send.
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects._growth import is_empty, keep_last, settle
from dolphin_logger.dialects._json import (
    UNREADABLE,
    Reading,
    has_long_number,
    is_too_deep,
    read_slowly,
)
from dolphin_logger.dialects._openai_choice import Choice
from dolphin_logger.sse import Event, EventSplitter

_FIRST: Final = frozenset(("id", "created", "model"))
_LAST: Final = frozenset(
    (
        *("usage", "service_tier", "system_fingerprint", "moderation", "metadata"),
        *("provider", "x_groq", "prompt_filter_results", "citations", "search_results", "timings"),
    )
)
_OBJECTS: Final = ("chat.completion.chunk", "chat.completion", "", None)
_NOT_READ: Final = object()


class ChatDecoder:
    """Implements `StreamDecoder` for `openai.chat`."""

    def __init__(self) -> None:
        self.finished = False
        self._splitter = EventSplitter()
        self._envelope: dict[str, Any] | None = None
        self._fields: dict[str, Any] = {}
        self._choices: dict[int, Choice] = {}
        self._received = False
        self._exact = True
        self._error: str | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        for event in self._splitter.feed(chunk):
            self._take(event)

    def answer(self) -> Answer:
        """Say what has been received."""
        if not self.finished:  # behind the end there may be half an event: it says nothing
            for event in self._splitter.finish():
                self._take(event)
        for choice in self._choices.values():
            self._note_error(choice.error())
        response = self._build() if self._received else None
        exact = self._exact and all(choice.is_exact() for choice in self._choices.values())
        terminated = self.finished or any(
            choice.is_terminated() for choice in self._choices.values()
        )
        return Answer(response=response, exact=exact, error=self._error, terminated=terminated)

    def _take(self, event: Event) -> None:
        try:
            chunk = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            chunk = _NOT_READ
        if chunk.__class__ is not dict or not self._take_usual(chunk):
            self._take_unusual(event, chunk)

    def _take_usual(self, chunk: dict[str, Any]) -> bool:
        """Take an event that says nothing but one more piece of text; otherwise leave it as it is."""
        choices = chunk.pop("choices", None)
        chunk.pop("obfuscation", None)  # padding against eavesdroppers who measure lengths
        if chunk == self._envelope and choices.__class__ is list and len(choices) == 1:
            choice = choices[0]
            if choice.__class__ is dict:
                index, delta = choice.get("index"), choice.pop("delta", None)
                state = self._choices.get(index) if index.__class__ is int else None
                if (
                    state is not None
                    and choice == state.frame
                    and delta.__class__ is dict
                    and state.take_text(delta)
                ):
                    return True
                choice["delta"] = delta
        chunk["choices"] = choices
        return False

    def _take_unusual(self, event: Event, chunk: Any) -> None:
        data = event.data
        if not data:
            self._exact &= not event.oversize
            return
        if data.strip() == b"[DONE]":
            self.finished = True
            self._envelope = None  # nothing after it is usual
            return
        if self.finished:
            self._exact = False
            return
        long_number = has_long_number(data)
        if chunk is _NOT_READ or long_number:
            reading = read_slowly(data)
        else:
            reading = UNREADABLE if is_too_deep(chunk, data) else Reading(chunk, exact=True)
        self._exact &= reading.exact
        self._received |= isinstance(reading.value, dict)
        if event.event == "error":
            self._take_error(reading.value, data)
        elif isinstance(reading.value, dict):
            self._merge(reading.value)
            if long_number:  # equal floats are no proof of equal integers
                self._envelope = None
        else:
            self._exact = False

    def _take_error(self, value: Any, data: bytes) -> None:
        """Take `event: error`, whatever its data looks like."""
        if isinstance(value, dict):
            self._merge(value if "error" in value else {"error": value})
        else:
            self._merge({"error": {"message": data.decode("utf-8", "replace")}})
            self._received = True
            self._exact = False

    def _merge(self, chunk: dict[str, Any]) -> None:
        choices = chunk.pop("choices", None)
        chunk.pop("obfuscation", None)
        for key, value in chunk.items():
            self._merge_field(key, value)
        self._envelope = chunk
        if isinstance(choices, list):
            for position, choice in enumerate(choices):
                self._merge_choice(choice, position=position)
        else:
            self._exact &= choices is None

    def _merge_field(self, key: str, value: Any) -> None:
        current = self._fields.get(key)
        if key == "object":
            self._exact &= value in _OBJECTS
        elif key in _FIRST:
            if not current:
                self._fields[key] = value
            elif value and value != current and key == "model":
                self._exact = False
        elif key == "x_groq" and isinstance(value, dict):
            self._exact &= keep_last(self._fields, key, value)
            self._note_error(value.get("error"))
        elif key == "error":
            self._exact &= keep_last(self._fields, key, value)
            self._note_error(value)
        else:
            if not is_empty(value) or key not in self._fields:
                self._fields[key] = value
            self._exact &= value is None or key in _LAST

    def _merge_choice(self, choice: Any, *, position: int) -> None:
        if not isinstance(choice, dict):
            self._exact = False
            return
        index = choice.get("index")
        if type(index) is not int:
            self._exact &= index is None
            index = position
        self._choices.setdefault(index, Choice()).merge(choice)

    def _note_error(self, error: Any) -> None:
        if is_empty(error) or self._error is not None:
            return
        message = error.get("message") if isinstance(error, dict) else error
        self._error = message if isinstance(message, str) and message else json.dumps(error)

    def _build(self) -> dict[str, Any]:
        """Put the answer together; an error without any choice stays an error alone."""
        fields = dict(self._fields)
        if not self._choices and not is_empty(fields.get("error")):
            return fields
        head = {"id": fields.pop("id", None), "object": "chat.completion"}
        head |= {key: fields.pop(key) for key in ("created", "model") if key in fields}
        choices = [
            {"index": index, **choice.result()} for index, choice in sorted(self._choices.items())
        ]
        return {**head, "choices": choices, **settle(fields)}
