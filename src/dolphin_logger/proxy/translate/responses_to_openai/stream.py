"""A streamed chat completion, as the events of a streamed response.

It knows the order of items. A thought or a message is done when something else begins; calls stay open
until the end, because arguments of an earlier one may still come.
Invariants: `response.completed`, `.incomplete` or `.failed` is the last event and repeats all items; a
call that was cut off is not announced as done, because agents act on what is.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses
from dolphin_logger.proxy.translate.responses_to_openai.calls import Call, begin_call
from dolphin_logger.proxy.translate.responses_to_openai.envelope import Envelope, translate_usage
from dolphin_logger.proxy.translate.responses_to_openai.faults import failure
from dolphin_logger.proxy.translate.responses_to_openai.items import (
    Message,
    OutputItem,
    Thought,
)
from dolphin_logger.proxy.translate.responses_to_openai.thoughts import SEALED
from dolphin_logger.proxy.translate.responses_to_openai.tools import Tools

_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponseListener:
    """Implements `ChatListener`."""

    def __init__(self, request: Mapping[str, Any], *, created: int) -> None:
        self._events = Envelope(request, created=created)
        self._tools = Tools(request, losses=Losses())
        self._as_summary = _asks_summary(request.get("reasoning"))
        include = request.get("include")
        self._sealed = isinstance(include, list) and SEALED in include
        self._items: list[OutputItem] = []
        self._thought: Thought | None = None
        self._message: Message | None = None
        self._calls: list[Call] = []

    def begin(self, completion: dict[str, Any], out: list[bytes]) -> None:
        """Announce the response."""
        out += self._events.begin(completion)

    def text(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of the answer."""
        (self._message or self._open_message(out)).say(piece, out)

    def reasoning(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of a thought."""
        if self._thought is None:
            self._close_said(out)
            self._thought = Thought(
                position=len(self._items),
                envelope=self._events,
                as_summary=self._as_summary,
                sealed=self._sealed,
            )
            self._open(self._thought, out)
        self._thought.say(piece, out)

    def refusal(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of a refusal."""
        (self._message or self._open_message(out)).refuse(piece, out)

    def call(self, position: int, *, id: str, name: str, out: list[bytes]) -> None:  # noqa: A002
        """Open a call, in the form of the client's tool."""
        del position  # they come in order
        self._close_said(out)
        call = begin_call(
            self._tools.find(name), call_id=id, position=len(self._items), envelope=self._events
        )
        self._calls.append(call)
        self._open(call, out)

    def arguments(self, position: int, piece: str, out: list[bytes]) -> None:
        """Write a piece of a call's arguments."""
        self._calls[position].say(piece, out)

    def annotations(self, found: list[Any], out: list[bytes]) -> None:
        """Write citations of web pages; others have no words here."""
        for entry in found:
            citation = entry.get("url_citation") if isinstance(entry, dict) else None
            if isinstance(citation, dict):
                annotation = {"type": "url_citation", **citation}
                (self._message or self._open_message(out)).annotate(annotation, out)

    def end(self, reason: str | None, usage: dict[str, Any] | None, out: list[bytes]) -> None:
        """Write the terminal event."""
        cause = _INCOMPLETE.get(reason or "")
        last = self._items[-1] if self._items else None
        for item in self._items:
            cut_off = cause is not None and item is last
            if item.is_open and not (cut_off and item in self._calls):
                item.close(out, cut_off=cut_off)
        status = "completed" if cause is None else "incomplete"
        response = self._events.response(
            status,
            output=self._output(),
            incomplete_details=None if cause is None else {"reason": cause},
            usage=translate_usage(usage),
        )
        out.append(self._events.write(f"response.{status}", {"response": response}))

    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Write `response.failed`; a response that had not begun begins first."""
        error = failure(upstream, otherwise=otherwise)
        begun = b"" if self._events.begun else b"".join(self._events.begin({}))
        response = self._events.response("failed", output=self._output(), error=error)
        event = self._events.write("response.failed", {"response": response})
        return error["message"], begun + event

    def _output(self) -> list[Any]:
        return [item.snapshot() for item in self._items]

    def _open(self, item: OutputItem, out: list[bytes]) -> None:
        self._items.append(item)
        item.open(out)

    def _open_message(self, out: list[bytes]) -> Message:
        self._close_said(out)
        self._message = Message(position=len(self._items), envelope=self._events)
        self._open(self._message, out)
        return self._message

    def _close_said(self, out: list[bytes]) -> None:
        """Let the open thought or message be done."""
        for item in (self._thought, self._message):
            if item is not None:
                item.close(out)
        self._thought = self._message = None


def _asks_summary(reasoning: Any) -> bool:
    if not isinstance(reasoning, dict):
        return False
    return bool(reasoning.get("summary") or reasoning.get("generate_summary"))
