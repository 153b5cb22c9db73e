"""Errors in the shape that all of OpenAI's surfaces share.

Source: https://platform.openai.com/docs/guides/error-codes/api-errors.
"""

from __future__ import annotations

from dolphin_logger.dialects._reading import to_json


def build_error(message: str, *, status: int, param: str | None, code: str | None) -> bytes:
    """Build the JSON body `{"error": {message, type, param, code}}`."""
    error = {"message": message, "type": error_type(status), "param": param, "code": code}
    return to_json({"error": error})


def build_error_event(message: str, *, status: int, code: str | None) -> bytes:
    """Build an event that OpenAI's SDKs raise as an error; no `[DONE]` follows it."""
    return b"data: " + build_error(message, status=status, param=None, code=code) + b"\n\n"


def error_type(status: int) -> str:
    """Choose OpenAI's `type` for an HTTP status."""
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if 400 <= status < 500 else "api_error"
