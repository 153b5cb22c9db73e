"""The answer to a translated call, on its way from the provider to the client.

It joins a Work to the relay: the provider's stream goes through its translation event by event. A
request that we author always asks for a stream, and is aggregated for a client that asked for none.
Invariant: an answer that broke off is never completed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dolphin_logger._version import __version__
from dolphin_logger.errors import ProviderError
from dolphin_logger.providers._api import AuthoringProvider, Fields, LocalAnswer, Target
from dolphin_logger.proxy import awaited
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.pool import split_url
from dolphin_logger.proxy.request import Headers
from dolphin_logger.proxy.translate.faults import check_reported
from dolphin_logger.proxy.translate.json_text import read_object, write_json
from dolphin_logger.proxy.work import BROKE_OFF, Work

if TYPE_CHECKING:
    from dolphin_logger.proxy.relay import Relay

_log = logging.getLogger(__name__)
_EVENT_STREAM = b"text/event-stream"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NO_EVENT = (b"{", b"[", b"<")
_AUTHORED = (
    (b"content-type", b"application/json"),
    (b"user-agent", b"dolphin-logger/" + __version__.encode()),
)
_REQUEST_IDS = (b"request-id", b"x-request-id")
_KEPT_FIELDS = (*_REQUEST_IDS, b"retry-after", b"retry-after-ms", b"x-should-retry")
_LIMITS = {  # the provider's names for what clients of the OpenAI language look for
    b"anthropic-ratelimit-requests-limit": b"x-ratelimit-limit-requests",
    b"anthropic-ratelimit-requests-remaining": b"x-ratelimit-remaining-requests",
    b"anthropic-ratelimit-requests-reset": b"x-ratelimit-reset-requests",
    b"anthropic-ratelimit-tokens-limit": b"x-ratelimit-limit-tokens",
    b"anthropic-ratelimit-tokens-remaining": b"x-ratelimit-remaining-tokens",
    b"anthropic-ratelimit-tokens-reset": b"x-ratelimit-reset-tokens",
}


async def author(work: Work, desk: Desk, relay: Relay) -> LocalAnswer:
    """Send the translated request: through the vendor's own client where there is one.

    Raises:
        ProviderError: no answer.
    """
    destination = work.destination
    if destination.local is not None:
        relay.start_waiting()
        return destination.local.respond(work.translated.body, destination.dialect)
    target = destination.target
    provider = destination.provider

    async def send(target: Target, body: bytes) -> LocalAnswer:
        relay.start_waiting()  # not before: the vendor's client may have had to be imported
        url = target.url.replace("{model}", quote(work.model, safe="/@:-_.~"))
        origin, path, host = split_url(url, ca=destination.entry.ca_file)
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
    own = (*target.headers, *target.defaults, *_AUTHORED)
    plain = Target(target.url, secrets=target.secrets, headers=own)
    return await send(plain, write_json(work.translated.body))


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

    async def _look(self, answer: LocalAnswer) -> tuple[bool, LocalAnswer]:
        """Say whether a provider answered at once, although it was asked for a stream.

        The first byte tells: servers send either under any media type, and no event begins like JSON or a page.

        Raises:
            ProviderError: it broke off before it said anything.
        """
        self._touch()
        seen: list[bytes] = []
        begins = b""
        async for chunk in answer.chunks:
            self._touch()
            seen.append(chunk)
            begins = b"".join(seen).removeprefix(_BYTE_ORDER_MARK).lstrip()[:1]
            if begins:
                break
        if not begins:
            raise ProviderError(BROKE_OFF, status=502, kind="truncated")
        return begins in _NO_EVENT, replace(answer, chunks=_continue(seen, answer))

    def _touch(self) -> None:
        """Say that the provider is alive, although there is nothing to pass on yet."""
        if self._relay is not None:
            self._relay.touch()

    async def _pass_error(self, answer: LocalAnswer) -> None:
        body = await self._read(answer)
        self._send_whole(answer, self._work.translation.error(answer.status, body))

    async def _pass_stream(self, answer: LocalAnswer) -> None:
        work, relay = self._work, self._relay
        assert relay is not None
        is_plain, answer = await self._look(answer)
        native = await self._read_whole(answer) if is_plain else None
        stream = work.translation.stream(work.request, created=work.created)
        relay.answered(200, self._fields(answer.headers, _EVENT_STREAM), None)
        if native is not None:  # the provider does not stream
            events = stream.feed(b"data: " + write_json(native) + b"\n\ndata: [DONE]\n\n")
            events += stream.finish()
            work.keep(native)
        else:
            work.begin_answer("text/event-stream")
            async for chunk in answer.chunks:
                await self._may_produce.wait()
                if self._relay is None:
                    return
                work.feed(chunk)
                events = stream.feed(chunk)
                if stream.failed:  # the client has been told; what follows is nobody's business
                    break
                if stream.finished:
                    work.keep_streamed()
                relay.received(events, last=False)
            else:
                events = stream.finish()
        await _close(answer)
        if not stream.finished and not stream.failed:
            relay.received(events, last=False)
            raise ProviderError(BROKE_OFF, status=502, kind="truncated")
        work.keep_streamed()
        self._relay = None
        relay.received(events, last=True)
        relay.ended()

    async def _pass_whole(self, answer: LocalAnswer) -> None:
        """Aggregate a stream for a client that asked for none."""
        work = self._work
        is_plain, answer = await self._look(answer)
        native = await (self._read_whole(answer) if is_plain else self._aggregate(answer))
        translated = work.translation.answer(native, created=work.created, request=work.request)
        work.keep(native)
        self._send_whole(answer, write_json(translated))

    async def _aggregate(self, answer: LocalAnswer) -> dict[str, Any]:
        work = self._work
        work.begin_answer("text/event-stream")
        broken: ProviderError | None = None
        try:
            async for chunk in answer.chunks:
                self._touch()
                work.feed(chunk)
        except ProviderError as error:
            broken = error
        return work.whole_answer(broken)

    async def _read_whole(self, answer: LocalAnswer) -> dict[str, Any]:
        """Read an answer that was given at once.

        Raises:
            ProviderError: it is no JSON object, or reports an error in spite of its status.
        """
        native = read_object(await self._read(answer))
        if native is None:
            fault = "the provider's answer is neither a stream nor a JSON object"
            raise ProviderError(fault, status=502, kind="protocol")
        check_reported(native)
        return native

    async def _read(self, answer: LocalAnswer) -> bytes:
        """Read an answer that is no stream."""
        self._work.begin_answer("application/json")
        body = b"".join([chunk async for chunk in answer.chunks])
        self._work.feed(body)
        return body

    def _fields(self, headers: Fields, media_type: bytes) -> Headers:
        """Choose what the client gets of the provider's fields, under the names it looks for."""
        passed: Headers = [(b"content-type", media_type)]
        wanted = b"request-id" if self._work.client == "anthropic.messages" else b"x-request-id"
        has_id = any(name == wanted for name, _ in headers)
        for name, value in headers:
            if name in _KEPT_FIELDS or name.startswith(b"x-ratelimit-"):
                passed.append((name, value))
            if name in _REQUEST_IDS and not has_id:
                passed.append((wanted, value))
            if name in _LIMITS:
                passed.append((_LIMITS[name], value))
        return passed

    def _send_whole(self, answer: LocalAnswer, body: bytes) -> None:
        relay, self._relay = self._relay, None
        if relay is None:
            return
        relay.answered(answer.status, self._fields(answer.headers, b"application/json"), len(body))
        relay.received([body], last=True)
        relay.ended()


async def _close(answer: LocalAnswer) -> None:
    """Let go of what is left of an answer."""
    close = getattr(answer.chunks, "aclose", None)
    if close is not None:
        await close()


async def _continue(seen: list[bytes], answer: LocalAnswer) -> AsyncIterator[bytes]:
    """Yield what has been looked at, and the rest."""
    try:
        for chunk in seen:
            yield chunk
        async for chunk in answer.chunks:
            yield chunk
    finally:
        await _close(answer)
