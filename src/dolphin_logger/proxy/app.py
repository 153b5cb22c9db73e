"""Which request is served by what: the guard first, then pages or a model call.

The Service that connections talk to. It knows paths and configurations, not sockets.
Invariant: bad input never answers 5xx.
"""

from __future__ import annotations

import logging

import orjson

from dolphin_logger.config import Config
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.journal.writer import Journal
from dolphin_logger.proxy import body as bodies
from dolphin_logger.proxy import pages
from dolphin_logger.proxy.calls import FindProvider, ModelCalls
from dolphin_logger.proxy.connection import ClientConnection
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.guard import Guard
from dolphin_logger.proxy.pool import Pool
from dolphin_logger.proxy.request import Answer, Headers, Request
from dolphin_logger.proxy.responder import Responder

_SMALL_BODY = 64 * 1024
_JSON: Headers = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]
_CHAT_PATHS = {"/v1/chat/completions": "openai.chat", "/chat/completions": "openai.chat"}

_log = logging.getLogger(__name__)


class App:
    """Serves the requests of one server. Made by `create_app`."""

    def __init__(
        self, config: Config, journal: Journal, *, port: int, find_provider: FindProvider
    ) -> None:
        self.journal = journal
        self.pool = Pool()
        self.desk = Desk(config, journal, pool=self.pool)
        self.connections: set[ClientConnection] = set()
        self.config_trouble: str | None = None
        self._port = port
        self._calls = ModelCalls(self.desk, find_provider=find_provider)
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """Serve requests that arrive from now on by another configuration."""
        self._config = config
        self.config_trouble = None
        self._guard = Guard(config, port=self._port)
        self._calls.reconfigure(config)
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
        """Answer one request; a defect of ours is logged and answered, not left hanging."""
        try:
            self._dispatch(request, responder)
        except Exception:  # noqa: BLE001 - the edge of a request
            _log.exception("a defect while serving %s", _path(request))
            if responder.started:
                responder.break_off()
            else:
                self._reply(responder, 500, _error("a defect of dolphin-logger; see its log"))

    def _dispatch(self, request: Request, responder: Responder) -> None:
        path = _path(request)
        dialect = _CHAT_PATHS.get(path)
        if dialect is not None and request.method == b"POST":
            self._calls.start(request, responder, path=path, dialect=DIALECTS[dialect])
        elif request.too_large:
            self._reply(
                responder, 413, _error(f"at most {_SMALL_BODY} bytes of body are accepted here")
            )
        elif dialect is not None:
            self._method_not_allowed(responder, b"POST")
        else:
            self._serve_page(request, responder, path)

    def _serve_page(self, request: Request, responder: Responder, path: str) -> None:
        known = path in ("/health", "/v1/models", "/models") or pages.model_id(path) is not None
        if not known:
            self.desk.refused += 1
            message = f"no such path: {path[:200]!a}; served are /v1/chat/completions, /v1/models, /health"
            self._reply(responder, 404, _error(message))
        elif request.method not in (b"GET", b"HEAD"):
            self._method_not_allowed(responder, b"GET, HEAD")
        elif path == "/health":
            status, body = pages.describe_health(
                self._config, self.desk, trouble=self.config_trouble
            )
            self._reply(responder, status, orjson.dumps(body))
        else:
            self._reply_models(responder, pages.model_id(path))

    def _reply_models(self, responder: Responder, wanted: str | None) -> None:
        if wanted is None:
            self._reply(responder, 200, orjson.dumps(pages.list_models(self._config)))
            return
        model = pages.find_model(self._config, wanted)
        if model is not None:
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


def create_app(config: Config, journal: Journal, *, port: int, find_provider: FindProvider) -> App:
    """Put the parts of the proxy together; objects come from outside, nothing is global."""
    return App(config, journal, port=port, find_provider=find_provider)


def _path(request: Request) -> str:
    """Return the request's path, without query; absolute-form targets are cut to their path."""
    target = request.target.decode("latin-1")
    if not target.startswith("/"):
        _, _, rest = target.partition("://")
        target = "/" + rest.partition("/")[2]
    path = target.partition("?")[0]
    return path.rstrip("/") or "/"


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
