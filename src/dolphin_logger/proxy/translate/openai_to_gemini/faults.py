"""Errors of the provider, in OpenAI's shape.

It knows Google's statuses and which words clients act upon. Invariant: the provider's message stays
verbatim, and all that it sent stands under `error.upstream`.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting.
"""

from __future__ import annotations

import re
from typing import Any, Final

from dolphin_logger.proxy.translate.faults import find_error, find_message, translate_fault
from dolphin_logger.proxy.translate.json_text import write_json

# Google's status: OpenAI's type and code. Without an entry: api_error, and their status as code.
_FAULTS: Final[dict[str, tuple[str, str | None]]] = {
    "INVALID_ARGUMENT": ("invalid_request_error", None),
    "FAILED_PRECONDITION": ("invalid_request_error", "failed_precondition"),
    "OUT_OF_RANGE": ("invalid_request_error", None),
    "UNAUTHENTICATED": ("invalid_request_error", "invalid_api_key"),
    "PERMISSION_DENIED": ("invalid_request_error", "permission_denied"),
    "NOT_FOUND": ("invalid_request_error", "not_found"),
    "ALREADY_EXISTS": ("invalid_request_error", "conflict"),
    "ABORTED": ("invalid_request_error", "conflict"),
    "RESOURCE_EXHAUSTED": ("rate_limit_error", "rate_limit_exceeded"),
    "INTERNAL": ("api_error", None),
    "UNKNOWN": ("api_error", None),
}
_BY_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_NO_CREDIT: Final = 402
_TOO_LONG: Final = re.compile(r"input token count.*exceeds|exceeds the maximum number of tokens")
_A_MODEL: Final = re.compile(r"\bmodels?/")
_BAD_KEY: Final = "API_KEY_INVALID"


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""

    def write(upstream: Any, otherwise: str) -> bytes:
        return write_json(error_object(upstream, status=status, otherwise=otherwise))

    return translate_fault(status, body, write=write)


def error_object(upstream: Any, *, status: int, otherwise: str) -> dict[str, Any]:
    """Build OpenAI's error from a provider's.

    `status` tells the kind when it names none, `otherwise` is the message when it holds none.
    """
    error = find_error(upstream)
    message = find_message(error, otherwise=otherwise)
    type_, code = _classify(error if isinstance(error, dict) else {}, message, status=status)
    fields = {"message": message, "type": type_, "param": None, "code": code}
    return {"error": {**fields, "upstream": upstream}}


def _classify(error: dict[str, Any], message: str, *, status: int) -> tuple[str, str | None]:
    kind = error.get("status", error.get("type"))
    if not isinstance(kind, str) or not kind:
        code = error.get("code")
        kind = _BY_STATUS.get(code if type(code) is int else status, "INTERNAL")
    if status == _NO_CREDIT:
        return "insufficient_quota", "insufficient_quota"
    if kind == "INVALID_ARGUMENT" and _has_reason(error, _BAD_KEY):
        kind = "UNAUTHENTICATED"
    type_, code = _FAULTS.get(kind, ("api_error", kind.lower()))
    if kind == "INVALID_ARGUMENT" and _TOO_LONG.search(message):
        code = "context_length_exceeded"
    if kind == "NOT_FOUND" and _A_MODEL.search(message):
        code = "model_not_found"
    return type_, code


def _has_reason(error: dict[str, Any], reason: str) -> bool:
    details = error.get("details")
    return isinstance(details, list) and any(
        isinstance(detail, dict) and detail.get("reason") == reason for detail in details
    )
