"""Errors of the provider, in OpenAI's shape.

It knows Anthropic's types and which words clients act upon. Invariant: the provider's message stays
verbatim, and all that it sent stands under `error.upstream`.

Source: https://platform.claude.com/docs/en/api/errors.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate.faults import find_error, find_message, translate_fault
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
    kind = _TYPES_BY_STATUS.get(status, "api_error")

    def write(upstream: Any, otherwise: str) -> bytes:
        return write_json(error_object(upstream, kind=kind, otherwise=otherwise))

    return translate_fault(status, body, write=write)


def error_object(upstream: Any, *, kind: str, otherwise: str) -> dict[str, Any]:
    """Build OpenAI's error from a provider's.

    `kind` is Anthropic's type when it names none, `otherwise` the message when it holds none.
    """
    error = find_error(upstream)
    named = error.get("type") if isinstance(error, dict) else None
    kind = named if isinstance(named, str) and named else kind
    message = find_message(error, otherwise=otherwise)
    type_, code = _FAULTS.get(kind, ("api_error", kind))
    if kind == "not_found_error" and message.startswith("model:"):
        code = "model_not_found"
    if kind == "invalid_request_error" and message.startswith(_TOO_LONG):
        code = "context_length_exceeded"
    fields = {"message": message, "type": type_, "param": None, "code": code}
    return {"error": {**fields, "upstream": upstream}}
