"""Sent: one message of a body as the client sent it, by its index, as text.

It knows where each wire language keeps its list of messages, and how parts hold text, as JSON values.
Invariant: takes whatever was recorded; where there is no text at an index it gives none.
"""

from __future__ import annotations

from typing import Any, Final

_LISTS: Final = ("messages", "input", "contents")
_TEXT: Final = frozenset({"text", "input_text", "output_text"})


def messages_sent(request: Any) -> list[Any]:
    """Give the list of messages of a request."""
    for key in _LISTS:
        given = request.get(key) if isinstance(request, dict) else None
        if isinstance(given, list):
            return given
        if isinstance(given, str):
            return [given]
    return []


def text_sent(request: Any, response: Any, index: int) -> str:
    """Give the text at an index of the list that was sent; behind the last comes the answer."""
    messages = messages_sent(request)
    if index > len(messages):
        return ""
    return _text_of(messages[index] if index < len(messages) else _answer(response))


def _answer(response: Any) -> Any:
    """Find the first choice of an answer in any of the wire languages."""
    if not isinstance(response, dict):
        return None
    for key in ("choices", "candidates"):
        choices = response.get(key)
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            return choices[0].get("message", choices[0])
    return response.get("output", response.get("message", response))


def _text_of(found: Any) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, list):
        return "".join(map(_text_of, found))
    if not isinstance(found, dict) or not _holds_text(found):
        return ""
    for key in ("content", "parts", "text"):
        if found.get(key):
            return _text_of(found[key])
    return ""


def _holds_text(part: dict[str, Any]) -> bool:
    kind = part.get("type", "message")
    return not part.get("thought") and (kind == "message" or kind in _TEXT)
