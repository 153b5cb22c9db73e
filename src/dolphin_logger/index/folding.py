"""Folding: text as the full-text index is given it, and the words of a query in the same form.

SQLite's tokenizer splits at what is no letter and no digit, so text without spaces (Chinese,
Japanese, Korean) would be one word. Here each run of it becomes its pairs of characters, and the
last one alone: any two or more characters are then found as a phrase, and one as a beginning.
Invariant: pure; what matches is decided by these functions alone, the same for texts and queries.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_WORD: Final = 64  # characters; longer ones (base64, hashes) are found by their beginning
MOST_TEXT: Final = 1_000_000  # characters of one message that are searched
_CJK: Final = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3040-\u30ff\u3105-\u312f\u3130-\u318f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_RUN: Final = re.compile(f"[{_CJK}]+")
_LONG: Final = re.compile(rf"\b(\w{{{LONGEST_WORD}}})\w+")
_SURROGATE: Final = re.compile("[\ud800-\udfff\x00]")


def fold(text: str) -> str:
    """Give a text as it is indexed."""
    text = text[:MOST_TEXT]
    return fold_words(text) if text.isascii() else _RUN.sub(_pairs, fold_words(text))


def fold_words(text: str) -> str:
    """Cut words that are too long, and take out what no database takes."""
    text = text.replace("\x00", " ") if text.isascii() else _SURROGATE.sub(" ", text)
    if max(map(len, text.split()), default=0) <= LONGEST_WORD:  # a search for long words costs more
        return text
    return _LONG.sub(r"\1", text)


def phrase(text: str, *, begins: bool = False) -> str | None:
    """Write words in a row as a phrase of the query language of FTS5; None when there is no word in it.

    `begins`: the last word need only begin so.
    """
    folded = fold_words(text)
    words: list[str] = []
    end = 0
    for run in _RUN.finditer(folded):
        words += _words(folded[end : run.start()])
        characters = run[0]
        if len(characters) == 1:
            words.append(characters)
            begins = begins or run.end() == len(folded)
        else:
            words += [characters[i : i + 2] for i in range(len(characters) - 1)]
        end = run.end()
    words += _words(folded[end:])
    if not words:
        return None
    quoted = '"' + " ".join(words) + '"'
    return f"{quoted} *" if begins else quoted


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def _pairs(run: re.Match[str]) -> str:
    text = run[0]
    return " " + " ".join([text[i : i + 2] for i in range(len(text))]) + " "
