"""Errors of the provider, in OpenAI's shape, which chat completions and responses share.

It knows what servers make of that shape and which words clients act upon. Invariant: the provider's
message stays verbatim; a body that has the shape goes out as it came, else all of it stands under
`error.upstream`.

Source: https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from dolphin_logger.proxy.translate.json_text import write_json

_RATE_LIMIT: Final = "rate_limit_exceeded"
_UNKNOWN: Final = "server_error"  # the word of responses for a failure without a better one


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""
    try:
        upstream = orjson.loads(body)
    except orjson.JSONDecodeError:
        upstream = body.decode("utf-8", "replace")
    if _has_shape(upstream):
        return body
    error = _find(upstream)
    otherwise = f"the provider answered with status {status} and no message"
    fields = {
        "message": _message(error, otherwise=otherwise),
        "type": _string(error, "type") or _type_of(status),
        "param": _string(error, "param"),
        "code": _code(error) or (_RATE_LIMIT if status == 429 else None),
    }
    try:
        return write_json({"error": {**fields, "upstream": upstream}})
    except RecursionError:  # JSON that can be read but is too deep to be written
        text = body.decode("utf-8", "replace")
        return write_json({"error": {**fields, "upstream": text}})


def failure(upstream: Any, *, otherwise: str) -> dict[str, Any]:
    """Build the error of a response that failed in the middle."""
    error = _find(upstream)
    code = _code(error) or _UNKNOWN
    return {
        "code": code,
        "message": _message(error, otherwise=otherwise),
        "upstream": upstream,
    }


def _has_shape(upstream: Any) -> bool:
    error = upstream.get("error") if isinstance(upstream, dict) else None
    return (
        isinstance(error, dict)
        and isinstance(error.get("message"), str)
        and isinstance(error.get("type"), str)
        and isinstance(error.get("code"), str | None)
    )


def _find(upstream: Any) -> Any:
    """Find the error: in a list of one (Google), under `error`, `detail`, or at the top (vLLM)."""
    if isinstance(upstream, list) and upstream:
        upstream = upstream[0]
    if not isinstance(upstream, dict):
        return upstream
    return upstream.get("error") or upstream.get("detail") or upstream


def _message(error: Any, *, otherwise: str) -> str:
    found = error.get("message") if isinstance(error, dict) else error
    return found if isinstance(found, str) and found.strip() else otherwise


def _code(error: Any) -> str | None:
    """Find a word for what went wrong; numbers are HTTP statuses."""
    if not isinstance(error, dict):
        return None
    code = error.get("code")
    if code in (429, "429"):
        return _RATE_LIMIT
    if isinstance(code, str) and code:
        return code
    return None


def _string(error: Any, key: str) -> str | None:
    found = error.get(key) if isinstance(error, dict) else None
    return found if isinstance(found, str) and found else None


def _type_of(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if 400 <= status < 500 else "api_error"
