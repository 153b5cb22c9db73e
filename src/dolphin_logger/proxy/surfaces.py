"""Which vendor API a path belongs to: a table, with and without `/v1`.

It knows paths and methods, not bodies (but for telling two shapes apart), providers or models.
A vendor's path that stands in no row is opaque: it passes through to whom the request means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote

_VERSION = re.compile(r"^(?:/v1(?=/))*")
_GEMINI = re.compile(r"^/(v1|v1beta|v1alpha)/((?:models|tunedModels)/)(.+):([A-Za-z]+)$")
_ENTRY = re.compile(r"^/p/([^/]+)(/.*)$")
_RUN = re.compile(r"^/c/([^/]+)(/.*)$")
_DOUBLED = (
    re.compile(  # a base URL with a version in front of a path with one; Groq's own `/openai`
        r"^(?:/v1)+(?=/(?:v1|v1beta|v1alpha|api)/)|^/openai(?=/v1/)"
    )
)
_HOSTILE = re.compile(  # could mean another place behind apiBase, or be read in two ways
    r"(?:/|%2f|\\|%5c)(?:\.|%2e){1,2}(?:/|%2f|\\|%5c|\Z)|//|%00|[^!-~]|#", re.IGNORECASE
)
_PATH_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class Surface:
    """What a request's path means.

    Attributes:
        dialect: the wire language.
        path: the path in its full form, as providers know it; `{model}` stands for a model in it.
        model: the model that the path names.
        named: whether the request names its model, in its body or path.
        multipart: whether the body may be a form with files.
        asks_stream: whether the path asks for a stream; None leaves it to the body.
    """

    dialect: str
    path: str
    model: str | None = None
    named: bool = True
    multipart: bool = False
    asks_stream: bool | None = None

    def path_for(self, model: str) -> str:
        """Write the path with a model's name in its place."""
        return self.path.replace("{model}", quote(model, safe="/@:-_.~"))


@dataclass(frozen=True, slots=True)
class Place:
    """A request's path, taken apart: the prefixes of ours, and the vendor's path behind them."""

    path: str
    entry: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    methods: str
    pattern: re.Pattern[str]
    surface: Surface


def _row(methods: str, pattern: str, dialect: str, **more: Any) -> _Row:
    return _Row(methods, re.compile(pattern + r"\Z"), Surface(dialect, "", **more))


_TABLE = (  # behind /v1
    _row("POST", r"/chat/completions", "openai.chat"),
    _row("POST", r"/responses(/compact|/input_tokens)?", "openai.responses"),
    _row("GET DELETE", r"/responses/[^/]+(/input_items)?", "openai.responses", named=False),
    _row("POST", r"/responses/[^/]+/cancel", "openai.responses", named=False),
    _row("POST", r"/messages(/count_tokens)?", "anthropic.messages"),
    _row("POST", r"/completions", "openai.completions"),
    _row("POST", r"/embeddings", "openai.embeddings"),
    _row("POST", r"/audio/speech", "openai.audio"),
    _row("POST", r"/audio/(transcriptions|translations)", "openai.audio", multipart=True),
    _row("POST", r"/images/generations", "openai.images"),
    _row("POST", r"/images/(edits|variations)", "openai.images", multipart=True),
    _row("POST", r"/files", "openai.files", named=False, multipart=True),
    _row("GET", r"/files", "openai.files", named=False),
    _row("GET DELETE", r"/files/[^/]+(/content)?", "openai.files", named=False),
)
_OPAQUE_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_VENDOR_PREFIXES = ("/v1/", "/v1beta/", "/v1alpha/", "/api/")
_OURS = ("/models", "/v1/models", "/v1beta/models", "/api/tags", "/api/version", "/api/ps")
_OLLAMA = {
    "/api/chat": "ollama.chat",
    "/api/generate": "ollama.generate",
    "/api/embed": "ollama.embed",
    "/api/embeddings": "ollama.embed",
    "/api/show": "opaque",
}


def take_apart(path: str) -> Place:
    """Split off `/c/<run>` and `/p/<entry>`, in this order."""
    run = entry = None
    if path.startswith(("/c/", "/p/")):
        if found := _RUN.match(path):
            run, path = unquote(found[1]), found[2]
        if found := _ENTRY.match(path):
            entry, path = unquote(found[1]), found[2]
    return Place(_DOUBLED.sub("", path), entry, run)


def find(method: str, place: Place) -> Surface | None:
    """Return what a request is, None when it is no call of a model."""
    path = place.path
    if method == "POST" and (known := _PLAIN.get(path)) is not None:
        return known
    if place.entry is None and (path in _OURS or _is_model_page(path)):
        return None
    if len(path) > _PATH_LENGTH or _HOSTILE.search(path):
        return None
    if method == "POST":
        if (found := _GEMINI.match(path)) is not None:
            return _gemini(*found.groups())
        if path in _OLLAMA:
            return Surface(_OLLAMA[path], path)
    rest = path[_VERSION.match(path).end() :]  # type: ignore[union-attr]  # matches everything
    served = False
    for row in _TABLE:
        if row.pattern.match(rest):
            served = True
            if method in row.methods:
                return replace(row.surface, path="/v1" + rest)
    if served or method not in _OPAQUE_METHODS:
        return None
    if place.entry is not None or path.startswith(_VENDOR_PREFIXES):
        return Surface("opaque", path, named=False, multipart=True)
    return None


def by_shape(surface: Surface, body: Mapping[str, Any]) -> Surface:
    """Correct the dialect of a body that was sent to its sibling's path, as some clients do."""
    if surface.dialect == "openai.chat" and "messages" not in body and "input" in body:
        return replace(surface, dialect="openai.responses", path="/v1/responses")
    if surface.dialect in ("openai.responses", "openai.completions") and (
        "messages" in body and "input" not in body and "prompt" not in body
    ):
        return replace(surface, dialect="openai.chat", path="/v1/chat/completions")
    return surface


def allowed_methods(place: Place) -> str:
    """List the methods that a path is served with; empty when it is not known."""
    methods = [method for method in _OPAQUE_METHODS if find(method, place)]
    return ", ".join(methods)


def _is_model_page(path: str) -> bool:
    """Whether a path is one model of the list: `/v1/models/ID`, where an ID may hold slashes."""
    return path.startswith(("/models/", "/v1/models/", "/v1beta/models/")) and not _GEMINI.match(
        path
    )


def _gemini(version: str, collection: str, model: str, action: str) -> Surface:
    name = unquote(model).removeprefix("models/")
    if collection != "models/":
        name = collection + name
    path = (
        f"/{version}/models/{{model}}:{action}"
        if collection == "models/"
        else f"/{version}/{{model}}:{action}"
    )
    return Surface("gemini", path, model=name, asks_stream=action == "streamGenerateContent")


_PLAIN = {  # the common ones, without a search
    path: Surface(row.surface.dialect, "/v1" + path.removeprefix("/v1"))
    for row, plain in ((_TABLE[0], "/chat/completions"), (_TABLE[4], "/messages"))
    for path in (plain, "/v1" + plain)
}
