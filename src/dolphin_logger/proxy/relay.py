"""One exchange: from a routed request to its answer and its record.

It knows both ends only as callbacks: a Responder towards the client, a Source towards the provider.
Neither owns it, so a client that leaves cannot skip the record.
Invariants: exactly one record unless suppressed; it is written before the last byte of the answer
goes out; every other byte goes out before it is decoded; a broken answer ends broken.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from dolphin_logger.config import Timeouts
from dolphin_logger.dialects._api import Dialect
from dolphin_logger.errors import ProviderError
from dolphin_logger.exchange import Exchange, Failure, Outcome
from dolphin_logger.proxy import headers as fields
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.recording import Recording
from dolphin_logger.proxy.request import Headers
from dolphin_logger.proxy.responder import Responder
from dolphin_logger.proxy.upstream import Origin, Source, UpstreamConnection

_NEVER = float("inf")
_HOPELESS_KINDS = ("redirect", "not_json", "tls")  # only the user can cure these
_ENDS = {
    b"text/event-stream": (b"\n\n", b"\r\n\r\n", b"\r\r"),
    b"application/x-ndjson": (b"\n",),
}
_TIMEOUT_KINDS = ("connect_timeout", "first_byte", "idle", "write_stall")
_TRUNCATED_KINDS = ("truncated", "no_terminal_event")


class Relay:
    """Takes one request to its end. Consumer of the client, receiver of the provider's answer."""

    def __init__(
        self,
        desk: Desk,
        responder: Responder,
        exchange: Exchange,
        *,
        dialect: Dialect,
        timeouts: Timeouts,
        recorded: bool,
    ) -> None:
        self._desk = desk
        self._responder = responder
        self._exchange = exchange
        self._dialect = dialect
        self._timeouts = timeouts
        self._source: Source | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._deadline = _NEVER
        self._deadline_kind = "first_byte"
        self._ends: tuple[bytes, ...] = ()  # behind these bytes an event of ours may follow
        self._tail = b""
        self._gone = False
        self._over = False
        self.connect_seconds = timeouts.connect
        self.recording = Recording(
            desk,
            exchange,
            dialect=dialect,
            wanted=recorded,
            started=responder.request.started,
        )
        responder.consumer = self
        desk.active.add(self)

    # --- start

    def send(self, origin: Origin, data: list[bytes]) -> None:
        """Send the request over an idle connection, or over a new one."""
        connection = self._desk.pool.take(origin)
        if connection is None:
            self._connecting = asyncio.get_running_loop().create_task(self._connect(origin, data))
            return
        self._send_over(connection, data)

    def answer_locally(self, start: Callable[[Relay], Source]) -> None:
        """Take the answer from a source in this process, which says itself when to start waiting."""
        self._source = start(self)

    async def _connect(self, origin: Origin, data: list[bytes]) -> None:
        try:
            connection = await self._desk.pool.connect(origin, seconds=self._timeouts.connect)
        except ProviderError as error:
            if not self._over:
                self.failed(error)
            return
        if self._over:
            connection.abort()
            return
        self._send_over(connection, data)

    def _send_over(self, connection: UpstreamConnection, data: list[bytes]) -> None:
        self._source = connection
        self.start_waiting()
        connection.send(data, receiver=self)
        if self.recording.upload is not None:
            self.recording.upload.connected(connection)

    def start_waiting(self) -> None:
        """The request is on its way: from here on the first byte is awaited."""
        self._deadline = time.monotonic() + self._timeouts.first_byte

    # --- Receiver: the provider's side

    def answered(self, status: int, headers: Headers, length: int | None) -> None:
        """The provider's head is there: judge it, then pass it on."""
        exchange = self._exchange
        passed, recorded = fields.select_response(headers)
        exchange.response_headers = recorded
        exchange.provider_request_id = fields.request_id(recorded)
        self.recording.note_attempt(status, None)
        found = dict(headers)
        media_type = found.get(b"content-type", b"").partition(b";")[0].strip().lower()
        problem = _unusable(status, media_type, has_location=b"location" in found)
        if problem is not None:
            self._drop_source()
            self.failed(problem, attempted=True)
            return
        exchange.status = status
        understood = media_type == b"text/event-stream" or self._dialect.name != "opaque"
        if b"content-encoding" not in found and understood:
            self._ends = _ENDS.get(media_type, ())
        coding = found.get(b"content-encoding", b"")
        self.recording.begin_answer(media_type, coding=coding)
        self._deadline = time.monotonic() + self._timeouts.idle
        self._deadline_kind = "idle"
        if not self._gone:
            ours = self._desk.response_headers(exchange.id, self._responder.request)
            self._responder.start(status, passed + ours, length=length)

    def received(self, pieces: list[bytes], *, last: bool) -> None:
        """Pass pieces on, then look at them; the last ones are recorded before they go out."""
        if pieces:
            self.recording.note_first_byte()
        if self._deadline_kind == "idle":
            self._deadline = time.monotonic() + self._timeouts.idle
        if pieces and self._ends:
            self._tail = (self._tail + pieces[-1])[-4:]
        tap = self.recording.tap
        if tap is None or self._over:
            if last:
                self._end()
            self._forward(pieces)
            return
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if last or tap.may_finish(data):
            tap.feed(data)
            if last or tap.finished:
                self._end()
            self._forward(pieces)
        else:
            self._forward(pieces)
            tap.feed(data)

    def ended(self) -> None:
        """The provider's answer is complete, and so is ours."""
        self._source = None
        self._end()
        self._leave()
        if not self._gone:
            self._responder.finish()

    def failed(self, error: ProviderError, *, attempted: bool = False) -> None:
        """The provider did not answer, or broke off: so does our answer, visibly."""
        self._source = None
        if not attempted and self._exchange.status is None:
            self.recording.note_attempt(None, str(error))
        if self._over:
            self._break_off()  # after its terminal event: the record is written, the end shows it
            return
        outcome = Outcome.PROVIDER_ERROR
        if error.kind in _TRUNCATED_KINDS:
            outcome = Outcome.PROVIDER_TRUNCATED
        elif error.kind in _TIMEOUT_KINDS:
            outcome = Outcome.TIMEOUT
        responder = self._responder
        failure = Failure(error.kind, "provider", error.status, str(error))
        if responder.started or self._gone:
            self._finish(outcome, failure)
            if self._ends and self._tail.endswith(self._ends) and not self._gone:
                responder.write(
                    [self._dialect.error_event(str(error), status=error.status, code=error.kind)]
                )
            self._break_off()
            return
        self._exchange.status = error.status
        self._finish(outcome, failure)
        body = self._dialect.error_body(
            str(error), status=error.status, param=None, code=error.kind
        )
        ours = self._desk.response_headers(self._exchange.id, responder.request)
        head = [
            (b"content-type", b"application/json"),
            (b"x-dolphin-error", error.kind.encode()),
            *ours,
        ]
        if error.kind in _HOPELESS_KINDS:
            head.append((b"x-should-retry", b"false"))
        responder.reply(error.status, body, head)

    def provider_full(self) -> None:
        """The provider does not take the request's body fast enough: let the client wait."""
        if self.recording.upload is not None:
            self.recording.upload.hold()

    def provider_drained(self) -> None:
        """The provider takes more of the request's body."""
        if self.recording.upload is not None:
            self.recording.upload.release()

    def touch_request(self) -> None:
        """The request is still being sent: the wait for its answer begins anew."""
        if self._deadline_kind == "first_byte":
            self.start_waiting()

    def touch(self) -> None:
        """The provider is alive, although there is nothing to pass on yet."""
        self._deadline_kind = "idle"
        self._deadline = time.monotonic() + self._timeouts.idle

    # --- Consumer: the client's side

    def client_gone(self) -> None:
        """The client has left: stop the provider (or read it to its end), keep what came."""
        self._gone = True
        if self._over:
            self._drop_source()
            self._leave()
            return
        if self._desk.drains and self._source is not None:
            self._source.resume()
            if self._deadline_kind == "write_stall":
                self._deadline_kind = "idle"
            if self._deadline_kind == "idle":
                self._deadline = time.monotonic() + self._timeouts.idle
            return
        self._drop_source()
        message = "the client closed the connection before the answer was complete"
        self._finish(Outcome.CLIENT_DISCONNECTED, Failure("disconnect", "client", None, message))

    def client_full(self) -> None:
        """The client does not read: let the provider wait, for a while."""
        if self._source is not None:
            self._source.pause()
        self._deadline = time.monotonic() + self._timeouts.write_stall
        self._deadline_kind = "write_stall"

    def client_drained(self) -> None:
        """The client reads again."""
        answered = self._exchange.status is not None
        self._deadline_kind = "idle" if answered else "first_byte"
        seconds = self._timeouts.idle if answered else self._timeouts.first_byte
        self._deadline = time.monotonic() + seconds
        if self._source is not None:
            self._source.resume()

    # --- the clock, and the end of the process

    def tick(self, now: float) -> None:
        """Enforce the deadline."""
        if now < self._deadline:
            return
        self._drop_source()
        if self._deadline_kind == "write_stall":
            message = f"the client read nothing for {self._timeouts.write_stall:g} s"
            if not self._over:
                self._finish(Outcome.TIMEOUT, Failure("write_stall", "client", None, message))
            self._leave()
            self._gone = True
            self._responder.connection.abort()
            return
        if self._deadline_kind == "first_byte":
            message = f"the provider sent no answer within {self._timeouts.first_byte:g} s"
        else:
            message = f"the provider sent nothing for {self._timeouts.idle:g} s in the middle of its answer"
        self.failed(ProviderError(message, status=504, kind=self._deadline_kind))

    def shut_down(self) -> None:
        """End now, because the process ends."""
        self._drop_source()
        self._leave()
        if not self._over:
            message = "the proxy was stopped before the answer was complete"
            self._finish(Outcome.SHUTDOWN, Failure("shutdown", "proxy", None, message))
        if self._gone:
            return
        if self._responder.started:
            self._responder.break_off()
        else:
            body = self._dialect.error_body(
                "the proxy is shutting down", status=503, param=None, code="shutdown"
            )
            self._responder.reply(503, body, [(b"content-type", b"application/json")])

    # ---

    def _forward(self, pieces: list[bytes]) -> None:
        if not self._gone:
            self._responder.write(pieces)

    def _end(self) -> None:
        """Record a complete answer."""
        if self._over:
            return
        status = self._exchange.status or 0
        if status < 400:
            self._finish(Outcome.COMPLETED, None)
        else:
            message = f"the provider answered with status {status}"
            self._finish(Outcome.PROVIDER_ERROR, Failure("http", "provider", status, message))

    def _finish(self, outcome: Outcome, failure: Failure | None) -> None:
        """Write the record, once."""
        self._over = True
        if self._source is None:
            self._leave()
        self.recording.finish(outcome, failure)

    def _leave(self) -> None:
        """Nothing more is awaited: neither from the provider nor by the clock."""
        self._deadline = _NEVER
        self._desk.active.discard(self)

    def _break_off(self) -> None:
        self._leave()
        if not self._gone:
            self._responder.break_off()

    def _drop_source(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.abort()


def _unusable(status: int, media_type: bytes, *, has_location: bool) -> ProviderError | None:
    """Say what is wrong with an answer that no client of this dialect could use."""
    if 300 <= status < 400 and has_location:
        message = f"the provider answered with a redirect ({status}), which is never followed; correct apiBase"
        return ProviderError(message, status=502, kind="redirect")
    if status < 300 and media_type in (b"text/html", b"application/xhtml+xml"):
        message = (
            "the provider answered with a web page instead of JSON; is apiBase the API's address?"
        )
        return ProviderError(message, status=502, kind="not_json")
    return None
