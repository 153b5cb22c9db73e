"""JSON between two languages: events read, values written, the arguments of tool calls.

It knows no language's shapes. Invariant: what can be read is written again with the same value, also
what orjson refuses: lone surrogates, integers beyond 64 bits.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from dolphin_logger.proxy.translate.losses import refusal


def read_object(data: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None when it is none."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:  # a lone surrogate, or no JSON
        try:
            value = json.loads(data.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def write_json(value: Any) -> bytes:
    """Write compact JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def mend_text(value: Any) -> Any:
    """Write U+FFFD in the place of half characters, which UTF-8 cannot say; the same value without any.

    Programs that cut texts of UTF-16 leave such halves, and there are vendors' clients that send none.
    """
    try:
        orjson.dumps(value)
    except TypeError:
        text = json.dumps(value, ensure_ascii=False)
        mended = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value if mended == text else json.loads(mended)
    return value


def write_arguments(value: Any) -> str:
    """Write the input of a tool as the model does; what was no JSON is a string already."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def parse_arguments(text: Any, *, of: str, at: str) -> dict[str, Any]:
    """Read the arguments of the call `of`; what is no JSON object would have to be made up.

    Raises:
        RequestError: 400, they are no JSON object; `at` is their place in the request.
    """
    if text is None or (isinstance(text, str) and not text.strip()):
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse_constant) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        raise refusal(
            f"{at}: the arguments of call {of!r} are no JSON: {error}", param=at
        ) from error
    if not isinstance(value, dict):
        raise refusal(f"{at}: the arguments of call {of!r} must be a JSON object", param=at)
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
