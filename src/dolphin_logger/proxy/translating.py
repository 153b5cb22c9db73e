"""A call whose provider speaks another language: what goes out, what comes back, what is recorded.

It joins a Translation (pure) to the relay: the provider's stream goes through it event by event. A
request that we author always asks for a stream, and is aggregated for a client that asked for none.
Invariants: nothing that the provider's language cannot carry is dropped in silence; an answer that
broke off is never completed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import orjson

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.errors import ProviderError
from dolphin_logger.exchange import Exchange
from dolphin_logger.providers._api import AuthoringProvider, Fields, LocalAnswer, Target
from dolphin_logger.proxy import awaited
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.destination import Destination
from dolphin_logger.proxy.pool import split_url
from dolphin_logger.proxy.request import Headers
from dolphin_logger.proxy.tap import Tap
from dolphin_logger.proxy.translate._api import TranslateOptions

if TYPE_CHECKING:
    from dolphin_logger.proxy.calls import Call
    from dolphin_logger.proxy.relay import Relay

_log = logging.getLogger(__name__)
_EVENT_STREAM = b"text/event-stream"
_KEPT_FIELDS = (b"request-id", b"retry-after", b"x-should-retry")
_LIMITS = {  # the provider's names for what clients of the OpenAI language look for
    b"anthropic-ratelimit-requests-limit": b"x-ratelimit-limit-requests",
    b"anthropic-ratelimit-requests-remaining": b"x-ratelimit-remaining-requests",
    b"anthropic-ratelimit-requests-reset": b"x-ratelimit-reset-requests",
    b"anthropic-ratelimit-tokens-limit": b"x-ratelimit-limit-tokens",
    b"anthropic-ratelimit-tokens-remaining": b"x-ratelimit-remaining-tokens",
    b"anthropic-ratelimit-tokens-reset": b"x-ratelimit-reset-tokens",
}


class Work:
    """One translated call: both requests, and the copy of the provider's answer.

    Raises:
        RequestError: 400, the call asks for what the provider's language cannot say.
    """

    def __init__(self, call: Call, destination: Destination) -> None:
        translation = destination.translation
        assert translation is not None
        model = call.exchange.provider_model or ""
        self.translation = translation
        self.destination = destination
        self.translated = translation.request(call.value, model=model, options=TranslateOptions())
        self.request = call.value
        self.streams = call.exchange.stream
        self.created = call.exchange.time_ns // 1_000_000_000
        self.passed = [
            field for field in call.passed if field[0] in (b"anthropic-beta", b"anthropic-version")
        ]
        self.recorded = True
        self.tap: Tap | None = None

    def open_tap(self, media_type: str, *, desk: Desk) -> None:
        """Start the copy of the provider's own answer, if there is to be a record."""
        if not self.recorded:
            return
        self.tap = Tap(
            DIALECTS[self.destination.dialect],
            asked=True,
            media_type=media_type,
            coding=b"",
            blob=desk.journal.blob,
            keep_raw=desk.keeps_raw,
        )

    def feed(self, data: bytes) -> None:
        """Copy bytes of the provider's own answer."""
        if self.tap is not None:
            self.tap.feed(data)

    def note(self, exchange: Exchange, *, complete: bool) -> None:
        """Write the provider's side into the record."""
        exchange.provider_request = orjson.dumps(self.translated.body)
        exchange.translation = {
            "to": self.destination.dialect,
            "dropped": self.translated.dropped,
            "changed": self.translated.changed,
        }
        if self.tap is not None:
            copy = self.tap.close(complete=complete)
            exchange.provider_response = copy.response
            exchange.raw_response = copy.raw
            exchange.usage = copy.usage


async def author(work: Work, desk: Desk, relay: Relay) -> LocalAnswer:
    """Send the translated request: through the vendor's own client where there is one.

    Raises:
        ProviderError: no answer.
    """
    target = work.destination.target
    provider = work.destination.provider

    async def send(target: Target, body: bytes) -> LocalAnswer:
        relay.start_waiting()  # not before: the vendor's client may have had to be imported
        origin, path, host = split_url(target.url, ca=work.destination.entry.ca_file)
        secret_names = {name for name, _ in target.secrets}
        sent = [f for f in (*target.headers, *work.passed) if f[0] not in secret_names]
        lines = [b"%s: %s\r\n" % field for field in (*dict(sent).items(), *target.secrets)]
        head = b"POST %s HTTP/1.1\r\nhost: %s\r\n%saccept-encoding: identity\r\n" % (
            path,
            host,
            b"".join(lines),
        )
        head += b"content-length: %d\r\n\r\n" % len(body)
        return await awaited.send(
            desk.pool, origin, [head, body], connect_seconds=relay.connect_seconds
        )

    if isinstance(provider, AuthoringProvider):
        return await provider.author(target, work.translated.body, send=send)
    own = (*target.headers, *target.defaults, (b"content-type", b"application/json"))
    plain = Target(target.url, secrets=target.secrets, headers=own)
    return await send(plain, orjson.dumps(work.translated.body))


class TranslatedSource:
    """Runs one translated answer as a task; the relay sees it in the client's language."""

    def __init__(
        self, answer: Awaitable[LocalAnswer], work: Work, relay: Relay, desk: Desk
    ) -> None:
        self._relay: Relay | None = relay
        self._work = work
        self._desk = desk
        self._may_produce = asyncio.Event()
        self._may_produce.set()
        self._task = asyncio.get_running_loop().create_task(self._run(answer))

    def pause(self) -> None:
        """Stop producing until `resume`."""
        self._may_produce.clear()

    def resume(self) -> None:
        """Go on producing."""
        self._may_produce.set()

    def abort(self) -> None:
        """Drop the answer; the provider's connection closes with the task."""
        self._relay = None
        self._task.cancel()

    async def _run(self, awaitable: Awaitable[LocalAnswer]) -> None:
        try:
            answer = await awaitable
            if answer.status >= 400:
                await self._pass_error(answer)
            elif self._work.streams:
                await self._pass_stream(answer)
            else:
                await self._pass_whole(answer)
        except ProviderError as error:
            self._fail(error)
        except Exception:  # noqa: BLE001 - the edge of a request: a vendor's client may raise anything
            _log.exception("a translated call failed")
            self._fail(ProviderError("the translation failed", status=502, kind="translation"))

    def _fail(self, error: ProviderError) -> None:
        relay, self._relay = self._relay, None
        if relay is not None:
            relay.failed(error)

    async def _pass_error(self, answer: LocalAnswer) -> None:
        body = b"".join([chunk async for chunk in answer.chunks])
        self._work.open_tap("application/json", desk=self._desk)
        self._work.feed(body)
        self._send_whole(answer, self._work.translation.error(answer.status, body))

    async def _pass_stream(self, answer: LocalAnswer) -> None:
        work, relay = self._work, self._relay
        assert relay is not None
        work.open_tap("text/event-stream", desk=self._desk)
        stream = work.translation.stream(work.request, created=work.created)
        events: list[bytes] = []
        relay.answered(200, _fields(answer.headers, _EVENT_STREAM), None)
        relay.received([], last=False)
        async for chunk in answer.chunks:
            await self._may_produce.wait()
            if self._relay is None:
                return
            work.feed(chunk)
            events = stream.feed(chunk)
            if stream.failed:  # the client has been told; what follows is nobody's business
                break
            relay.received(events, last=False)
        else:
            events = stream.finish()
        await _close(answer)
        if not stream.finished and not stream.failed:
            relay.received(events, last=False)
            message = "the provider broke off in the middle of its answer"
            raise ProviderError(message, status=502, kind="truncated")
        self._relay = None
        relay.received(events, last=True)
        relay.ended()

    async def _pass_whole(self, answer: LocalAnswer) -> None:
        """Aggregate a stream for a client that asked for none."""
        work = self._work
        native = DIALECTS[work.destination.dialect]
        work.open_tap("text/event-stream", desk=self._desk)
        decoder = native.decoder("text/event-stream", asked=True)
        assert decoder is not None
        broken: ProviderError | None = None
        try:
            async for chunk in answer.chunks:
                if self._relay is None:
                    return
                self._relay.touch()
                work.feed(chunk)
                decoder.feed(chunk)
        except ProviderError as error:
            broken = error
        whole = decoder.answer()
        if whole.error is not None:
            raise ProviderError(whole.error, status=502, kind="stream_error")
        if broken is not None:
            raise broken
        if whole.response is None or not whole.terminated:
            message = "the provider broke off in the middle of its answer"
            raise ProviderError(message, status=502, kind="truncated")
        translated: dict[str, Any] = work.translation.answer(whole.response, created=work.created)
        self._send_whole(answer, orjson.dumps(translated))

    def _send_whole(self, answer: LocalAnswer, body: bytes) -> None:
        relay, self._relay = self._relay, None
        if relay is None:
            return
        relay.answered(answer.status, _fields(answer.headers, b"application/json"), len(body))
        relay.received([body], last=True)
        relay.ended()


async def _close(answer: LocalAnswer) -> None:
    """Let go of what is left of an answer."""
    close = getattr(answer.chunks, "aclose", None)
    if close is not None:
        await close()


def _fields(headers: Fields, media_type: bytes) -> Headers:
    """Choose what the client gets of the provider's fields, under the names it looks for."""
    passed: Headers = [(b"content-type", media_type)]
    for name, value in headers:
        if name in _KEPT_FIELDS:
            passed.append((name, value))
        if name == b"request-id":
            passed.append((b"x-request-id", value))
        if name in _LIMITS:
            passed.append((_LIMITS[name], value))
    return passed
