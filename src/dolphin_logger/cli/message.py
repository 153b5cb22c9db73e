"""Message: the text of one recorded message, for a person to edit.

It knows where each wire language keeps its list of messages, and how parts hold text.
Invariant: takes whatever was recorded, and says so when there is no text at that index.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.errors import RecordError
from dolphin_logger.journal.reader import StoredRecord, body

_LISTS = ("messages", "input", "contents")
_TEXT = frozenset({"text", "input_text", "output_text"})


def text_of_message(record: StoredRecord, index: int) -> str:
    """Give the text at an index of the list that was sent; behind the last comes the answer.

    Raises:
        RecordError: there is no such message, or it has no text.
    """
    messages = _messages(body(record, "request"))
    if index > len(messages):
        raise RecordError(
            f"record {record.id} has {len(messages)} messages and an answer: no index {index}"
        )
    found = messages[index] if index < len(messages) else _answer(body(record, "response"))
    text = _text_of(found)
    if not text:
        raise RecordError(f"message {index} of {record.id} has no text: give one with --text")
    return text


def _messages(request: Any) -> list[Any]:
    for key in _LISTS:
        given = request.get(key) if isinstance(request, dict) else None
        if isinstance(given, list):
            return given
        if isinstance(given, str):
            return [given]
    return []


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
