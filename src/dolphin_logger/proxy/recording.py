"""What is kept of one exchange: it collects while the relay relays, and writes the record once.

It knows the journal, the tap and the outcome's fine print, not sockets or deadlines. When the exchange
is not to be recorded it keeps nothing. Invariant: `finish` is called once, and after it the record is
in the journal (or the exchange is counted as suppressed).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from dolphin_logger.dialects._api import Dialect
from dolphin_logger.exchange import Attempt, Exchange, Failure, Outcome
from dolphin_logger.messages import Usage
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.tap import Copy, Tap

if TYPE_CHECKING:
    from dolphin_logger.proxy.upload import Upload
    from dolphin_logger.proxy.work import Work


class Recording:
    """The record of one exchange, while it comes about.

    Attributes:
        tap: the copy of the answer; None when nothing is recorded, or nothing has been answered.
        translated: the provider's side, where it speaks another language.
        upload: the request's body, where it is kept by reference.
        remember: is told the answer, for its id.
        spends_tokens: False for calls that only count.
    """

    def __init__(
        self, desk: Desk, exchange: Exchange, *, dialect: Dialect, wanted: bool, started: float
    ) -> None:
        self._desk = desk
        self._exchange = exchange
        self._dialect = dialect
        self._wanted = wanted
        self._started = started
        self._request_blob: Future[bytes] | None = None
        self.tap: Tap | None = None
        self.translated: Work | None = None
        self.upload: Upload | None = None
        self.remember: Callable[[bytes], None] | None = None
        self.spends_tokens = True
        if wanted and exchange.request is not None:
            self._request_blob = desk.store_if_large(exchange.request)

    def begin_answer(self, media_type: bytes, *, coding: bytes) -> None:
        """The head of the answer is there: begin to copy."""
        if not self._wanted:
            return
        self.tap = Tap(
            self._dialect,
            asked=self._exchange.stream,
            media_type=media_type.decode("latin-1"),
            coding=coding,
            blob=self._desk.journal.blob,
            keep_raw=self._desk.keeps_raw,
        )

    def note_attempt(self, status: int | None, error: str | None) -> None:
        """Write down how the provider took the request."""
        attempt = Attempt(self._exchange.provider or "", status, error, self.elapsed())
        self._exchange.attempts.append(attempt)

    def note_first_byte(self) -> None:
        """Write down when the body began."""
        if self._exchange.first_byte_ms is None:
            self._exchange.first_byte_ms = self.elapsed()

    def elapsed(self) -> float:
        """Return milliseconds since the request's first byte."""
        return round((time.monotonic() - self._started) * 1000, 3)

    def finish(self, outcome: Outcome, failure: Failure | None) -> None:
        """Write the record."""
        if not self._wanted:
            self._desk.suppressed += 1
            return
        exchange = self._exchange
        exchange.outcome = outcome
        exchange.error = failure
        exchange.total_ms = self.elapsed()
        complete = outcome is Outcome.COMPLETED
        if self.tap is not None:
            self._take(self.tap.close(complete=complete or _is_whole(failure)))
            if self.remember is not None and exchange.response is not None:
                self.remember(exchange.response)
        if self.translated is not None:
            self.translated.note(exchange, complete=complete or _is_whole(failure))
        if not self.spends_tokens:
            exchange.usage = Usage()
        if exchange.outcome is not Outcome.COMPLETED:
            self._blot_out_keys()
        if self._request_blob is not None:
            exchange.request = self._request_blob.result()
        elif self.upload is not None:
            exchange.request = self.upload.reference()
        self._desk.journal.append(exchange)

    def _take(self, copy: Copy) -> None:
        """Take over the copy of the answer, and what it tells about the outcome."""
        exchange = self._exchange
        exchange.response, exchange.raw_response = copy.response, copy.raw
        exchange.usage = copy.usage
        if copy.lost:
            message = "the answer could not be kept: the disk refused it"
            exchange.error = Failure("blob", "proxy", None, message)
        elif copy.error is not None and exchange.error is None:
            exchange.outcome = Outcome.PROVIDER_ERROR
            exchange.error = Failure("stream_error", "provider", exchange.status, copy.error)
        elif not copy.terminated and exchange.error is None:
            message = "the stream ended without its terminal event"
            exchange.outcome = Outcome.PROVIDER_TRUNCATED
            exchange.error = Failure("no_terminal_event", "provider", exchange.status, message)

    def _blot_out_keys(self) -> None:
        """Providers like to repeat a refused key: take ours out of what is kept of an error."""
        exchange, blot_out = self._exchange, self._desk.blot_out
        exchange.response = exchange.response and blot_out(exchange.response)
        exchange.raw_response = exchange.raw_response and blot_out(exchange.raw_response)
        exchange.provider_response = exchange.provider_response and blot_out(
            exchange.provider_response
        )
        if exchange.error is not None:
            text = exchange.error.message.encode(errors="replace")
            exchange.error.message = blot_out(text).decode()


def _is_whole(failure: Failure | None) -> bool:
    """Whether an exchange that failed still has a complete answer: the provider's own error."""
    return failure is not None and failure.kind == "http"
