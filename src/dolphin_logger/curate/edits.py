"""Edits: what a person wrote in the place of a recorded message, put into requests and answers.

It knows where each wire language keeps its list of messages and how these hold text, as JSON values;
no words, no labels. Invariants: what was recorded is not changed, a changed copy is given; whatever
stands in a message, an edit of something that is not there changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_LISTS: Final = ("messages", "input", "contents")
_TEXT: Final = frozenset({"text", "input_text", "output_text"})
_HOLDERS: Final = ("content", "parts", "text", "output", "response")


def count_messages(request: Any) -> int:
    """Count the messages of a request; the index of its answer."""
    key = _list_key(request)
    if key is None:
        return 0
    return len(request[key]) if isinstance(request[key], list) else 1


def edit_request(request: Any, index: int, value: Mapping[str, Any]) -> Any:
    """Put a text (`{"text"}`) or parts (`{"parts"}`) in the place of a message's."""
    key = _list_key(request)
    if key is None or index >= count_messages(request):
        return request
    if isinstance(request[key], str):
        return {**request, key: _edited(request[key], value)}
    messages = list(request[key])
    messages[index] = _edited(messages[index], value)
    return {**request, key: messages}


def edit_response(response: Any, value: Mapping[str, Any]) -> Any:
    """Put a text or parts in the place of an answer's: the first, where there are several."""
    if not isinstance(response, dict):
        return response
    for key in ("choices", "candidates"):
        choices = response.get(key)
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            return {**response, key: [_in_choice(choices[0], value), *choices[1:]]}
    for key in ("message", "output"):
        if response.get(key):
            return {**response, key: _edited(response[key], value)}
    return _edited(response, value)


def _list_key(request: Any) -> str | None:
    if isinstance(request, dict):
        for key in _LISTS:
            if isinstance(request.get(key), list | str):
                return key
    return None


def _in_choice(choice: dict[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(choice.get("message"), dict):
        return {**choice, "message": _edited(choice["message"], value)}
    changed: dict[str, Any] = _edited(choice, value)
    return changed


def _edited(found: Any, value: Mapping[str, Any]) -> Any:
    parts = value.get("parts")
    return _with_text(found, str(value.get("text"))) if parts is None else _with_parts(found, parts)


def _with_text(found: Any, text: str) -> Any:
    """Put a text in the place of all text of a value: where the first stood, what is no text stays."""
    if isinstance(found, list):
        return _with_text_in_list(found, text)
    if not isinstance(found, dict):
        return text
    for key in _HOLDERS:
        if found.get(key):
            return {**found, key: _with_text(found[key], text)}
    return {**found, _holder_of(found): text}


def _with_text_in_list(found: list[Any], text: str) -> list[Any]:
    kept: list[Any] = []
    is_said = False
    for part in found:
        if not _holds_text(part):
            kept.append(part)
        elif not is_said:
            kept.append(_with_text(part, text))
            is_said = True
    if is_said:
        return kept
    kind = "output_text" if any("call_id" in part for part in found if "type" in part) else "text"
    return [*kept, {"type": kind, "text": text}]


def _with_parts(found: Any, parts: Any) -> Any:
    if isinstance(found, dict):
        for key in ("content", "parts"):
            if key in found:
                inner = found[key]
                return {**found, key: _with_parts(inner, parts) if _is_content(inner) else parts}
    return parts


def _is_content(value: Any) -> bool:
    return isinstance(value, dict) and "parts" in value


def _holder_of(found: Mapping[str, Any]) -> str:
    return "parts" if "parts" in found else "content"


def _holds_text(part: Any) -> bool:
    if not isinstance(part, dict):
        return isinstance(part, str)
    kind = part.get("type", "message")
    return not part.get("thought") and (kind == "message" or kind in _TEXT)
