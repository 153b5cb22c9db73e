"""Which request is served by what: the guard first, then pages or a model call.

The Service that connections talk to. It knows paths and configurations, not sockets.
Invariant: bad input never answers 5xx.
"""

from __future__ import annotations

import logging

import orjson

from dolphin_logger.config import Config
from dolphin_logger.journal.writer import Journal
from dolphin_logger.proxy import body as bodies
from dolphin_logger.proxy import pages, surfaces
from dolphin_logger.proxy.calls import Call, FindProvider, ModelCalls
from dolphin_logger.proxy.connection import ClientConnection
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.guard import Guard
from dolphin_logger.proxy.pool import Pool
from dolphin_logger.proxy.request import Answer, Headers, Request
from dolphin_logger.proxy.responder import Responder
from dolphin_logger.proxy.surfaces import Place, Surface
from dolphin_logger.proxy.upload import UPLOAD_BYTES, Upload, is_upload

_SMALL_BODY = 64 * 1024
_JSON: Headers = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]

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
        _, surface = _route(request)
        if surface is None:
            return _SMALL_BODY
        request.uploads = is_upload(request, surface)
        return UPLOAD_BYTES if request.uploads else bodies.JSON_BYTES

    def begin_upload(self, request: Request, responder: Responder) -> Upload:
        """Take a form with files, or what is no JSON on a path that is passed through."""
        place, surface = _route(request)
        assert surface is not None
        return Upload(self._calls, Call(request, place, surface), responder, desk=self.desk)

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
        place, surface = _route(request)
        if surface is not None:
            self._calls.start(request, responder, place, surface)
        elif request.too_large:
            message = f"at most {_SMALL_BODY} bytes of body are accepted here"
            self._reply(responder, 413, _error(message))
        else:
            self._serve_page(request, responder, place)

    # --- the pages

    def _serve_page(self, request: Request, responder: Responder, place: Place) -> None:
        page = pages.find(place.path)
        if page is None:
            allowed = surfaces.allowed_methods(place)
            if allowed:
                self._method_not_allowed(responder, allowed.encode())
                return
            self.desk.refused += 1
            message = f"no such path: {place.path[:200]!a}; served are /v1/chat/completions and the other model APIs, /v1/models, /health"
            self._reply(responder, 404, _error(message))
        elif request.method not in (b"GET", b"HEAD"):
            self._method_not_allowed(responder, b"GET, HEAD")
        else:
            status, body = page(
                pages.Visit(self._config, self.desk, request, place.path, self.config_trouble)
            )
            self._reply(responder, status, orjson.dumps(body))

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


def _route(request: Request) -> tuple[Place, Surface | None]:
    """Take a request's path apart and say what it means, once."""
    if request.route is None:
        place = surfaces.take_apart(_path(request))
        request.route = place, surfaces.find(request.method.decode("latin-1"), place)
    found: tuple[Place, Surface | None] = request.route
    return found


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
