"""Where numbers stand that could be somebody's: one cheap pass that several redactors share.

It finds runs of seven or more digits with the separators that people write, dotted quads and
IPv6 addresses; what they are is for the redactors to say. Knows no kinds. Invariant: linear time,
one pass per text however many redactors ask.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from dolphin_logger.redactors._linear import Characters, Pattern, encode
from dolphin_logger.redactors.glance import NUMBER, QUAD, SEPARATORS, SIX, glance

_LONG: Final = rf"\d(?:{SEPARATORS}\d){{6,}}"
_BEFORE: Final = 48
_NOT_DIGITS: Final = re.compile(r"[^0-9]+")


@lru_cache(maxsize=2)
def numbers(text: str) -> tuple[tuple[int, int], ...]:
    """Give the spans, in characters, in order, none touching another."""
    if NUMBER not in glance(text):
        return ()
    data = encode(text)
    characters = Characters(text, data)
    return tuple(characters.span(start, end) for start, end in _pattern().spans(data))


def digits(text: str) -> str:
    """Leave nothing but the digits."""
    return _NOT_DIGITS.sub("", text)


def is_said(words: re.Pattern[str], text: str, start: int, key: str | None) -> bool:
    """Say whether the name of the value, or what stands shortly before it, says what it is."""
    return (key is not None and words.search(key) is not None) or is_called(
        text, start, words=words
    )


def is_called(text: str, start: int, *, words: re.Pattern[str]) -> bool:
    """Say whether what stands before it says what it is."""
    return words.search(text, max(0, start - _BEFORE), start) is not None


def is_free(text: str, start: int, end: int) -> bool:
    """Say whether neither letters nor digits touch the span: it is no part of an id or a digest."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isalnum() or before == "_" or after.isalnum() or after == "_")


@cache
def _pattern() -> Pattern:
    return Pattern(f"{_LONG}|{QUAD}|{SIX}")
