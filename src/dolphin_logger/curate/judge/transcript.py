"""Transcript: an example as a text that a model can rate.

It knows chat form. What is long is left out in its middle, and the text says so: results of tools
first, then the conversation as a whole. Invariant: the same example gives the same text, and a
message cannot end before its own end: what looks like a mark in it is bent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from dolphin_logger.curate.said import calls_of, text_of
from dolphin_logger.example import Chat, Example

_LONGEST: Final = 120_000  # characters, about 30,000 tokens
_LONGEST_RESULT: Final = 4_000
_LONGEST_INSTRUCTIONS: Final = 4_000
_MARKS: Final = ("<message", "</message", "</conversation")


def transcript_of(example: Example) -> str:
    """Write an example between `<conversation>` marks, each message between its own."""
    body = "\n".join(_messages(example))
    return f"<conversation>\n{_shorten(body, _LONGEST)}\n</conversation>"


def _messages(example: Example) -> Iterator[str]:
    limits = {"tool": _LONGEST_RESULT, "system": _LONGEST_INSTRUCTIONS}
    for chat in example.messages:
        role = str(chat.get("role"))
        text = _bend("\n".join(_parts(chat)))
        yield f'<message role="{role}">\n{_shorten(text, limits.get(role, _LONGEST))}\n</message>'


def _parts(chat: Chat) -> Iterator[str]:
    if text := text_of(chat):
        yield text
    content = chat.get("content")
    pictures = (
        sum(part.get("type") == "image" for part in content) if isinstance(content, list) else 0
    )
    yield from ["[a picture]"] * pictures
    for call in calls_of(chat):
        function = call.get("function") or {}
        yield f"[calls {function.get('name')}] {orjson.dumps(function.get('arguments')).decode()}"


def _bend(text: str) -> str:
    for mark in _MARKS:
        text = text.replace(mark, mark.replace("<", "<\u200b"))
    return text


def _shorten(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"
