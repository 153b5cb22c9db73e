"""Telephone numbers.

A number with `+` and its country, or in the brackets and dashes of North America, is known by its
form; others need to be called a number (`phone`, `Tel.`, `call me at`), since timestamps, ids and
versions are digits too. What is left is for phonenumbers to judge (Google's libphonenumber).
Invariant: only runs of digits that passed the cheap test are parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._numbers import digits, is_called, is_free, numbers

_WORDS: Final = re.compile(
    r"(?:\b|_|(?<=[a-z])(?=P))"
    r"(?:tele(?:phone|fon|fono)|tel|phone|mobile?|cell|handy|fax|whats ?app|sms|call|dial|reach|contact|text"
    r"|tlf|m[óo]vil|tel[ée]fono|t[ée]l[ée]phone|portable)(?:[ _-]?(?:no|nr|num|number|nummer))?"
    r"(?:\b|_)(?:[ _]?(?:me|us|him|her|them|is|at|on|number|my|under|:))*[^\w\n]{0,6}$",
    re.IGNORECASE,
)
_KEYS: Final = re.compile(
    r"phone|mobile|\btel\b|(?:^|_)(?:tel|fax|cell|sms|whatsapp)(?:_|$)", re.IGNORECASE
)
_DECIMAL: Final = re.compile(r"\+?\d+\.\d+")
_NORTH_AMERICAN: Final = re.compile(r"\([2-9]\d\d\) ?[2-9]\d\d[-. ]\d{4}|[2-9]\d\d-[2-9]\d\d-\d{4}")
_REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "AU", "BR", "JP", "NL", "MX", "CN")
_DATE: Final = re.compile(
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]\d|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d"
)
_LEAST: Final = 7
_MOST: Final = 15  # ITU-T E.164


class Phone:
    """Finds telephone numbers."""

    name = "phone"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find numbers, in order."""
        for start, end in numbers(text):
            begin = start
            if text[start - 1 : start] == "(" and ")" in text[start:end]:
                begin -= 1
            if text[begin - 1 : begin] == "+":
                begin -= 1
            span = text[begin:end]
            if not _LEAST <= len(digits(span)) <= _MOST or not is_free(text, begin, end):
                continue
            if _is_phone(span, text=text, start=begin, key=key):
                yield Finding(begin, end, "PHONE", "phone", priority=10)


def _is_phone(span: str, *, text: str, start: int, key: str | None) -> bool:
    said = is_called(text, start, words=_WORDS) or (key is not None and bool(_KEYS.search(key)))
    if not said and _DECIMAL.fullmatch(span):
        return False
    if span.startswith(("+", "(+")):
        # a line that a diff adds begins with a plus as well
        is_diff = text[start - 1] == "\n" if start else "\n" in text
        return (said or not is_diff or not span[1:].isdigit()) and _is_valid(span, (None,))
    if _DATE.match(span) and not said:
        return False
    if _NORTH_AMERICAN.fullmatch(span):
        return text[start - 1 : start] not in {".", "-", "/"} and _is_valid(span, ("US",))
    if span.startswith("00") and not said:
        return False
    return said and text[start - 1 : start] not in {".", "-", "/"} and _is_valid(span, _REGIONS)


def _is_valid(span: str, regions: tuple[str | None, ...]) -> bool:
    import phonenumbers  # noqa: PLC0415  # slow to import, and only a build needs it

    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(span, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
