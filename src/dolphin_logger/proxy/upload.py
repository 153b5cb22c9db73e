"""A request whose body is not JSON: forms with files, passed on as they come, kept by reference.

It looks for the form's `model` in the first MiB, finds who answers, and then lets the body through:
never whole in memory, each side waiting for the slower one. The copy for the record goes to a blob.
It knows no sockets but what it is handed. Invariant: the body goes on byte for byte, but for the
model's value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dolphin_logger.errors import RequestError
from dolphin_logger.journal.blobs import BlobWriter
from dolphin_logger.proxy.connection import ClientConnection
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.relay import Relay
from dolphin_logger.proxy.request import Request
from dolphin_logger.proxy.responder import Responder
from dolphin_logger.proxy.surfaces import Surface
from dolphin_logger.proxy.upstream import UpstreamConnection

if TYPE_CHECKING:
    from dolphin_logger.proxy.calls import Call, ModelCalls

UPLOAD_BYTES = 2 * 1024 * 1024 * 1024
_SEARCHED = 1024 * 1024
_PART_HEAD = 8192
_BOUNDARY = re.compile(rb';[ \t]*boundary=(?:"([^"]+)"|([^;\s"]+))', re.IGNORECASE)
_DISPOSITION = re.compile(
    rb"^content-disposition:[ \t]*form-data([^\r\n]*)", re.IGNORECASE | re.MULTILINE
)
_PARAMETER = re.compile(rb';[ \t]*([a-z*]+)=("(?:[^"\\]|\\.)*"|[^;\s]*)', re.IGNORECASE)


class Upload:
    """One such request, from its head to the last byte of its body."""

    def __init__(self, calls: ModelCalls, call: Call, responder: Responder, *, desk: Desk) -> None:
        self._calls = calls
        self._call = call
        self._responder = responder
        self._desk = desk
        self._client: ClientConnection | None = None
        self._provider: UpstreamConnection | None = None
        self._relay: Relay | None = None
        self._blob: BlobWriter | None = None
        self._waiting: list[bytes] = []
        self._size = self._next_search = 0
        boundary = _BOUNDARY.search(call.request.header(b"content-type") or b"")
        self._delimiter = b"--" + (boundary[1] or boundary[2]) if boundary else b""
        self._chunked = False
        self._complete = False
        self._refused = False
        self._lost = False
        responder.consumer = self

    def attach(self, client: ClientConnection) -> None:
        """Take the connection whose reading is to be held and released."""
        self._client = client

    # --- the client's side

    def feed(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self._refused:
            return
        if self._relay is None:
            self._waiting.append(data)
            self._size += len(data)
            if self._size >= self._next_search:  # ever rarer: a body may come byte by byte
                self._next_search = self._size + self._size // 8
                body = b"".join(self._waiting)
                self._waiting = [body]
                if self._size >= _SEARCHED or _find_model(body, self._delimiter):
                    self._route()
            return
        self._copy(data)
        self._push(data)

    def complete(self) -> None:
        """The body is complete."""
        self._complete = True
        if self._relay is None and not self._refused:
            self._route()
        if self._provider is not None:
            self._finish_body(self._provider)

    def too_large(self) -> None:
        """The body is longer than is accepted: nothing more of it goes on."""
        message = f"the request body is larger than {UPLOAD_BYTES >> 30} GiB"
        if self._relay is None:
            self._refuse(RequestError(message, status=413, kind="too_large"))
        else:
            self._relay.client_gone()
            self._responder.connection.abort()

    def client_gone(self) -> None:
        """The client has left before anything was sent on: there is no exchange."""
        self._refused = True
        self._waiting.clear()

    def client_full(self) -> None:
        """Nothing is being answered yet."""

    def client_drained(self) -> None:
        """Nothing is being answered yet."""

    # --- the provider's side

    def connected(self, provider: UpstreamConnection) -> None:
        """The head has been sent: let the body follow."""
        self._provider = provider
        waiting, self._waiting = self._waiting, []
        for piece in waiting:
            self._push(piece)
        provider.sending = True
        if self._complete:
            self._finish_body(provider)
        self.release()

    def hold(self) -> None:
        """The provider does not take it fast enough: stop reading from the client."""
        if self._client is not None and not self._complete:
            self._client.hold()

    def release(self) -> None:
        """Read from the client again."""
        if self._client is not None and not self._complete:
            self._client.release()

    # --- the record

    def reference(self) -> bytes | None:
        """Close the copy and return what the record keeps of it."""
        if self._blob is None:
            return b'{"blob":null,"lost":true}' if self._lost else None
        blob, self._blob = self._blob, None
        media_type = self._call.request.header(b"content-type") or b"application/octet-stream"
        plain = media_type.partition(b";")[0].decode("latin-1")
        try:
            return blob.commit(media_type=plain).to_json()
        except OSError:
            return b'{"blob":null,"lost":true}'

    # ---

    def _route(self) -> None:
        """Find who answers, and begin to send."""
        call, calls = self._call, self._calls
        body = b"".join(self._waiting)
        found = _find_model(body, self._delimiter)
        if found is not None:
            call.value = {"model": body[slice(*found)].decode("utf-8", "replace")}
        try:
            optional = self._complete and call.surface.dialect == "openai.images"
            if found is None and call.surface.named and call.place.entry is None and not optional:
                message = (
                    "the form has no field `model` within its first MiB; send it before the file"
                )
                raise RequestError(message, status=400, kind="no_model", param="model")
            entry = calls.choose(call)
            destination = calls.destination(entry, call.dialect.name, path=call.surface.path)
            recorded = calls.decide_recording(call)
            if destination.local is not None or destination.translation is not None:
                raise RequestError(
                    f"The model `{entry.model}` takes no files",
                    status=400,
                    kind="no_files",
                    param="model",
                )
        except RequestError as error:
            self._refuse(error)
            return
        if recorded:
            self._copy(body, first=True)
        sent, name = body, call.exchange.provider_model
        if found is not None and name is not None and name != call.exchange.model:
            sent = body[: found[0]] + name.encode() + body[found[1] :]
        length = call.request.header(b"content-length")
        self._chunked = length is None
        self._waiting = [sent] if sent else []
        relay = self._relay = calls.relay(call, self._responder, entry, recorded=recorded)
        relay.recording.upload = self
        self.hold()
        total = None if length is None else int(length) + len(sent) - len(body)
        head = destination.head(
            call.request.method, calls.passed_fields(call, entry), length=total, query=call.query
        )
        relay.send(destination.origin, [head])

    def _refuse(self, error: RequestError) -> None:
        self._refused = True
        self._waiting.clear()
        self._calls.refuse(self._call, self._responder, error)

    def _push(self, data: bytes) -> None:
        if self._provider is None:
            self._waiting.append(data)
            self.hold()
            return
        if self._relay is not None:
            self._relay.touch_request()
        self._provider.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    def _finish_body(self, provider: UpstreamConnection) -> None:
        provider.sending = False
        if self._chunked:
            provider.write(b"0\r\n\r\n")

    def _copy(self, data: bytes, *, first: bool = False) -> None:
        if self._lost or (self._blob is None and not first):
            return
        try:
            if self._blob is None:
                self._blob = self._desk.journal.blob()
            self._blob.write(data)
        except OSError:
            self._lost = True
            if self._blob is not None:
                self._blob.discard()
                self._blob = None


def is_upload(request: Request, surface: Surface) -> bool:
    """Whether a body is passed on as it comes: it is no JSON, and the surface takes such."""
    if not surface.multipart or request.method in (b"GET", b"DELETE"):
        return False
    media_type = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    return media_type not in (b"", b"application/json") and not media_type.endswith(b"+json")


def _find_model(body: bytes, delimiter: bytes) -> tuple[int, int] | None:
    """Find the span of the value of a form's field `model` (RFC 7578), whose end must be there.

    Only heads of parts are looked at: what a file contains is nobody's field.
    """
    at = 0 if delimiter and body.startswith(delimiter) else -1
    between = b"\r\n" + delimiter
    if delimiter and at < 0:
        at = body.find(between)
    while at >= 0:
        end = body.find(b"\r\n\r\n", at + 1)
        if end < 0:
            return None
        following = body.find(between, end + 2)
        if end - at <= _PART_HEAD and _names_model(body[at:end]):
            return None if following < 0 else (end + 4, following)
        at = following
    return None


def _names_model(head: bytes) -> bool:
    found = _DISPOSITION.search(head)
    parameters = _PARAMETER.findall(found[1]) if found else []
    return any(
        name.lower() == b"name" and value.strip(b'"') == b"model" for name, value in parameters
    )
