"""Model calls: from a request to the exchange that is under way.

It reads the request, finds who answers, and starts a Relay; or refuses, in the client's language.
It knows no sockets and nothing of what happens afterwards. Invariant: every call becomes exactly one
exchange, or is counted as suppressed; what is wrong with a request answers 4xx.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Dialect
from dolphin_logger.errors import ConfigError, RequestError
from dolphin_logger.exchange import Exchange, Failure, Outcome, new_id
from dolphin_logger.providers._api import LocalProvider, Provider
from dolphin_logger.proxy import body as bodies
from dolphin_logger.proxy import headers as fields
from dolphin_logger.proxy import surfaces
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.destination import Destination, unusable
from dolphin_logger.proxy.identity import identify
from dolphin_logger.proxy.local import LocalSource
from dolphin_logger.proxy.relay import Relay
from dolphin_logger.proxy.request import Headers, Request
from dolphin_logger.proxy.responder import Responder
from dolphin_logger.proxy.routing import Memory, Routes
from dolphin_logger.proxy.suppress import Call as SuppressedCall
from dolphin_logger.proxy.suppress import Suppression
from dolphin_logger.proxy.surfaces import Place, Surface
from dolphin_logger.proxy.translating import TranslatedSource, author
from dolphin_logger.proxy.upload import UPLOAD_BYTES, is_upload
from dolphin_logger.proxy.work import Work

REFUSED_BODY = 64 * 1024  # bytes of a refused request that its record keeps
_PREPARED = 4096
_MODEL_OPTIONAL = ("openai.responses", "openai.images")  # their APIs have defaults
_COUNTING = ("/count_tokens", ":countTokens", "/input_tokens")
_SIMPLE_TYPES = (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data")

FindProvider = Callable[[str], Provider | LocalProvider]


class Call:
    """One call while it is being read: the request, what its path means, and what is known so far."""

    __slots__ = (
        "body",
        "dialect",
        "exchange",
        "passed",
        "place",
        "query",
        "request",
        "surface",
        "value",
    )

    def __init__(self, request: Request, place: Place, surface: Surface) -> None:
        if surface.dialect == "openai.files" and request.header(b"anthropic-version") is not None:
            surface = replace(surface, dialect="opaque")  # Anthropic's files lie on the same path
        self.request = request
        self.place = place
        self.surface = surface
        self.dialect: Dialect = DIALECTS[surface.dialect]
        self.body = b""
        self.value: dict[str, Any] = {}
        self.passed, recorded = fields.select_request(request.headers)
        self.query = fields.without_key(request.target.partition(b"?")[2])
        path = place.path + (f"?{self.query.decode('latin-1')}" if self.query else "")
        self.exchange = Exchange(
            id=new_id(request.time_ns),
            time_ns=request.time_ns,
            dialect=surface.dialect,
            path=path,
            request_headers=recorded,
        )

    def read(self) -> None:
        """Read the body; until it has proved to be JSON the record keeps it as raw bytes.

        Raises:
            RequestError: it is no JSON object, too large, or not decodable.
        """
        request, exchange = self.request, self.exchange
        exchange.raw_request = request.body or None
        bodiless = request.method in (b"GET", b"DELETE") or not self.surface.named
        if bodiless and not request.body and not request.too_large:
            return
        self.body = exchange.raw_request = _plain_body(request, surface=self.surface)
        self.value = bodies.parse_object(self.body)
        exchange.request, exchange.raw_request = self.body, None
        self.surface = surfaces.by_shape(self.surface, self.value)
        if self.surface.dialect != exchange.dialect:
            exchange.dialect = self.surface.dialect
            self.dialect = DIALECTS[self.surface.dialect]
        asked = self.surface.asks_stream
        exchange.stream = self.dialect.asks_stream(self.value) if asked is None else asked

    def identify(self) -> None:
        """Note who is calling."""
        headers = self.request.headers
        self.exchange.client = identify(headers, self.value, run=self.place.run)

    def outgoing(self) -> tuple[bytes, str]:
        """Return body and path as the provider gets them: with its own name for the model.

        Raises:
            RequestError: 400, the body names two models.
        """
        exchange, surface = self.exchange, self.surface
        name = exchange.provider_model
        if surface.model is not None:
            inside = self.body
            if name not in (None, surface.model) and not surface.path.endswith("enerateContent"):
                inside = bodies.replace_references(inside, old=surface.model, new=str(name))
            return inside, surface.path_for(name or surface.model)
        if name is not None and name != exchange.model and isinstance(self.value.get("model"), str):
            return bodies.replace_model(self.body, name=name), surface.path
        return self.body, surface.path


class ModelCalls:
    """Starts model calls by the current configuration."""

    def __init__(self, desk: Desk, *, find_provider: FindProvider) -> None:
        self._desk = desk
        self._find_provider = find_provider
        self.memory = Memory()

    def reconfigure(self, config: Config) -> None:
        """Serve calls that arrive from now on by another configuration."""
        self._routes = Routes(config)
        self._token = None if config.token is None else config.token.reveal().encode()
        self._suppression = Suppression(config)
        self._providers: dict[str, Provider | LocalProvider] = {}
        self._destinations: dict[tuple[str, str, str, str], Destination] = {}

    def start(self, request: Request, responder: Responder, place: Place, surface: Surface) -> None:
        """Serve one call whose request is complete."""
        call = Call(request, place, surface)
        try:
            call.read()
            entry = self.choose(call)
            if "model" in call.value:
                bodies.check_model_once(call.body)
            body, path = call.outgoing()
            destination = self.destination(entry, call.dialect.name, path=path)
            recorded = self.decide_recording(call)
            work = None
            if destination.translation is not None:
                work = Work(call, destination, self._desk, recorded=recorded)
            if work is not None and entry.passthrough:
                keys = fields.select_keys(request, but=self._token)
                work.passed += [key for key in keys if not key[0].startswith(b"openai-")]
        except RequestError as error:
            self.refuse(call, responder, error)
            return
        relay = self.relay(call, responder, entry, recorded=recorded)
        local = destination.local
        if work is None and local is not None:
            answer = local.respond(call.value, call.dialect.name)
            relay.answer_locally(lambda to: LocalSource(answer, to))
            relay.start_waiting()
        elif work is not None:
            relay.recording.translated = work
            relay.answer_locally(
                lambda to: TranslatedSource(author(work, self._desk, relay), work, to, self._desk)
            )
        else:
            length = len(body) if body or request.method == b"POST" else -1
            head = destination.head(
                request.method, self.passed_fields(call, entry), length=length, query=call.query
            )
            relay.send(destination.origin, [head, body])

    def choose(self, call: Call) -> ModelEntry:
        """Find the entry that a call means and note it.

        Raises:
            RequestError: 400 or 404, with the cure.
        """
        exchange, surface, routes = call.exchange, call.surface, self._routes
        call.identify()
        name = surface.model if surface.model is not None else call.value.get("model")
        exchange.model = name if isinstance(name, str) else None
        if call.place.entry is not None:
            entry = routes.by_prefix(call.place.entry)
        elif name is None and surface.dialect in _MODEL_OPTIONAL:
            entry = self._without_model(call)
        elif surface.named or (surface.dialect == "opaque" and isinstance(name, str)):
            entry = routes.by_name(name, self._speaks(surface.dialect))
        else:
            entry = self._without_model(call)
        self.note(exchange, entry)
        return entry

    def note(self, exchange: Exchange, entry: ModelEntry) -> None:
        """Write down who answers."""
        exchange.provider = entry.provider
        named = exchange.model is not None
        exchange.provider_model = (entry.provider_model or exchange.model) if named else None
        exchange.publishable = False if entry.provider == "demo" else entry.publishable

    def destination(self, entry: ModelEntry, dialect: str, *, path: str) -> Destination:
        """Prepare where an entry's calls go, once per configuration.

        Raises:
            RequestError: 404, the entry cannot be used for this.
        """
        key = (entry.provider, entry.model, dialect, path)
        found = self._destinations.get(key)
        if found is None:
            if len(self._destinations) >= _PREPARED:
                self._destinations.clear()
            provider = self._provider(entry)
            found = Destination(entry, provider, dialect=dialect, path=path)
            self._destinations[key] = found
        return found

    def decide_recording(self, call: Call) -> bool:
        """Say whether a call is recorded.

        Raises:
            RequestError: 503 when it should be and cannot, and the configuration says to refuse then.
        """
        recorded = self._is_recorded(call)
        if recorded and self._desk.refuses_unrecorded():
            message = "records cannot be written now, and the configuration says to refuse then"
            raise RequestError(message, status=503, kind="unrecordable")
        return recorded

    def relay(
        self, call: Call, responder: Responder, entry: ModelEntry, *, recorded: bool
    ) -> Relay:
        """Begin the exchange."""
        relay = Relay(
            self._desk,
            responder,
            call.exchange,
            dialect=call.dialect,
            timeouts=entry.timeouts,
            recorded=recorded,
        )
        relay.recording.spends_tokens = not call.surface.path.endswith(_COUNTING)
        if not call.surface.dialect.endswith((".chat", ".messages", "gemini", ".completions")):
            relay.recording.remember = lambda answer: self.memory.keep(answer, entry=entry.model)
        return relay

    def passed_fields(self, call: Call, entry: ModelEntry) -> Headers:
        """Select the client's fields for the provider, with its own keys where the entry says so."""
        if not entry.passthrough:
            return call.passed
        return call.passed + fields.select_keys(call.request, but=self._token)

    def refuse(self, call: Call, responder: Responder, error: RequestError) -> None:
        """Answer with 4xx in the client's language, and record that."""
        exchange = call.exchange
        if exchange.provider is None:
            call.identify()
        exchange.status = error.status
        exchange.outcome = Outcome.REFUSED
        at = "client" if error.status < 500 else "proxy"
        exchange.error = Failure(error.kind, at, error.status, str(error))
        if exchange.request is not None and len(exchange.request) > REFUSED_BODY:
            exchange.request, exchange.raw_request = None, exchange.request
        if exchange.raw_request is not None:
            exchange.raw_request = exchange.raw_request[:REFUSED_BODY] or None
        exchange.total_ms = 0.0
        if self._is_recorded(call):
            self._desk.journal.append(exchange)
        else:
            self._desk.suppressed += 1
        body = call.dialect.error_body(
            str(error), status=error.status, param=error.param, code=error.code
        )
        ours = self._desk.response_headers(exchange.id, call.request)
        extra = [(b"x-dolphin-error", error.kind.encode())]
        if error.status < 500:
            extra.append((b"x-should-retry", b"false"))
        responder.reply(error.status, body, [(b"content-type", b"application/json"), *extra, *ours])

    def _without_model(self, call: Call) -> ModelEntry:
        """Go by an id that one of our answers carried, or to the only entry that can be meant."""
        speaks = self._speaks(call.surface.dialect)
        remembered = self.memory.entry_of(call.place.path)
        if remembered is not None:
            entry = self._routes.find(remembered, speaks)
            if entry is not None:
                return entry
        return self._routes.only_one(speaks)

    def _speaks(self, dialect: str) -> Callable[[ModelEntry], bool]:
        """Make the question whether an entry's provider serves a language without translation."""

        def speaks(entry: ModelEntry) -> bool:
            try:
                provider = self._provider(entry)
            except RequestError:
                return False
            return dialect in provider.dialects and not isinstance(provider, LocalProvider)

        return speaks

    def _provider(self, entry: ModelEntry) -> Provider | LocalProvider:
        found = self._providers.get(entry.provider)
        if found is None:
            try:
                found = self._providers[entry.provider] = self._find_provider(entry.provider)
            except ConfigError as error:
                raise unusable(entry, str(error)) from error
        return found

    def _is_recorded(self, call: Call) -> bool:
        if self._desk.paused():
            return False
        exchange = call.exchange
        subject = SuppressedCall(
            model=exchange.model or "",
            path=call.place.path,
            client=exchange.client.name or "",
            text=call.dialect.first_user_text(call.value) or "",
            headers=call.request.headers,
        )
        return not self._suppression.applies(subject)


def _plain_body(request: Request, *, surface: Surface) -> bytes:
    """Return the request's JSON bytes.

    Raises:
        RequestError: 413 too large, 415 not sent as JSON or in an unknown coding, 400 corrupt.
    """
    if request.too_large:
        most = UPLOAD_BYTES if is_upload(request, surface) else bodies.JSON_BYTES
        limit = f"the request body is larger than {most >> 20} MiB"
        raise RequestError(limit, status=413, kind="too_large")
    media_type = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    if media_type in _SIMPLE_TYPES:
        shown = media_type.decode()
        message = f"Content-Type is {shown}; send the JSON body as application/json"
        raise RequestError(message, status=415, kind="bad_type")
    return bodies.decode_content(request.body, coding=request.header(b"content-encoding"))
