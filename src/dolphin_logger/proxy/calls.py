"""Model calls: from a complete request to the exchange that is under way.

It reads the request, finds who answers, and starts a Relay; or refuses, in the client's language.
It knows no sockets and nothing of what happens afterwards. Invariant: every call becomes exactly one
exchange, or is counted as suppressed; what is wrong with a request answers 4xx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.dialects._api import Dialect
from dolphin_logger.errors import ConfigError, RequestError
from dolphin_logger.exchange import Client, Exchange, Failure, Outcome, new_id
from dolphin_logger.providers._api import LocalProvider, Provider, Target
from dolphin_logger.proxy import body as bodies
from dolphin_logger.proxy import headers as fields
from dolphin_logger.proxy.connection import Request, Responder
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.local import LocalSource
from dolphin_logger.proxy.relay import Relay
from dolphin_logger.proxy.routing import Routes
from dolphin_logger.proxy.suppress import Suppression
from dolphin_logger.proxy.upstream import Origin, split_url

REFUSED_BODY = 64 * 1024  # bytes of a refused request that its record keeps
_SIMPLE_TYPES = (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data")

FindProvider = Callable[[str], Provider | LocalProvider]


class ModelCalls:
    """Starts model calls by the current configuration."""

    def __init__(self, desk: Desk, *, find_provider: FindProvider) -> None:
        self._desk = desk
        self._find_provider = find_provider

    def reconfigure(self, config: Config) -> None:
        """Serve calls that arrive from now on by another configuration."""
        self._routes = Routes(config)
        self._suppression = Suppression(config)

    def start(self, request: Request, responder: Responder, *, path: str, dialect: Dialect) -> None:
        """Serve one call."""
        exchange = _begin(request, path=path, dialect=dialect)
        value: dict[str, Any] = {}
        try:
            body = _read(request, exchange)
            value = bodies.parse_object(body)
            exchange.request, exchange.raw_request = body, None
            exchange.stream = value.get("stream") is True
            name = value.get("model")
            exchange.model = name if isinstance(name, str) else None
            entry = self._routes.choose(value)
            bodies.check_model_once(body)
            provider = self._choose_provider(entry, dialect)
            _note_choice(exchange, entry)
            recorded = self._is_recorded(request, exchange, value, dialect)
            if recorded and self._desk.refuses_unrecorded():
                raise _unrecordable()
            send = self._prepare(request, body, value, exchange, entry=entry, provider=provider)
        except RequestError as error:
            self._refuse(request, responder, exchange, value=value, dialect=dialect, error=error)
            return
        send(
            Relay(
                self._desk,
                responder,
                exchange,
                dialect=dialect,
                timeouts=entry.timeouts,
                recorded=recorded,
            )
        )

    def _prepare(
        self,
        request: Request,
        body: bytes,
        value: dict[str, Any],
        exchange: Exchange,
        *,
        entry: ModelEntry,
        provider: Provider | LocalProvider,
    ) -> Callable[[Relay], None]:
        """Make everything that can fail, and return what sends it."""
        if isinstance(provider, LocalProvider):
            answer = provider.respond(value, exchange.dialect)
            return lambda relay: relay.answer_locally(lambda to: LocalSource(answer, to))
        if exchange.provider_model is not None and exchange.provider_model != exchange.model:
            body = bodies.replace_model(body, name=exchange.provider_model)
        try:
            target = provider.target(entry, exchange.dialect)
        except ConfigError as error:
            raise _unusable(entry, str(error)) from error
        origin, head = _provider_head(request, target, length=len(body))
        return lambda relay: relay.send(origin, [head, body])

    def _choose_provider(self, entry: ModelEntry, dialect: Dialect) -> Provider | LocalProvider:
        try:
            provider = self._find_provider(entry.provider)
        except ConfigError as error:
            raise _unusable(entry, str(error)) from error
        refusal = getattr(provider, "refusal", None)
        if refusal is None and dialect.name not in provider.dialects:
            refusal = f"provider '{entry.provider}' does not speak {dialect.name}"
        if refusal is not None:
            raise _unusable(entry, refusal)
        return provider

    def _refuse(
        self,
        request: Request,
        responder: Responder,
        exchange: Exchange,
        *,
        value: dict[str, Any],
        dialect: Dialect,
        error: RequestError,
    ) -> None:
        """Answer with 4xx in the client's language, and record that."""
        exchange.status = error.status
        exchange.outcome = Outcome.REFUSED
        at = "client" if error.status < 500 else "proxy"
        exchange.error = Failure(error.kind, at, error.status, str(error))
        if exchange.request is not None and len(exchange.request) > REFUSED_BODY:
            exchange.request, exchange.raw_request = None, exchange.request
        if exchange.raw_request is not None:
            exchange.raw_request = exchange.raw_request[:REFUSED_BODY] or None
        exchange.total_ms = 0.0
        if self._is_recorded(request, exchange, value, dialect):
            self._desk.journal.append(exchange)
        else:
            self._desk.suppressed += 1
        body = dialect.error_body(
            str(error), status=error.status, param=error.param, code=error.code
        )
        ours = self._desk.response_headers(exchange.id, request)
        extra = [(b"x-dolphin-error", error.kind.encode()), (b"x-should-retry", b"false")]
        responder.reply(error.status, body, [(b"content-type", b"application/json"), *extra, *ours])

    def _is_recorded(
        self, request: Request, exchange: Exchange, value: dict[str, Any], dialect: Dialect
    ) -> bool:
        if self._desk.paused():
            return False
        return not self._suppression.applies(
            request,
            first_user_text=dialect.first_user_text(value),
            model=exchange.model,
            path=exchange.path,
            client=exchange.client.name,
        )


def _begin(request: Request, *, path: str, dialect: Dialect) -> Exchange:
    return Exchange(
        id=new_id(request.time_ns),
        time_ns=request.time_ns,
        dialect=dialect.name,
        path=path,
        client=_client(request),
        request_headers=fields.recorded_request(request.headers),
    )


def _note_choice(exchange: Exchange, entry: ModelEntry) -> None:
    exchange.provider = entry.provider
    exchange.provider_model = entry.provider_model or exchange.model
    exchange.publishable = False if entry.provider == "demo" else entry.publishable


def _read(request: Request, exchange: Exchange) -> bytes:
    """Return the plain body; until it has proved to be JSON the record keeps it as raw bytes."""
    exchange.raw_request = request.body
    body = exchange.raw_request = _plain_body(request)
    return body


def _unusable(entry: ModelEntry, reason: str) -> RequestError:
    message = f"The model `{entry.model}` cannot be used: {reason}"
    return RequestError(
        message, status=404, kind="unknown_model", param="model", code="model_not_found"
    )


def _unrecordable() -> RequestError:
    message = "records cannot be written now, and the configuration says to refuse then"
    return RequestError(message, status=503, kind="unrecordable")


def _plain_body(request: Request) -> bytes:
    """Return the request's JSON bytes.

    Raises:
        RequestError: 413 too large, 415 not sent as JSON or in an unknown coding, 400 corrupt.
    """
    if request.too_large:
        raise RequestError(
            f"the request body is larger than {bodies.JSON_BYTES >> 20} MiB",
            status=413,
            kind="too_large",
        )
    media_type = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    if media_type in _SIMPLE_TYPES:
        shown = media_type.decode()
        raise RequestError(
            f"Content-Type is {shown}; send the JSON body as application/json",
            status=415,
            kind="bad_type",
        )
    return bodies.decode_content(request.body, coding=request.header(b"content-encoding"))


def _provider_head(request: Request, target: Target, *, length: int) -> tuple[Origin, bytes]:
    """Build the request head for the provider: our framing and credentials, the client's other fields."""
    origin, path, host = split_url(target.url)
    own = {name for name, _ in (*target.secrets, *target.headers)}
    passed = [field for field in fields.for_provider(request.headers) if field[0] not in own]
    lines = [b"POST %s HTTP/1.1\r\nhost: %s" % (path, host)]
    lines += [b"%s: %s" % field for field in (*passed, *target.headers, *target.secrets)]
    lines.append(b"accept-encoding: identity\r\ncontent-length: %d\r\n\r\n" % length)
    return origin, b"\r\n".join(lines)


def _client(request: Request) -> Client:
    """Name the client by the product of its User-Agent."""
    agent = (request.header(b"user-agent") or b"").decode("latin-1")
    product = agent.partition(" ")[0][:64]
    return Client(name=product or None)
