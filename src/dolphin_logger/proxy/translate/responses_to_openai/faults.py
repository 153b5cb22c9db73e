"""Errors of the provider, in OpenAI's shape, which chat completions and responses share.

It knows which words clients act upon. Invariant: the provider's
message stays verbatim; a body that has the shape goes out as it came, else all of it stands under
`error.upstream`.

Source: https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate.faults import find_error, find_message, translate_fault
from dolphin_logger.proxy.translate.json_text import write_json

_RATE_LIMIT: Final = "rate_limit_exceeded"
_UNKNOWN: Final = "server_error"  # the word of responses for a failure without a better one


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""

    def write(upstream: Any, otherwise: str) -> bytes:
        if _has_shape(upstream):
            return body
        error = find_error(upstream)
        fields = {
            "message": find_message(error, otherwise=otherwise),
            "type": _string(error, "type") or _type_of(status),
            "param": _string(error, "param"),
            "code": _code(error) or (_RATE_LIMIT if status == 429 else None),
        }
        return write_json({"error": {**fields, "upstream": upstream}})

    return translate_fault(status, body, write=write)


def failure(upstream: Any, *, otherwise: str) -> dict[str, Any]:
    """Build the error of a response that failed in the middle."""
    error = find_error(upstream)
    message = find_message(error, otherwise=otherwise)
    return {"code": _code(error) or _UNKNOWN, "message": message, "upstream": upstream}


def _has_shape(upstream: Any) -> bool:
    error = upstream.get("error") if isinstance(upstream, dict) else None
    return (
        isinstance(error, dict)
        and isinstance(error.get("message"), str)
        and isinstance(error.get("type"), str)
        and isinstance(error.get("code"), str | None)
    )


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
