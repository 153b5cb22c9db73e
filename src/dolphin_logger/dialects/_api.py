"""The promise of a dialect: one wire language, decoded without I/O.

A dialect knows the shapes of one vendor API. It does not know HTTP connections, providers,
configuration or the journal. Everything here is synchronous and pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dolphin_logger.messages import Answered, Asked, Usage


@dataclass(slots=True)
class Answer:
    """A stream, re-assembled.

    Attributes:
        response: the answer as if it had not been streamed; None when no event carried one.
        exact: False when the decoder met something it does not know, or could not parse:
            the caller then keeps the raw bytes beside the parsed view.
        error: the message of an error event inside the stream, if there was one.
        terminated: False when neither the terminal event nor any finish reason was seen.
    """

    response: dict[str, Any] | None
    exact: bool
    error: str | None
    terminated: bool = True


class StreamDecoder(Protocol):
    """Re-assembles one streamed answer from its bytes, in any split.

    `finished` turns True with the dialect's terminal event. Never raises on provider input.
    """

    finished: bool

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the (content-decoded) body."""
        ...

    def answer(self) -> Answer:
        """Say what has been received; call once, after the last `feed`."""
        ...


class Dialect(Protocol):
    """One wire language. `name` is what the record's `dialect` says, e.g. `openai.chat`."""

    name: str

    def asks_stream(self, request: Mapping[str, Any]) -> bool:
        """Say whether a request's body asks for a streamed answer."""
        ...

    def decoder(self, media_type: str, *, asked: bool) -> StreamDecoder | None:
        """Start to decode an answer of this media type; None when such an answer is no stream.

        `asked` says that the request asked for a stream (in its body or its path).
        """
        ...

    def may_finish(self, window: bytes) -> bool:
        """Cheaply say whether the terminal event could lie in these bytes (false alarms allowed)."""
        ...

    def usage(self, response: Mapping[str, Any]) -> Usage:
        """Read the token counts of an answer; what is not there is unknown."""
        ...

    def first_user_text(self, request: Mapping[str, Any]) -> str | None:
        """Find the first user message: its text, or its first text part."""
        ...

    def read_request(self, request: Mapping[str, Any]) -> Asked:
        """Read a request into words: its history and its tools; the rest is what has no word.

        Never raises, whatever was recorded.
        """
        ...

    def read_response(self, response: Mapping[str, Any]) -> Answered:
        """Read an answer into words: each of its choices; never raises."""
        ...

    def error_body(
        self, message: str, *, status: int, param: str | None, code: str | None
    ) -> bytes:
        """Build the JSON body with which this dialect reports an error."""
        ...

    def error_event(self, message: str, *, status: int, code: str | None) -> bytes:
        """Build the bytes that report an error in the middle of a stream (never a clean end)."""
        ...
