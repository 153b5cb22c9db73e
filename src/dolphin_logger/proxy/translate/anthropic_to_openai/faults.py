"""Errors of the provider, in Anthropic's shape.

It knows which types Anthropic has. Invariant: the provider's message stays verbatim, and all that it
sent stands under `error.upstream`.

Source: https://platform.claude.com/docs/en/api/errors.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate.faults import (
    find_error,
    find_message,
    find_status,
    translate_fault,
)
from dolphin_logger.proxy.translate.json_text import write_json

# What clients of this language act upon; others they would not know.
_TYPES: Final = frozenset(
    (
        *("invalid_request_error", "authentication_error", "billing_error", "permission_error"),
        *("not_found_error", "conflict_error", "request_too_large", "rate_limit_error"),
        *("api_error", "timeout_error", "overloaded_error"),
    )
)


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""

    def write(upstream: Any, otherwise: str) -> bytes:
        return write_json(error_object(upstream, status=status, otherwise=otherwise))

    return translate_fault(status, body, write=write)


def error_object(upstream: Any, *, status: int | None, otherwise: str) -> dict[str, Any]:
    """Build Anthropic's error from a provider's.

    `status` is None in the middle of a stream: then the error itself says what it is. `otherwise` is
    the message when it holds none.
    """
    error = find_error(upstream)
    message = find_message(error, otherwise=otherwise)
    kind = error.get("type") if isinstance(error, dict) else None
    if status is not None or kind not in _TYPES:
        kind = _type_of(find_status(error, otherwise=500) if status is None else status)
    return {"type": "error", "error": {"type": kind, "message": message, "upstream": upstream}}


def _type_of(status: int) -> Any:
    body = DIALECTS["anthropic.messages"].error_body("", status=status, param=None, code=None)
    return orjson.loads(body)["error"]["type"]
