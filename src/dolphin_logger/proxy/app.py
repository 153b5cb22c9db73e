"""Which request is served by what: health, model lists, model calls.

The composition of the proxy's parts behind the Service that connections talk to. It knows paths
and configurations, not sockets. Invariants: bad input never answers 5xx; every request that passed
the guard and addresses a model becomes exactly one exchange, or is counted as suppressed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import orjson

from dolphin_logger._version import __version__
from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Dialect
from dolphin_logger.errors import RequestError
from dolphin_logger.exchange import Client, Exchange, Failure, Outcome, new_id
from dolphin_logger.journal.writer import Journal
from dolphin_logger.providers._api import LocalProvider, Provider, Target
from dolphin_logger.proxy import body as bodies
from dolphin_logger.proxy import headers as fields
from dolphin_logger.proxy.connection import Answer, ClientConnection, Headers, Request, Responder
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.guard import Guard
from dolphin_logger.proxy.local import LocalSource
from dolphin_logger.proxy.relay import Relay
from dolphin_logger.proxy.routing import Routes
from dolphin_logger.proxy.suppress import Suppression
from dolphin_logger.proxy.upstream import Pool, split_url

_SMALL_BODY = 64 * 1024
_CREATED = 1686935002
_JSON: Headers = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]
_CHAT_PATHS = {"/v1/chat/completions": "openai.chat", "/chat/completions": "openai.chat"}
_SIMPLE_TYPES = (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data")
_HEALTHY = "Server is healthy, configuration loaded."
_UNHEALTHY = "Server is running, but configuration might have issues (e.g., no models loaded)."

FindProvider = Callable[[str], Provider | LocalProvider]


class App:
    """Serves the requests of one server. Made by `create_app`."""

    def __init__(
        self, config: Config, journal: Journal, *, port: int, find_provider: FindProvider
    ) -> None:
        self.journal = journal
        self._port = port
        self._find_provider = find_provider
        self.config_trouble: str | None = None
        self.connections: set[ClientConnection] = set()
        self.pool = Pool()
        self.desk = Desk(config, journal, pool=self.pool)
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """Serve requests that arrive from now on by another configuration."""
        self._config = config
        self.config_trouble = None
        self._guard = Guard(config, port=self._port)
        self._routes = Routes(config)
        self._suppression = Suppression(config)
        self.desk.reconfigure(config)

    # --- Service

    def opened(self, connection: ClientConnection) -> None:
        """Note a new connection."""
        self.connections.add(connection)

    def closed(self, connection: ClientConnection) -> None:
        """Note that a connection is gone."""
        self.connections.discard(connection)

    def admit(self, request: Request) -> Answer | None:
        """Let the guard judge; answer the preflight of an origin that the user listed."""
        verdict = self._guard.judge(request)
        if verdict is not None:
            self.desk.refused += 1
            status, message = verdict
            return status, _error(message), _JSON
        if request.method == b"OPTIONS" and self._guard.allows_origin(request):
            return 204, b"", _preflight(request) + self.desk.cors_headers(request)
        return None

    def body_limit(self, request: Request) -> int:
        """Model calls may be large, nothing else has a reason to."""
        return bodies.JSON_BYTES if _path(request) in _CHAT_PATHS else _SMALL_BODY

    def serve(self, request: Request, responder: Responder) -> None:
        """Answer one request."""
        path = _path(request)
        dialect = _CHAT_PATHS.get(path)
        if dialect is not None and request.method == b"POST":
            self._call_model(request, responder, path=path, dialect=DIALECTS[dialect])
        elif request.too_large:
            self._reply(
                responder, 413, _error(f"at most {_SMALL_BODY} bytes of body are accepted here")
            )
        elif dialect is not None:
            self._method_not_allowed(responder, b"POST")
        else:
            self._serve_page(request, responder, path)

    # --- the pages

    def _serve_page(self, request: Request, responder: Responder, path: str) -> None:
        known = path in ("/health", "/v1/models", "/models") or _model_id(path) is not None
        if not known:
            self.desk.refused += 1
            message = f"no such path: {path[:200]!a}; served are /v1/chat/completions, /v1/models, /health"
            self._reply(responder, 404, _error(message))
        elif request.method not in (b"GET", b"HEAD"):
            self._method_not_allowed(responder, b"GET, HEAD")
        elif path == "/health":
            status, body = self.health()
            self._reply(responder, status, orjson.dumps(body))
        else:
            self._reply_models(responder, _model_id(path))

    def health(self) -> tuple[int, dict[str, Any]]:
        """Say how the server is: the original's two keys first."""
        healthy = bool(self._config.models)
        journal = self.journal
        recording = "degraded" if journal.trouble else "paused" if self._paused() else "on"
        return 200 if healthy else 500, {
            "status": "ok" if healthy else "error",
            "message": _HEALTHY if healthy else _UNHEALTHY,
            "version": __version__,
            "recording": recording,
            "models": len(self._config.models),
            "skipped": [{"model": s.model, "reason": s.reason} for s in self._config.skipped],
            "records": journal.records,
            "suppressed": self.desk.suppressed,
            "refused": self.desk.refused,
            "dropped": journal.dropped,
            "waiting": journal.waiting(),
            "active": len(self.desk.active),
            "config_error": self.config_trouble,
        }

    def _reply_models(self, responder: Responder, wanted: str | None) -> None:
        models = [_model_object(entry) for entry in self._config.models]
        if wanted is None:
            self._reply(responder, 200, orjson.dumps({"object": "list", "data": models}))
            return
        for model in models:
            if model["id"] == wanted:
                self._reply(responder, 200, orjson.dumps(model))
                return
        message = f"The model `{wanted[:200]}` does not exist in config.json"
        self._reply(responder, 404, _error(message, param="model", code="model_not_found"))

    def _method_not_allowed(self, responder: Responder, allowed: bytes) -> None:
        method = responder.request.method.decode("latin-1")
        body = _error(f"method {method} is not served here; use {allowed.decode()}")
        responder.reply(405, body, [*_JSON, (b"allow", allowed)])

    def _reply(self, responder: Responder, status: int, body: bytes) -> None:
        responder.reply(status, body, _JSON + self.desk.cors_headers(responder.request))

    # --- model calls

    def _call_model(
        self, request: Request, responder: Responder, *, path: str, dialect: Dialect
    ) -> None:
        exchange = Exchange(
            id=new_id(request.time_ns),
            time_ns=request.time_ns,
            dialect=dialect.name,
            path=path,
            client=_client(request),
            request_headers=fields.recorded_request(request.headers),
        )
        value: dict[str, Any] = {}
        try:
            exchange.raw_request = request.body  # until it has proved to be JSON
            body = exchange.raw_request = _plain_body(request)
            value = bodies.parse_object(body)
            exchange.request, exchange.raw_request = body, None
            exchange.stream = value.get("stream") is True
            name = value.get("model")
            exchange.model = name if isinstance(name, str) else None
            entry = self._routes.choose(value)
            bodies.check_model_once(body)
            provider = self._find_provider(entry.provider)
            exchange.provider = entry.provider
            exchange.publishable = False if entry.provider == "demo" else entry.publishable
            exchange.provider_model = entry.provider_model or exchange.model
            self._check_speaks(provider, entry, dialect)
        except RequestError as error:
            self._refuse(request, responder, exchange, value=value, dialect=dialect, error=error)
            return
        relay = Relay(
            self.desk,
            responder,
            exchange,
            dialect=dialect,
            timeouts=entry.timeouts,
            recorded=self._is_recorded(request, exchange, value, dialect),
        )
        if isinstance(provider, LocalProvider):
            relay.answer_locally(
                lambda receiver: LocalSource(provider.respond(value, dialect.name), receiver)
            )
            return
        if exchange.provider_model != exchange.model and exchange.provider_model is not None:
            body = bodies.replace_model(body, name=exchange.provider_model)
        origin, head = _provider_head(
            request, provider.target(entry, dialect.name), length=len(body)
        )
        relay.send(origin, [head, body])

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
        exchange.error = Failure(error.kind, "client", error.status, str(error))
        if exchange.request is not None and len(exchange.request) > _SMALL_BODY:
            exchange.request, exchange.raw_request = None, exchange.request
        if exchange.raw_request is not None:
            exchange.raw_request = exchange.raw_request[:_SMALL_BODY] or None
        exchange.total_ms = 0.0
        if self._is_recorded(request, exchange, value, dialect):
            self.journal.append(exchange)
        else:
            self.desk.suppressed += 1
        body = dialect.error_body(
            str(error), status=error.status, param=error.param, code=error.code
        )
        ours = self.desk.response_headers(exchange.id, request)
        extra = [(b"x-dolphin-error", error.kind.encode()), (b"x-should-retry", b"false")]
        responder.reply(error.status, body, [(b"content-type", b"application/json"), *extra, *ours])

    def _is_recorded(
        self, request: Request, exchange: Exchange, value: dict[str, Any], dialect: Dialect
    ) -> bool:
        if self._paused():
            return False
        return not self._suppression.applies(
            request,
            first_user_text=dialect.first_user_text(value),
            model=exchange.model,
            path=exchange.path,
            client=exchange.client.name,
        )

    def _paused(self) -> bool:
        return self.journal.home.pause_switch.exists()

    def _check_speaks(
        self, provider: Provider | LocalProvider, entry: ModelEntry, dialect: Dialect
    ) -> None:
        refusal = getattr(provider, "refusal", None)
        if refusal is None and dialect.name not in provider.dialects:
            refusal = f"provider '{entry.provider}' does not speak {dialect.name}"
        if refusal is not None:
            message = f"The model `{entry.model}` cannot be used: {refusal}"
            raise RequestError(
                message, status=404, kind="unknown_model", param="model", code="model_not_found"
            )


def create_app(config: Config, journal: Journal, *, port: int, find_provider: FindProvider) -> App:
    """Put the parts of the proxy together; objects come from outside, nothing is global."""
    return App(config, journal, port=port, find_provider=find_provider)


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


def _provider_head(
    request: Request, target: Target, *, length: int
) -> tuple[tuple[str, str, int], bytes]:
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


def _path(request: Request) -> str:
    """Return the request's path, without query; absolute-form targets are cut to their path."""
    target = request.target.decode("latin-1")
    if not target.startswith("/"):
        _, _, rest = target.partition("://")
        target = "/" + rest.partition("/")[2]
    path = target.partition("?")[0]
    return path.rstrip("/") or "/"


def _model_id(path: str) -> str | None:
    for prefix in ("/v1/models/", "/models/"):
        if path.startswith(prefix):
            return unquote(path[len(prefix) :])
    return None


def _model_object(entry: ModelEntry) -> dict[str, Any]:
    """Build one entry of the model list, in exactly the original's shape."""
    return {
        "id": entry.model,
        "object": "model",
        "created": _CREATED,
        "owned_by": entry.provider,
        "provider": entry.provider,
        "provider_model": entry.provider_model or entry.model,
    }


def _error(message: str, *, param: str | None = None, code: str | None = None) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return orjson.dumps({"error": error})


def _preflight(request: Request) -> Headers:
    """Allow what the page asks for; the token and the Host rule still judge the real request."""
    wanted = request.header(b"access-control-request-headers") or b"content-type, authorization"
    return [
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", wanted),
        (b"access-control-max-age", b"600"),
    ]
