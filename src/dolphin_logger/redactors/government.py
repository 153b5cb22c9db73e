"""Numbers by which states know people.

Each has a strict form, and a checksum or a word that says what it is; where the checksum is weak,
both. Sources: SSA (numbers that are never issued), Receita Federal (CPF), GB 11643-1999, INSEE (NIR),
Ministerio del Interior (DNI, NIE).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._numbers import digits, is_free, is_said, numbers


@dataclass(frozen=True, slots=True)
class _Form:
    """How a number is written; `words` must be near where `check` alone would find too much."""

    rule: str
    written: re.Pattern[str]
    check: Callable[[str], bool]
    words: re.Pattern[str] | None = None


def _is_cpf(written: str) -> bool:
    numerals = [int(digit) for digit in digits(written)]
    if len(set(numerals)) == 1:
        return False
    for length in (9, 10):
        weighted = sum(numerals[at] * (length + 1 - at) for at in range(length))
        if weighted * 10 % 11 % 10 != numerals[length]:
            return False
    return True


def _is_dni(written: str) -> bool:
    number = written.replace("-", "").upper()
    number = str("XYZ".find(number[0])) + number[1:] if number[0] in "XYZ" else number
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number[:-1]) % 23] == number[-1]


def _is_chinese(written: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(written, weights, strict=False))
    return "10X98765432"[total % 11] == written[-1].upper()


def _is_french(written: str) -> bool:
    number = digits(written)
    return 97 - int(number[:13]) % 97 == int(number[13:])


def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{words})", re.IGNORECASE)


_FORMS: Final = (
    _Form(
        "us-social-security-number",
        re.compile(r"(?!000|666|9)\d{3}([- ]?)(?!00)\d\d\1(?!0000)\d{4}"),
        lambda _: True,
        _words(r"\bssn|_ssn|ssn_|social.?sec|\bsocial\b|tax.?payer"),
    ),
    _Form(
        "br-cpf",
        re.compile(r"\d{3}\.\d{3}\.\d{3}-\d\d"),
        _is_cpf,
    ),
    _Form("br-cpf", re.compile(r"\d{11}"), _is_cpf, _words(r"\bcpf")),
    _Form(
        "cn-resident-identity",
        re.compile(r"[1-8]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"),
        _is_chinese,
    ),
    _Form(
        "fr-nir",
        re.compile(r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?\d\d ?\d{3} ?\d{3} ?\d\d"),
        _is_french,
        _words(r"\bnir\b|s[ée]curit[ée].sociale|\binsee"),
    ),
    _Form(
        "es-dni",
        re.compile(r"(?:\d{8}|[XYZ]\d{7})-?[A-Za-z]"),
        _is_dni,
        _words(r"\bdni\b|\bnie\b|\bnif\b|_dni|dni_"),
    ),
)
# most numbers are none of them: one search says so; only the first form counts its groups
_ANY: Final = re.compile("|".join(f"(?:{form.written.pattern})" for form in _FORMS))
_MARGIN: Final = 2


class Government:
    """Finds numbers of identity."""

    name = "government"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find numbers; of the forms that match at one place, each says so."""
        for start, end in numbers(text):
            window = (max(0, start - _MARGIN), min(len(text), end + _MARGIN))
            if _ANY.search(text, *window) is None:
                continue
            for form in _FORMS:
                for match in form.written.finditer(text, *window):
                    if _is_number(form, match, text=text, key=key):
                        yield Finding(*match.span(), kind="ID", rule=form.rule, priority=30)


def _is_number(form: _Form, match: re.Match[str], *, text: str, key: str | None) -> bool:
    if not is_free(text, *match.span()):
        return False
    if form.words is not None and not is_said(form.words, text, match.start(), key):
        return False
    return form.check(match.group())
