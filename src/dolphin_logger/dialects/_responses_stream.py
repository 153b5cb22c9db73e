"""A streamed response, re-assembled into the object that a plain request would have got.

It knows the envelope: which events there are, which of them carry the whole response, errors, order.
Output items are the business of `_responses_output`. The terminal event's `response` is the answer;
what was streamed before it is held against it, and stands in where it is missing. Most events only
lengthen the text that the last one lengthened: they are recognised by their frame and cost little.
Invariant: never raises on provider input; what it cannot place makes the answer inexact.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import orjson

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects._growth import Text, is_empty
from dolphin_logger.dialects._json import (
    UNREADABLE,
    Reading,
    has_long_number,
    is_too_deep,
    read_slowly,
)
from dolphin_logger.dialects._reading import error_text
from dolphin_logger.dialects._responses_item import Place
from dolphin_logger.dialects._responses_output import Output
from dolphin_logger.sse import Event, EventSplitter

BEGINNINGS: Final = frozenset(("response.created", "response.queued", "response.in_progress"))
TERMINAL: Final = frozenset(
    ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
)
_OVER: Final = frozenset(("completed", "incomplete", "failed", "cancelled"))
_TEXT: Final = Place("message", "text", "content", "content_index", "output_text")
_SUMMARY: Final = Place("reasoning", "text", "summary", "summary_index", "summary_text")
_TEXTS: Final[Mapping[str, Place]] = MappingProxyType(
    {
        "response.output_text": _TEXT,
        "response.refusal": _TEXT._replace(key="refusal", part="refusal"),
        "response.reasoning_text": _TEXT._replace(item="reasoning", part="reasoning_text"),
        "response.reasoning_summary_text": _SUMMARY,
        "response.function_call_arguments": Place("function_call", "arguments"),
        "response.custom_tool_call_input": Place("custom_tool_call", "input"),
        "response.mcp_call_arguments": Place("mcp_call", "arguments"),
        "response.code_interpreter_call_code": Place("code_interpreter_call", "code"),
    }
)
# `reasoning_part` is vLLM's word for a content part of reasoning.
_PARTS: Final[Mapping[str, Place]] = MappingProxyType(
    {
        "response.content_part": _TEXT,
        "response.reasoning_part": _TEXT._replace(item="reasoning"),
        "response.reasoning_summary_part": _SUMMARY,
    }
)
_STATES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "web_search_call": frozenset(("in_progress", "searching", "completed")),
        "file_search_call": frozenset(("in_progress", "searching", "completed")),
        "code_interpreter_call": frozenset(("in_progress", "interpreting", "completed")),
        "image_generation_call": frozenset(("in_progress", "generating", "completed")),
        "mcp_call": frozenset(("in_progress", "completed", "failed")),
        "mcp_list_tools": frozenset(("in_progress", "completed", "failed")),
        "compaction": frozenset(("compacting",)),
    }
)
_AUDIO: Final[Mapping[str, str]] = MappingProxyType(
    {"response.audio": "data", "response.audio.transcript": "transcript"}
)
_ALWAYS: Final = frozenset(
    ("type", "sequence_number", "obfuscation", "item_id", "output_index", "content_index")
)
KEYS: Final = _ALWAYS | frozenset(
    (
        *("item", "part", "delta", "logprobs", "text", "refusal", "arguments", "input", "code"),
        *("summary_index", "command_index", "command", "output", "annotation", "annotation_index"),
        *("name", "status", "response", "partial_image_index", "partial_image_b64"),
        *("background", "output_format", "quality", "size"),
    )
)
_NOT_READ: Final = object()


class ResponsesDecoder:
    """Implements `StreamDecoder` for `openai.responses`."""

    def __init__(self) -> None:
        self.finished = False
        self._splitter = EventSplitter()
        self._frame: dict[str, Any] | None = None
        self._text = Text()
        self._next: int | None = None
        self._in_order = True
        self._started = False
        self._response: dict[str, Any] | None = None
        self._over = False
        self._output = Output()
        self._audio: dict[str, Text] = {}
        self._exact = True
        self._error: Any = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        for event in self._splitter.feed(chunk):
            self._take(event)

    def answer(self) -> Answer:
        """Say what has been received."""
        if not self.finished:  # behind the end there may be half an event: it says nothing
            for event in self._splitter.finish():
                self._take(event)
        response = self._build()
        exact = self._exact and self._output.is_exact()
        return Answer(
            response=response,
            exact=exact,
            error=self._tell_error(response),
            terminated=self.finished or self._over,
        )

    # --- one event

    def _take(self, event: Event) -> None:
        try:
            value = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            value = _NOT_READ
        if value.__class__ is not dict or not self._take_usual(value):
            self._take_unusual(event, value)

    def _take_usual(self, value: dict[str, Any]) -> bool:
        """Take one more piece of the last event's text; otherwise leave the event as it is."""
        delta = value.pop("delta", None)
        logprobs = value.pop("logprobs", None)
        number = value.pop("sequence_number", None)
        padding = value.pop("obfuscation", None)  # against eavesdroppers who measure lengths
        if (
            value == self._frame
            and delta.__class__ is str
            and not logprobs
            and number == self._next
        ):
            self._text.append(delta)
            if number is not None:
                self._next = number + 1
            return True
        value |= {"delta": delta, "logprobs": logprobs}
        value |= {"sequence_number": number, "obfuscation": padding}
        return False

    def _take_unusual(self, event: Event, value: Any) -> None:
        data = event.data
        if not data:
            self._exact &= not event.oversize
            return
        if data.strip() == b"[DONE]":  # some providers say this too; it is no end of a response
            return
        if self.finished:
            self._exact = False
            return
        self._frame = None
        long_number = has_long_number(data)
        if value is _NOT_READ or long_number:
            reading = read_slowly(data)
        else:
            reading = UNREADABLE if is_too_deep(value, data) else Reading(value, exact=True)
        self._exact &= reading.exact
        if isinstance(reading.value, dict):
            self._dispatch(reading.value, name=event.event)
            if long_number:  # equal floats are no proof of equal integers
                self._frame = None
        elif event.event == "error":
            self._note_error({"message": data.decode("utf-8", "replace")})
            self._exact = False
        else:
            self._exact = False

    def _dispatch(self, value: dict[str, Any], *, name: str) -> None:
        kind = value.get("type")
        if not isinstance(kind, str):
            kind = name
        if kind == "error" or name == "error" or (kind == "message" and "error" in value):
            self._take_error(value)
            return
        if kind == "keepalive":
            self._check_order(value)
            return
        if not self._started and kind != "response.created" and value.get("sequence_number") != 0:
            self._output.resumed = True
        self._started = True
        self._check_order(value)
        for key, part in value.items():
            if key not in KEYS and part is not None:
                self._exact = False
        if kind in BEGINNINGS or kind in TERMINAL:
            self._take_response(value, terminal=kind in TERMINAL)
        elif not self.take_item_event(kind, value):
            self._exact = False
            self._take_unknown(value)

    def _check_order(self, value: dict[str, Any]) -> None:
        """Notice events that are missing or came twice, as far as they are numbered."""
        number = value.get("sequence_number")
        if type(number) is not int:
            self._exact &= number is None
            return
        self._in_order &= self._next is None or number == self._next
        self._next = number + 1

    def take_item_event(self, kind: str, value: dict[str, Any]) -> bool:
        """Take an event about the output; False when it is none that is known."""
        subject, _, verb = kind.rpartition(".")
        if subject in _TEXTS and verb == "delta":
            self._lengthen(value, place=_TEXTS[subject])
        elif subject in _TEXTS and verb == "done":
            self._output.complete_text(value, place=_TEXTS[subject])
        elif subject in _PARTS and verb in {"added", "done"}:
            self._output.take_part(value, place=self._place_of_part(subject, value))
        elif subject in _AUDIO and verb in {"delta", "done"}:
            self._take_audio(_AUDIO[subject], value)
        elif verb in _STATES.get(subject.removeprefix("response."), ()):
            item = subject.removeprefix("response.")
            self._output.note_status(value, kind=item, status=verb)
        else:
            return self._take_rare(kind, value)
        return True

    def _take_rare(self, kind: str, value: dict[str, Any]) -> bool:
        output = self._output
        match kind:
            case "response.output_item.added":
                output.begin(value)
            case "response.output_item.done":
                output.complete(value)
            case "response.output_text.annotation.added":
                output.annotate(value)
            case "response.image_generation_call.partial_image":
                output.take_preview(value)
            case "response.shell_call_command.delta":
                output.take_command(value, key="delta")
            case "response.shell_call_command.added" | "response.shell_call_command.done":
                output.take_command(value, key="command")
            case "response.shell_call_output_content.delta":
                output.lengthen_output(value)
            case "response.shell_call_output_content.done":
                output.complete_output(value)
            case _:
                return False
        return True

    def _lengthen(self, value: dict[str, Any], *, place: Place) -> None:
        text = self._output.lengthen(value, place=place)
        if text is not None:
            varying = ("delta", "logprobs", "sequence_number", "obfuscation")
            self._frame = {key: part for key, part in value.items() if key not in varying}
            self._text = text

    @staticmethod
    def _place_of_part(subject: str, value: dict[str, Any]) -> Place:
        """Find a part's place; where its item is unknown, the part's type tells it."""
        part = value.get("part")
        if isinstance(part, dict) and part.get("type") == "reasoning_text":
            return _TEXTS["response.reasoning_text"]
        return _PARTS[subject]

    def _take_audio(self, key: str, value: dict[str, Any]) -> None:
        """Take audio: a response has no place for it, so the raw bytes are kept as well."""
        delta = value.get("delta")
        if isinstance(delta, str):
            self._audio.setdefault(key, Text()).append(delta)
        self._exact = False

    # --- the whole response

    def _take_response(self, value: dict[str, Any], *, terminal: bool) -> None:
        response = value.get("response")
        if not isinstance(response, dict):
            self._exact = False
            self.finished |= terminal
            return
        before = self._response
        if before and before.get("id") and response.get("id") and before["id"] != response["id"]:
            self._exact = False
        self._response = response
        self._over = terminal or response.get("status") in tuple(_OVER)
        self.finished |= terminal

    def _take_unknown(self, value: dict[str, Any]) -> None:
        """Take the response of an event without a rule, if it is complete."""
        response = value.get("response")
        if isinstance(response, dict) and response.get("status") in tuple(_OVER):
            self._response = response
            self._over = True

    def _take_error(self, value: dict[str, Any]) -> None:
        """Take an error: at the top level as documented, or nested as it really comes."""
        known = {"type", "sequence_number", "obfuscation", "logprobs", "delta"}
        fields = {key: part for key, part in value.items() if key not in known}
        nested = fields.pop("error", None)
        if is_empty(nested):
            self._note_error(fields)
            return
        self._exact &= set(fields) <= {"code", "message", "param", "status", "headers"}
        self._note_error(nested)

    def _note_error(self, error: Any) -> None:
        if self._error is None:
            self._error = error
        else:
            self._exact &= bool(self._error == error)

    def _tell_error(self, response: dict[str, Any] | None) -> str | None:
        """Say the message of the error event, else of the failure in the terminal event."""
        error = self._error
        if error is None:
            if response is None or not self._over or response.get("status") != "failed":
                return None
            error = response.get("error")
            if is_empty(error):
                return "response.failed"
        return error_text(error)

    def _build(self) -> dict[str, Any] | None:
        """Put the answer together; an error without any response stays an error alone."""
        response = self._response
        if response is None and not self._output and not self._audio:
            return None if self._error is None else {"error": self._error}
        if response is None:
            response = {"id": None, "object": "response", "status": "in_progress"}
        output = response.get("output")
        self._exact &= isinstance(output, list | None)
        known = output if isinstance(output, list) else []
        if known and self._over:
            response = {**response, "output": self._output.complete_all(known)}
        else:
            response = {**response, "output": self._output.results(known=known)}
            guessed = self._output.resumed or self._output.is_guessed() or not self._in_order
            self._exact &= not (self._output and guessed)
        if self._error is not None and is_empty(response.get("error")):
            response = {**response, "error": self._error}
        audio = {key: text.join() for key, text in self._audio.items()}
        return {**response, "audio": audio} if audio else response
