"""The frame of a translated stream: bytes of the provider in any split, events of the client out.

It knows server-sent events and faults, and no language: a subclass says what an event means.
Invariants: the output does not depend on the split of the input; a fault is told to the client once,
and nothing follows it; an end that the provider did not send is not made up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

from dolphin_logger.proxy.translate.faults import NO_MESSAGE
from dolphin_logger.proxy.translate.json_text import read_object
from dolphin_logger.sse import Event, EventSplitter

_THE_END: Final = b"[DONE]"
_TOO_LARGE: Final = "an event that is too large"
_NO_OBJECT: Final = "an event that is no JSON object"


class EventStream(ABC):
    """Implements `StreamTranslator` but for what the events mean."""

    def __init__(self) -> None:
        self.finished = False
        self.failed = False
        self.error: str | None = None
        self._splitter = EventSplitter()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes of the body; return whole events for the client."""
        return self._translate(self._splitter.feed(chunk))

    def finish(self) -> list[bytes]:
        """Take the end of the body; return what its last event says."""
        out = self._translate(self._splitter.finish())
        if not self.finished and not self.failed:
            self.body_ended(out)
        return out

    @abstractmethod
    def take(self, value: dict[str, Any], out: list[bytes]) -> None:
        """Take one event; append what it says in the client's language."""

    @abstractmethod
    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Return the message of a provider's fault, and the client's event for it.

        `otherwise` is the message when `upstream` holds none.
        """

    def take_end(self, out: list[bytes]) -> None:  # noqa: B027 - optional on purpose
        """Take `[DONE]`, which says nothing in most languages."""

    def body_ended(self, out: list[bytes]) -> None:  # noqa: B027 - optional on purpose
        """Take the end of a body without terminal event: it broke off, if the language has one."""

    def fail(self, upstream: Any, out: list[bytes], *, otherwise: str = NO_MESSAGE) -> None:
        """Tell the client of a fault and end."""
        self.error, event = self.report(upstream, otherwise=otherwise)
        self.failed = True
        out.append(event)

    def _translate(self, events: list[Event]) -> list[bytes]:
        out: list[bytes] = []
        for event in events:
            if self.finished or self.failed:
                break
            try:
                self._take_event(event, out)
            except RecursionError:  # JSON that can be read but is too deep to be written
                self._fail_unreadable(event, out)
        return out

    def _take_event(self, event: Event, out: list[bytes]) -> None:
        value = read_object(event.data)
        if value is not None:
            self.take(value, out)
        elif not event.oversize and event.data.strip() == _THE_END:
            self.take_end(out)
        else:
            self._fail_unreadable(event, out)

    def _fail_unreadable(self, event: Event, out: list[bytes]) -> None:
        message = f"the provider sent {_TOO_LARGE if event.oversize else _NO_OBJECT}"
        error = {"type": "bad_upstream_response", "message": message}
        self.fail({"type": "error", "error": error}, out)
