"""Language: conversations in languages that nobody wants.

The script decides where only one language of those known has it; else the little words that every
text of a language has (`_languages`). It was written for conversations, which are long: two lines
are often not enough, and are then of no known language. Code, links and quoted names are left out.
Invariant: the language is that of most of what people and the model wrote, or unknown, never a guess.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar, Final

from dolphin_logger.curate.filters._languages import LETTERS, RANGES, SCRIPTS, WORDS
from dolphin_logger.curate.filters._limits import check_word
from dolphin_logger.curate.said import APOSTROPHES, text_of, without_code
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example

KNOWN: Final = tuple(sorted({*WORDS, *(name for names in SCRIPTS.values() for name in names)}))
_UNKNOWN: Final = ("keep", "drop")
_ENOUGH: Final = 20_000  # characters that are looked at
_QUOTED: Final = re.compile(r"`[^`\n]*`|<[^<>\n]{1,200}>")  # code in a line, tags
_ASCII: Final = re.compile(r"[!-~]+")
_NO_WORD: Final = re.compile(r"[\\/@_]|\w\.\w")  # paths, addresses, links, names of functions
_WORD: Final = re.compile(
    r"[^\W\d_\u0900-\u0dff]+(?:'[^\W\d_]+)?|[\u0900-\u0dff]+"
)  # Indic vowels are marks
_FEWEST_LETTERS: Final = 12
_FEWEST_HITS: Final = 3
_SMALLEST_SHARE: Final = 0.12  # of words that are little words of the language
_LEAD: Final = 1.5  # over the next best, in what only one of them has


@dataclass(frozen=True, slots=True)
class Settings:
    """`languages`: ISO 639-1 codes, empty: any; `unknown`: `keep` or `drop` what is too short to tell."""

    languages: tuple[str, ...] = ()
    unknown: str = "keep"


@dataclass(frozen=True, slots=True)
class Language:
    """Refuses conversations in other languages."""

    settings: Settings
    name: ClassVar[str] = "language"

    def reason(self, example: Example) -> str | None:
        """Name the language, if it is none of those wanted."""
        chats = [chat for chat in example.messages if chat.get("role") in ("user", "assistant")]
        language = language_of(map(text_of, chats))
        wanted = ", ".join(self.settings.languages)
        if language is None:
            return f"unknown language, wanted {wanted}" if self.settings.unknown == "drop" else None
        return (
            None if language in self.settings.languages else f"language {language}, wanted {wanted}"
        )


def make(settings: Settings) -> Language | None:
    """Make the filter; None when every language is welcome.

    Raises:
        DatasetError: a language is not one of those that can be told.
    """
    check_word(Language.name, "unknown", settings.unknown, known=_UNKNOWN)
    for language in settings.languages:
        if language not in KNOWN:
            raise DatasetError(
                f"filters.language: unknown language {language!r}; known: {', '.join(KNOWN)}"
            )
    return Language(settings) if settings.languages else None


def language_of(texts: Iterable[str]) -> str | None:
    """Name the language of most of what is written in texts; None when it cannot be told."""
    prose: list[str] = []
    left = _ENOUGH
    for text in texts:
        plain = _QUOTED.sub(" ", without_code(text[:left]))
        prose.append(_ASCII.sub(lambda run: " " if _NO_WORD.search(run[0]) else run[0], plain))
        left -= len(text)
        if left <= 0:
            break
    written = "\n".join(prose)
    counts: Counter[str] = Counter()
    for sign, count in Counter(written).items():
        counts[_script(sign)] += count
    counts.pop("", None)
    if counts["kana"]:  # Japanese: as much of it is Han as not
        counts["kana"] += counts["han"] if counts["kana"] * 10 > counts["han"] else 0
    script, letters = max(counts.items(), key=lambda item: item[1], default=("", 0))
    if letters < _FEWEST_LETTERS:
        # four characters of Han say as much as twelve letters
        return "zh" if script == "han" and letters * 3 >= _FEWEST_LETTERS else None
    names = SCRIPTS[script]
    return names[0] if len(names) == 1 else _by_words(written.casefold(), names)


def _by_words(written: str, names: tuple[str, ...]) -> str | None:
    """Choose among languages by their little words, and by letters that the others do not have."""
    words = Counter(_WORD.findall(written.translate(APOSTROPHES)))
    owners = _owners()
    scores: Counter[str] = Counter()
    for word, count in words.items():
        for name in owners.get(word, ()):
            scores[name] += count
    letters = {name: sum(map(written.count, LETTERS.get(name, ""))) for name in names}
    ranked = sorted(names, key=lambda name: (-scores[name] - letters[name], name))
    best, second = ranked[:2]
    own = {best: letters[best], second: letters[second]}
    for word, count in words.items():
        if len(whose := own.keys() & owners.get(word, frozenset())) == 1:
            own[whose.pop()] += count
    enough = max(_FEWEST_HITS, _SMALLEST_SHARE * words.total())
    is_sure = scores[best] + letters[best] >= enough and own[best] > _LEAD * own[second]
    return best if is_sure else None


@cache
def _owners() -> dict[str, frozenset[str]]:
    owners: dict[str, set[str]] = {}
    for name, words in WORDS.items():
        for word in words.split():
            owners.setdefault(word, set()).add(name)
    return {word: frozenset(names) for word, names in owners.items()}


@lru_cache(maxsize=1 << 14)
def _script(sign: str) -> str:
    """Name the script that a sign is of; empty for none of those known."""
    return next((name for name, signs in _scripts() if signs.match(sign)), "")


@cache
def _scripts() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(f"[{ranges}]")) for name, ranges in RANGES.items())
