"""Bank accounts: IBANs, written with or without spaces.

The country, the length that it prescribes and the checksum modulo 97 decide (ISO 13616; lengths as
SWIFT's registry of IBANs lists them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._numbers import is_free, numbers

_LENGTHS: Final = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE", "18": "DK FO FI GL NL SD", "19": "MK SI", "20": "AT BA EE KZ LT LU XK",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ TL OM SO",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG", "25": "LY PT ST", "26": "IS TR", "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV", "29": "BR EG PS QA UA", "30": "JO KW MU", "31": "MT SC", "32": "LC",
        "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_START: Final = re.compile(r"[A-Za-z]{2}\d\d(?=[ -]?[A-Za-z0-9])")
_BEFORE: Final = 14  # of the digits that were found: country, check digits, the bank's letters
_BODY: Final = re.compile(r"[ \xa0-]?[A-Za-z0-9]")
_BASE36: Final = {char: str(int(char, 36)) for char in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


class Iban:
    """Finds IBANs."""

    name = "iban"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find accounts, in order; the value's name does not matter."""
        del key
        done = 0
        for start, end in numbers(text):
            for match in _START.finditer(text, max(done, start - _BEFORE), end):
                stop = _end(text, match.start())
                if stop is not None:
                    yield Finding(match.start(), stop, "IBAN", "iban", priority=40)
                    done = stop
                    break


def has_checksum(account: str) -> bool:
    """Check an account without spaces, in capitals."""
    turned = account[4:] + account[:4]
    return int("".join(_BASE36[char] for char in turned)) % 97 == 1


def _end(text: str, start: int) -> int | None:
    length = _LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return None
    chars: list[str] = []
    at = start
    while len(chars) < length:
        match = _BODY.match(text, at)
        if match is None:
            return None
        chars.append(match.group()[-1].upper())
        at = match.end()
    return at if is_free(text, start, at) and has_checksum("".join(chars)) else None
