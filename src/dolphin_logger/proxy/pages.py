"""The pages that are no model calls: health and the model lists.

Pure functions of the configuration and the desk; no sockets.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from dolphin_logger._version import __version__
from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.proxy.desk import Desk

_CREATED = 1686935002  # the original's constant; clients that it served may compare
_HEALTHY = "Server is healthy, configuration loaded."
_UNHEALTHY = "Server is running, but configuration might have issues (e.g., no models loaded)."


def describe_health(
    config: Config, desk: Desk, *, trouble: str | None
) -> tuple[int, dict[str, Any]]:
    """Say how the server is: the original's two keys first."""
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
        "config_error": trouble,
        "records": journal.records,
        "suppressed": desk.suppressed,
        "refused": desk.refused,
        "dropped": journal.dropped,
        "waiting": journal.waiting(),
        "active": len(desk.active),
    }


def list_models(config: Config) -> dict[str, Any]:
    """Build the model list, in exactly the original's shape."""
    return {"object": "list", "data": [_describe(entry) for entry in config.models]}


def find_model(config: Config, wanted: str) -> dict[str, Any] | None:
    """Build the entry of one model."""
    return next((_describe(entry) for entry in config.models if entry.model == wanted), None)


def model_id(path: str) -> str | None:
    """Read the model's name out of a path below the model list."""
    for prefix in ("/v1/models/", "/models/"):
        if path.startswith(prefix):
            return unquote(path[len(prefix) :])
    return None


def _describe(entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": entry.model,
        "object": "model",
        "created": _CREATED,
        "owned_by": entry.provider,
        "provider": entry.provider,
        "provider_model": entry.provider_model or entry.model,
    }
