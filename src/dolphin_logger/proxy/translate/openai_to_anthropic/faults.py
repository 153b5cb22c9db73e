"""Errors of the provider, in OpenAI's shape.

It knows both shapes and which words clients act upon. Invariant: the provider's message stays
verbatim, and all that it sent stands under `error.upstream`.

Sources: https://platform.claude.com/docs/en/api/errors,
https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from dolphin_logger.proxy.translate.json_text import write_json

# Anthropic's type: OpenAI's type and code. Without an entry: api_error, and their type as code.
_FAULTS: Final[dict[str, tuple[str, str | None]]] = {
    "invalid_request_error": ("invalid_request_error", None),
    "authentication_error": ("invalid_request_error", "invalid_api_key"),
    "billing_error": ("insufficient_quota", "insufficient_quota"),
    "permission_error": ("invalid_request_error", "permission_denied"),
    "not_found_error": ("invalid_request_error", "not_found"),
    "conflict_error": ("invalid_request_error", "conflict"),
    "request_too_large": ("invalid_request_error", "request_too_large"),
    "rate_limit_error": ("rate_limit_error", "rate_limit_exceeded"),
    "api_error": ("api_error", None),
}
_TYPES_BY_STATUS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_TOO_LONG: Final = "prompt is too long"  # agents shorten their history at OpenAI's code for this


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""
    try:
        upstream = orjson.loads(body)
    except orjson.JSONDecodeError:
        upstream = body.decode("utf-8", "replace")
    kind = _TYPES_BY_STATUS.get(status, "api_error")
    otherwise = f"the provider answered with status {status} and no message"
    try:
        return write_json(error_object(upstream, kind=kind, otherwise=otherwise))
    except RecursionError:  # JSON that can be read but is too deep to be written
        text = body.decode("utf-8", "replace")
        return write_json(error_object(text, kind=kind, otherwise=otherwise))


def error_object(upstream: Any, *, kind: str, otherwise: str) -> dict[str, Any]:
    """Build OpenAI's error from a provider's.

    `kind` is Anthropic's type when it names none, `otherwise` the message when it holds none.
    """
    error = upstream.get("error") if isinstance(upstream, dict) else None
    named = error.get("type") if isinstance(error, dict) else None
    kind = named if isinstance(named, str) and named else kind
    found = error.get("message") if isinstance(error, dict) else error
    message = found if isinstance(found, str) and found else otherwise
    type_, code = _FAULTS.get(kind, ("api_error", kind))
    if kind == "not_found_error" and message.startswith("model:"):
        code = "model_not_found"
    if kind == "invalid_request_error" and message.startswith(_TOO_LONG):
        code = "context_length_exceeded"
    fields = {"message": message, "type": type_, "param": None, "code": code}
    return {"error": {**fields, "upstream": upstream}}
