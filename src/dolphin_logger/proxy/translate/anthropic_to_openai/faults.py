"""Errors of the provider, in Anthropic's shape.

It knows how servers of chat completions word their errors, and which types Anthropic has. Invariant:
the provider's message stays verbatim, and all that it sent stands under `error.upstream`.

Sources: https://platform.claude.com/docs/en/api/errors,
https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate.json_text import write_json

# What clients of this language act upon; others they would not know.
_TYPES: Final = frozenset(
    (
        *("invalid_request_error", "authentication_error", "billing_error", "permission_error"),
        *("not_found_error", "conflict_error", "request_too_large", "rate_limit_error"),
        *("api_error", "timeout_error", "overloaded_error"),
    )
)
_PLACES: Final = ("message", "detail", "error")  # of a message, from one server to the next
_STATUSES: Final = ("code", "status_code", "status")


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""
    try:
        upstream = orjson.loads(body)
    except orjson.JSONDecodeError:
        upstream = body.decode("utf-8", "replace")
    otherwise = f"the provider answered with status {status} and no message"
    try:
        return write_json(error_object(upstream, status=status, otherwise=otherwise))
    except RecursionError:  # JSON that can be read but is too deep to be written
        text = body.decode("utf-8", "replace")
        return write_json(error_object(text, status=status, otherwise=otherwise))


def error_object(upstream: Any, *, status: int | None, otherwise: str) -> dict[str, Any]:
    """Build Anthropic's error from a provider's.

    `status` is None in the middle of a stream: then the error itself says what it is. `otherwise` is
    the message when it holds none.
    """
    error = _find_error(upstream)
    message = next((error[key] for key in _PLACES if _is_text(error.get(key))), otherwise)
    kind = error.get("type")
    if status is not None or kind not in _TYPES:
        kind = _type_of(_find_status(error) if status is None else status)
    return {"type": "error", "error": {"type": kind, "message": message, "upstream": upstream}}


def _find_error(upstream: Any) -> Mapping[str, Any]:
    """Find the object that describes the error; Google puts it into a list."""
    if isinstance(upstream, list) and upstream:
        upstream = upstream[0]
    if not isinstance(upstream, dict):
        return {}
    inner = upstream.get("error")
    return inner if isinstance(inner, dict) else upstream


def _find_status(error: Mapping[str, Any]) -> int:
    for key in _STATUSES:
        value = error.get(key)
        if type(value) is int and 400 <= value <= 599:
            return value
    return 500


def _type_of(status: int) -> Any:
    body = DIALECTS["anthropic.messages"].error_body("", status=status, param=None, code=None)
    return orjson.loads(body)["error"]["type"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
