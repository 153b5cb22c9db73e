"""Snippets: the place in a message's text where a query's words are, and some text around.

Pure. It looks for words as a person would see them, without accents and upper case; where it finds
none (a word was cut, or is beyond what is shown), the text's beginning stands. Text comes out as it
was recorded: whoever shows it has to make it harmless.
Invariant: at most LONGEST characters, on one line; the spans lie within.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dolphin_logger.index.query import Words

LONGEST: Final = 200
_BEFORE: Final = 60
_MOST_SPANS: Final = 20


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of text and the spans (start, end) of it that were looked for."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()


def snippet(texts: Iterable[str], words: Iterable[Words]) -> Snippet:
    """Show the first place where one of the words is."""
    patterns = [_pattern(one) for one in words]
    first = ""
    for text in texts:
        first = first or text
        folded = _plain(text)
        found = [match.start() for pattern in patterns if (match := pattern.search(folded))]
        if found:
            return _around(text, min(found), patterns)
    return _around(first, 0, [])


def _around(text: str, place: int, patterns: list[re.Pattern[str]]) -> Snippet:
    start = max(0, place - _BEFORE)
    cut = " ".join(text[start : start + 4 * LONGEST].split())
    head = "…" if start else ""
    room = LONGEST - len(head) - 1
    tail = "…" if len(cut) > room or start + 4 * LONGEST < len(text) else ""
    shown = f"{head}{cut[:room]}{tail}"
    folded = _plain(shown)
    spans = [match.span() for pattern in patterns for match in pattern.finditer(folded)]
    return Snippet(shown, tuple(sorted(set(spans))[:_MOST_SPANS]))


def _pattern(words: Words) -> re.Pattern[str]:
    parts = [re.escape(word) for word in re.findall(r"[^\W_]+", _plain(words.text))]
    written = r"[\W_]+".join(parts)
    latin = written and ord(parts[0][0]) < 0x1100
    begin = r"(?<![^\W_])" if latin else ""
    end = r"(?![^\W_])" if latin and not words.begins else ""
    return re.compile(f"{begin}{written}{end}")


def _plain(text: str) -> str:
    """Take off case and accents, character by character, so that places stay the same."""
    if text.isascii():
        return text.lower()
    return "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[:1].lower()
    return base if len(base) == 1 else character
