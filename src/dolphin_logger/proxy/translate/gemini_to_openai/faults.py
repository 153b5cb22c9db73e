"""Errors of the provider, in Google's shape.

It knows Google's shape. Invariant: the provider's message stays verbatim, and all that it sent
stands under `error.upstream`, where Google's SDKs keep it among the details.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate.faults import (
    find_error,
    find_message,
    find_status,
    translate_fault,
)
from dolphin_logger.proxy.translate.json_text import read_object, write_json

_BAD_GATEWAY: Final = 502  # what an error without a status is


def translate_error(status: int, *, body: bytes) -> bytes:
    """Translate the body of an error answer, whatever it is."""

    def write(upstream: Any, otherwise: str) -> bytes:
        return write_error(upstream, status=status, otherwise=otherwise)[1]

    return translate_fault(status, body, write=write)


def status_of(upstream: Any) -> int:
    """Find the status that an error in the middle of a stream stands for."""
    return find_status(find_error(upstream), otherwise=_BAD_GATEWAY)


def write_error(upstream: Any, *, status: int, otherwise: str) -> tuple[str, bytes]:
    """Write Google's error; return its message, too. `otherwise` is that when there is none."""
    message = find_message(find_error(upstream), otherwise=otherwise)
    body = DIALECTS["gemini"].error_body(message, status=status, param=None, code=None)
    fault = read_object(body)
    assert fault is not None
    fault["error"]["upstream"] = upstream
    return message, write_json(fault)
