"""The pages that are no model calls: health, and the model lists in the caller's language.

A table from paths to functions of what a visit needs to know; no sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import unquote

from dolphin_logger._version import __version__
from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.request import Request
from dolphin_logger.proxy.routing import Routes

_CREATED = 1686935002  # the original's constant; clients that it served may compare
_CREATED_TEXT = "2023-06-16T17:03:22Z"
_HEALTHY = "Server is healthy, configuration loaded."
_UNHEALTHY = "Server is running, but configuration might have issues (e.g., no models loaded)."


class Visit(NamedTuple):
    """What a page may look at."""

    config: Config
    desk: Desk
    request: Request
    path: str
    trouble: str | None


Page = Callable[[Visit], tuple[int, Any]]


def find(path: str) -> Page | None:
    """Return the page at a path."""
    if path in _PAGES:
        return _PAGES[path]
    return _show_model if model_id(path) is not None else None


def model_id(path: str) -> str | None:
    """Read the model's name out of a path below the model list."""
    for prefix in ("/v1/models/", "/v1beta/models/", "/models/"):
        if path.startswith(prefix):
            return unquote(path[len(prefix) :])
    return None


def _show_health(visit: Visit) -> tuple[int, dict[str, Any]]:
    """Say how the server is: the original's two keys first."""
    config, desk = visit.config, visit.desk
    healthy = bool(config.models)
    journal = desk.journal
    recording = "degraded" if journal.trouble else "paused" if desk.paused() else "on"
    return 200 if healthy else 500, {
        "status": "ok" if healthy else "error",
        "message": _HEALTHY if healthy else _UNHEALTHY,
        "version": __version__,
        "recording": recording,
        "models": len(config.models),
        "skipped": [{"model": s.model, "reason": s.reason} for s in config.skipped],
        "config_error": visit.trouble,
        "records": journal.records,
        "suppressed": desk.suppressed,
        "refused": desk.refused,
        "dropped": journal.dropped,
        "waiting": journal.waiting(),
        "active": len(desk.active),
    }


def _show_root(visit: Visit) -> tuple[int, Any]:
    """Answer the probes with which clients ask whether somebody is there."""
    return 200, {"status": "ok", "message": "dolphin-logger is running"}


def _list_models(visit: Visit) -> tuple[int, Any]:
    """List the models in the language of whoever asks; to a plain caller in the original's shape."""
    language = _language(visit)
    models = visit.config.models
    if language == "anthropic":
        data = [_for_anthropic(entry) for entry in models]
        first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
        return 200, {"data": data, "has_more": False, "first_id": first, "last_id": last}
    if language == "gemini":
        return 200, {"models": [_for_gemini(entry) for entry in models]}
    return 200, {"object": "list", "data": [_for_openai(entry) for entry in models]}


def _show_model(visit: Visit) -> tuple[int, Any]:
    wanted = model_id(visit.path) or ""
    language = _language(visit)
    write = {"anthropic": _for_anthropic, "gemini": _for_gemini}.get(language, _for_openai)
    entry = Routes(visit.config).find(wanted)
    if entry is not None:
        return 200, write(replace(entry, model=wanted))
    message = f"The model `{wanted[:200]}` does not exist in config.json"
    if language == "anthropic":
        return 404, {"type": "error", "error": {"type": "not_found_error", "message": message}}
    if language == "gemini":
        return 404, {"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}
    error = {"message": message, "type": "invalid_request_error", "param": "model"}
    return 404, {"error": error | {"code": "model_not_found"}}


def _list_tags(visit: Visit) -> tuple[int, Any]:
    """List the models as Ollama does."""
    return 200, {"models": [_for_ollama(entry) for entry in visit.config.models]}


def _list_running(visit: Visit) -> tuple[int, Any]:
    """Say what Ollama would have in memory: of that we know nothing."""
    return 200, {"models": []}


def _show_version(visit: Visit) -> tuple[int, Any]:
    return 200, {"version": __version__}


def _language(visit: Visit) -> str:
    """Tell callers apart by the fields that only their vendors' clients send."""
    if visit.path.startswith("/v1beta/"):
        return "gemini"
    target = visit.request.target
    for name, _ in visit.request.headers:
        if name == b"anthropic-version":
            return "anthropic"
        if name in (b"x-goog-api-key", b"x-goog-api-client"):
            return "gemini"
    return "gemini" if b"?key=" in target or b"&key=" in target else "openai"


def _for_openai(entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": entry.model,
        "object": "model",
        "created": _CREATED,
        "owned_by": entry.provider,
        "provider": entry.provider,
        "provider_model": entry.provider_model or entry.model,
    }


def _for_anthropic(entry: ModelEntry) -> dict[str, Any]:
    return {
        "type": "model",
        "id": entry.model,
        "display_name": entry.model,
        "created_at": _CREATED_TEXT,
        "lifecycle": "active",
    }


def _for_gemini(entry: ModelEntry) -> dict[str, Any]:
    return {
        "name": f"models/{entry.model}",
        "displayName": entry.model,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def _for_ollama(entry: ModelEntry) -> dict[str, Any]:
    return {
        "name": entry.model,
        "model": entry.model,
        "modified_at": _CREATED_TEXT,
        "size": 0,
        "digest": "",
        "details": {"family": entry.provider, "format": "", "parameter_size": ""},
    }


_PAGES: dict[str, Page] = {
    "/": _show_root,
    "/health": _show_health,
    "/models": _list_models,
    "/v1/models": _list_models,
    "/v1beta/models": _list_models,
    "/api/tags": _list_tags,
    "/api/ps": _list_running,
    "/api/version": _show_version,
}
