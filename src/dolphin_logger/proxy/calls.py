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
from dolphin_logger.providers._api import LocalProvider, Provider
from dolphin_logger.proxy import body as bodies
from dolphin_logger.proxy import headers as fields
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.destination import Destination, unusable
from dolphin_logger.proxy.local import LocalSource
from dolphin_logger.proxy.relay import Relay
from dolphin_logger.proxy.request import Request
from dolphin_logger.proxy.responder import Responder
from dolphin_logger.proxy.routing import Routes
from dolphin_logger.proxy.suppress import Call, Suppression

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
        self._token = None if config.token is None else config.token.reveal().encode()
        self._suppression = Suppression(config)
        self._destinations: dict[tuple[str, str], Destination] = {}

    def start(self, request: Request, responder: Responder, *, path: str, dialect: Dialect) -> None:
        """Serve one call."""
        passed, recorded_headers = fields.select_request(request.headers)
        exchange = _begin(request, recorded_headers, path=path, dialect=dialect)
        value: dict[str, Any] = {}
        try:
            body = _read(request, exchange)
            value = bodies.parse_object(body)
            exchange.request, exchange.raw_request = body, None
            exchange.stream = dialect.asks_stream(value)
            name = value.get("model")
            exchange.model = name if isinstance(name, str) else None
            entry = self._routes.choose(value)
            bodies.check_model_once(body)
            destination = self._destination(entry, dialect)
            _note_choice(exchange, entry)
            recorded = self._is_recorded(request, exchange, value, dialect)
            if recorded and self._desk.refuses_unrecorded():
                raise _unrecordable()
        except RequestError as error:
            self._refuse(request, responder, exchange, value=value, dialect=dialect, error=error)
            return
        relay = Relay(
            self._desk,
            responder,
            exchange,
            dialect=dialect,
            timeouts=entry.timeouts,
            recorded=recorded,
        )
        local = destination.local
        if local is not None:
            relay.answer_locally(lambda to: LocalSource(local.respond(value, dialect.name), to))
            return
        if exchange.provider_model is not None and exchange.provider_model != exchange.model:
            body = bodies.replace_model(body, name=exchange.provider_model)
        if entry.passthrough:
            passed = passed + fields.select_keys(request.headers, but=self._token)
        relay.send(destination.origin, [destination.head(passed, length=len(body)), body])

    def _destination(self, entry: ModelEntry, dialect: Dialect) -> Destination:
        """Prepare where an entry's calls go, once per configuration."""
        key = (entry.model, dialect.name)
        found = self._destinations.get(key)
        if found is None:
            try:
                provider = self._find_provider(entry.provider)
            except ConfigError as error:
                raise unusable(entry, str(error)) from error
            found = self._destinations[key] = Destination(entry, provider, dialect=dialect.name)
        return found

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
        call = Call(
            model=exchange.model or "",
            path=exchange.path,
            client=exchange.client.name or "",
            text=dialect.first_user_text(value) or "",
            headers=request.headers,
        )
        return not self._suppression.applies(call)


def _begin(request: Request, recorded: dict[str, str], *, path: str, dialect: Dialect) -> Exchange:
    return Exchange(
        id=new_id(request.time_ns),
        time_ns=request.time_ns,
        dialect=dialect.name,
        path=path,
        client=_client(recorded),
        request_headers=recorded,
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


def _client(recorded: dict[str, str]) -> Client:
    """Name the client by the product of its User-Agent."""
    product = recorded.get("user-agent", "").partition(" ")[0][:64]
    return Client(name=product or None)
