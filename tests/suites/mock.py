"""A provider that answers every path of an official SDK with an object of the type the SDK expects.

The schema is the SDK itself: which path answers what is read from the source of its resources, what such
an object looks like from its types. It knows no tests and no proxy. Invariant: an answer depends on the
request's method, target and body alone, so a request gets the same one whichever way it came.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import types
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import orjson
import pydantic
import typing_extensions

from tests.support.provider import Received, Wire

_VERBS = {
    "_get": "GET",
    "_get_api_list": "GET",
    "_post": "POST",
    "_delete": "DELETE",
    "_put": "PUT",
    "_patch": "PATCH",
}
_DEPTH = 5  # lists this deep inside an object stay empty
_STREAMED = re.compile(rb'"stream":\s*true|name="stream"\r\n(?:[^\r\n]+\r\n)*\r\ntrue\r\n')
_FAILURES = {"error", "response.failed", "response.incomplete"}
_ORDER = (  # of the events whose place in a stream matters; the others come in between
    "message_start",
    "response.created",
    "content_block_start",
    "content_block_delta",
    None,
    "content_block_stop",
    "message_delta",
    "message_stop",
    "response.completed",
)
_PLAIN: dict[Any, Any] = {
    str: "text",
    int: 1,
    float: 1.5,
    bool: True,
    bytes: "dGV4dA==",
    datetime: "2026-01-02T03:04:05Z",
    date: "2026-01-02",
    type(None): None,
}


class Kind(NamedTuple):
    """What a path answers: plain, and as the events of a stream."""

    plain: Any
    event: Any = None


@dataclass(frozen=True)
class _Endpoint:
    method: str
    path: re.Pattern[str]
    query: str
    kind: Kind


class Mock:
    """The script of a `FakeProvider` that stands in for the vendor of one SDK."""

    def __init__(self, sdk: str, *, prefix: str) -> None:
        self.unknown: set[str] = set()
        self._prefix = prefix
        found: dict[tuple[str, str], _Endpoint] = {}
        for method, template, kind in _read_resources(sdk):
            earlier = found.get((method, template))
            if earlier is None or (earlier.kind.event is None and kind.event is not None):
                found[method, template] = _endpoint(method, template, kind)
        # the most particular first: those with a query, then those with fewer variables
        self._endpoints = sorted(
            found.values(), key=lambda e: (not e.query, e.path.pattern.count("[^/]+"))
        )

    async def __call__(self, request: Received, wire: Wire) -> None:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        kind = self._find(request.method, path.removeprefix(self._prefix), query)
        if kind is None:
            self.unknown.add(f"{request.method} {path}")
            await _send(wire, 404, "application/json", b'{"error":{"message":"no such path"}}')
        elif kind.event is not None and _asks_stream(request, query):
            await _send_stream(wire, kind.event)
        else:
            await _send(wire, *_write(kind.plain))

    def _find(self, method: str, path: str, query: str) -> Kind | None:
        for endpoint in self._endpoints:
            if (
                endpoint.method == method
                and endpoint.query in query
                and endpoint.path.fullmatch(path)
            ):
                return endpoint.kind
        return None


# --- what the SDK's resources say


def _read_resources(sdk: str) -> Iterator[tuple[str, str, Kind]]:
    """Give every request that the synchronous resources make: method, path and answer."""
    resources = importlib.import_module(f"{sdk}.resources")
    names = [m.name for m in pkgutil.walk_packages(resources.__path__, f"{sdk}.resources.")]
    for name in sorted(names, key=lambda name: ".beta" in name):  # what it shares is the other's
        module = importlib.import_module(name)
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                verb, path = node.func.attr, _template(node)
                if verb in _VERBS and path is not None:
                    options = {option.arg: option.value for option in node.keywords}
                    yield _method(verb, options), path, _kind(path, options, module)


def _template(call: ast.Call) -> str | None:
    path = call.args[0] if call.args else None
    if isinstance(path, ast.Call) and path.args:  # path_template("/files/{file_id}", …)
        path = path.args[0]
    return path.value if isinstance(path, ast.Constant) and isinstance(path.value, str) else None


def _method(verb: str, options: dict[str | None, ast.expr]) -> str:
    written = options.get("method")
    return str(written.value).upper() if isinstance(written, ast.Constant) else _VERBS[verb]


def _kind(path: str, options: dict[str | None, ast.expr], module: types.ModuleType) -> Kind:
    names = vars(module) | {"response_format": None, "log": None}
    if path in ("/audio/transcriptions", "/audio/translations"):  # decided while it runs
        plain: Any = names["Transcription" if "transcr" in path else "Translation"]
    else:
        plain = _value(options.get("page") or options.get("cast_to"), names)
    event = get_args(_value(options.get("stream_cls"), names))
    return Kind(plain, event[0] if event else None)


def _value(written: ast.expr | None, names: dict[str, Any]) -> Any:
    """Give the object that an expression of the SDK's source means; None when it hangs on a call."""
    if written is None:
        return None
    with suppress(NameError):
        return eval(ast.unparse(written), names)  # the SDK's own source, in its own module
    return None


def _endpoint(method: str, template: str, kind: Kind) -> _Endpoint:
    path, _, query = template.partition("?")
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
    return _Endpoint(method, re.compile(pattern), query, kind)


# --- objects of a type


def example(kind: Any, depth: int = 0) -> Any:
    """Build a valid value of a type, as JSON has it: what is required, and one item of every sort."""
    arms = _arms(kind)
    kind = next((arm for arm in arms if arm is not type(None)), type(None))
    origin = get_origin(kind) or kind
    if origin is Literal:
        return get_args(kind)[0]
    if origin in (list, typing_extensions.Iterable):
        items = [arm for item in get_args(kind) for arm in _arms(item)]
        return [example(arm, depth + 1) for arm in items] if depth < _DEPTH else []
    if origin is dict:
        return {"key": example(get_args(kind)[1], depth + 1)} if depth < _DEPTH else {}
    if inspect.isclass(origin) and issubclass(origin, pydantic.BaseModel):
        fields = kind.model_fields if hasattr(kind, "model_fields") else origin.model_fields
        return {
            field.alias or name: example(field.annotation, depth + 1)
            for name, field in fields.items()
            if field.is_required()
        }
    return _PLAIN.get(origin, {})


def _arms(kind: Any) -> list[Any]:
    """Give the members of a union, through annotations and aliases; of anything else, itself."""
    if isinstance(kind, TypeVar):
        return [kind.__bound__ or object]
    if isinstance(kind, typing_extensions.TypeAliasType):
        return _arms(kind.__value__)
    origin = get_origin(kind)
    if isinstance(origin, typing_extensions.TypeAliasType):
        return _arms(origin.__value__)
    if origin in (typing_extensions.Annotated, typing_extensions.Required):
        return _arms(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return [arm for member in get_args(kind) for arm in _arms(member)]
    return [kind]


def _events(kind: Any) -> list[dict[str, Any]]:
    """Give one event of every sort that a good stream may hold, in an order that makes sense."""
    events = [example(arm) for arm in _arms(kind)]
    good = [event for event in events if event.get("type") not in _FAILURES]
    between = _ORDER.index(None)
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(good, key=lambda event: places.get(event.get("type", ""), between))


# --- on the wire


def _write(kind: Any) -> tuple[int, str, bytes]:
    """Give status, media type and body of a plain answer."""
    if kind is type(None):
        return 204, "", b""
    if kind is str:
        return 200, "text/plain", b"text"
    name = getattr(get_origin(kind) or kind, "__name__", "")
    if "Binary" in name:
        return 200, "application/octet-stream", bytes(range(256))
    if "JSONLDecoder" in name:
        return 200, "application/x-jsonl", orjson.dumps(example(get_args(kind)[0])) + b"\n"
    return 200, "application/json", orjson.dumps(example(kind))


async def _send(wire: Wire, status: int, media_type: str, body: bytes) -> None:
    headers = [("content-type", media_type)] if media_type else []
    await wire.head(status, [*headers, ("x-request-id", "req_1")], length=len(body))
    await wire.chunk(body)


async def _send_stream(wire: Wire, kind: Any) -> None:
    await wire.head(200, [("content-type", "text/event-stream"), ("x-request-id", "req_1")])
    for event in _events(kind):
        name = b"event: %s\n" % event["type"].encode() if "type" in event else b""
        await wire.chunk(b"%sdata: %s\n\n" % (name, orjson.dumps(event)))
    await wire.chunk(b"data: [DONE]\n\n")
    await wire.end()


def _asks_stream(request: Received, query: str) -> bool:
    return "stream=true" in query or _STREAMED.search(request.body) is not None
