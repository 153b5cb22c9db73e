"""Errors of providers, whatever they look like: where the error stands, its message, its status.

It knows what servers make of OpenAI's, Anthropic's and Google's shapes, and not how a client's language
writes an error. Invariant: a message is the provider's own, verbatim, or says that there was none.

Sources: https://platform.openai.com/docs/guides/error-codes, https://platform.claude.com/docs/en/api/errors,
https://ai.google.dev/gemini-api/docs/troubleshooting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

import orjson

from dolphin_logger.errors import ProviderError

_PLACES: Final = ("message", "msg", "detail", "error")  # of a message, from one server to the next
_STATUSES: Final = ("code", "status_code", "status", "type")
# What errors in the middle of a stream are called, where they name no status.
_NAMED: Final = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "api_error": 500,
    "overloaded_error": 503,
}
NO_MESSAGE: Final = "the provider reported an error without a message"
_LONGEST_TEXT: Final = 1000  # characters of a message; longer ones are pages


def translate_fault(status: int, body: bytes, *, write: Callable[[Any, str], bytes]) -> bytes:
    """Translate the body of an error answer, whatever it is.

    `write` takes what the provider sent, and the message when that holds none.
    """
    try:
        upstream = orjson.loads(body)
    except orjson.JSONDecodeError:
        upstream = body.decode("utf-8", "replace")
    otherwise = f"the provider answered with status {status} and no message"
    try:
        return write(upstream, otherwise)
    except RecursionError:  # JSON that can be read but is too deep to be written
        return write(body.decode("utf-8", "replace"), otherwise)


def check_reported(native: Mapping[str, Any]) -> None:
    """Raise what a provider reports in the place of an answer, under a status that says it went well.

    Raises:
        ProviderError: its message, with the status that it stands for, or 502.
    """
    if native.get("error"):
        error = find_error(native)
        message = find_message(error, otherwise=NO_MESSAGE)
        raise ProviderError(message, status=find_status(error, otherwise=502), kind="stream_error")


def find_error(upstream: Any) -> Any:
    """Find what describes the error: under `error` or `detail`, in a list of one, or the whole of it."""
    if isinstance(upstream, list) and upstream:
        return find_error(upstream[0])
    if not isinstance(upstream, dict):
        return upstream
    found = upstream.get("error") or upstream.get("detail")
    if isinstance(found, list) and found:
        found = found[0]
    return found or upstream


def find_message(error: Any, *, otherwise: str) -> str:
    """Find the message of an error; a text that is a page is none."""
    if not isinstance(error, dict):
        return error if _is_text(error) and _is_plain(error) else otherwise
    found = (error.get(key) for key in _PLACES)
    return next((text for text in found if _is_text(text)), otherwise)


def find_status(error: Any, *, otherwise: int) -> int:
    """Find the HTTP status that an error in the middle of a stream stands for."""
    for key in _STATUSES if isinstance(error, dict) else ():
        value = error.get(key)
        if type(value) is int and 400 <= value <= 599:
            return value
        if isinstance(value, str) and value in _NAMED:
            return _NAMED[value]
    return otherwise


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _is_plain(text: str) -> bool:
    """Say whether a body is a sentence: no page, no JSON that was too deep, no bytes of another kind."""
    return len(text) <= _LONGEST_TEXT and text.lstrip()[0] not in "<{[" and "\ufffd" not in text
