"""Errors of the provider, in Google's shape.

It knows the shapes of both. Invariant: the provider's message stays verbatim, and all that it sent
stands under `error.upstream`, where Google's SDKs keep it among the details.

Sources: https://ai.google.dev/gemini-api/docs/troubleshooting,
https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate.json_text import read_object, write_json

# What errors in the middle of a stream are called, where they name no status. Without an entry: 502.
_STATUSES: Final = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "overloaded_error": 503,
}


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""
    try:
        upstream = orjson.loads(body)
    except orjson.JSONDecodeError:
        upstream = body.decode("utf-8", "replace")
    otherwise = f"the provider answered with status {status} and no message"
    try:
        return write_error(upstream, status=status, otherwise=otherwise)[1]
    except RecursionError:  # JSON that can be read but is too deep to be written
        text = body.decode("utf-8", "replace")
        return write_error(text, status=status, otherwise=otherwise)[1]


def status_of(upstream: Any) -> int:
    """Find the status that an error in the middle of a stream stands for."""
    error = _error_of(upstream)
    for key in ("code", "status", "type"):
        value = error.get(key) if isinstance(error, dict) else None
        if type(value) is int and 400 <= value <= 599:
            return value
        if isinstance(value, str) and value in _STATUSES:
            return _STATUSES[value]
    return 502


def write_error(upstream: Any, *, status: int, otherwise: str) -> tuple[str, bytes]:
    """Write Google's error; return its message, too. `otherwise` is that when there is none."""
    error = _error_of(upstream)
    found = error.get("message") if isinstance(error, dict) else error
    message = found if isinstance(found, str) and found else otherwise
    body = DIALECTS["gemini"].error_body(message, status=status, param=None, code=None)
    fault = read_object(body)
    assert fault is not None
    fault["error"]["upstream"] = upstream
    return message, write_json(fault)


def _error_of(upstream: Any) -> Any:
    """Find the error proper: under `error`, or the whole of what some servers send without it."""
    if not isinstance(upstream, dict):
        return None
    error = upstream.get("error")
    return upstream if error is None else error
