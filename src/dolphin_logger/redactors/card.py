"""Numbers of payment cards.

An issuer's first digits, its length, the grouping that cards show, and Luhn's checksum (ISO/IEC
7812-1) decide together; digits within a longer word or after a point are no card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._numbers import digits, is_free, numbers

_ISSUERS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|62\d{14,17}"  # UnionPay
    r"|(?:50|5[6-9]|6[37])\d{14}"  # Maestro
)
_WRITTEN: Final = re.compile(
    r"(?:\d{4}([ .\xa0\u2011-])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ .\xa0\u2011-])\d{6}\2\d{4,5}|\d{13,19})(?!\d)"
)


class Card:
    """Finds numbers of payment cards."""

    name = "card"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find numbers, in order; the value's name does not matter."""
        del key
        for start, end in numbers(text):
            for match in _WRITTEN.finditer(text, start, end):
                if match.start() > start and text[match.start() - 1].isdigit():
                    continue
                if is_card(digits(match.group())) and _is_whole(text, *match.span()):
                    yield Finding(*match.span(), kind="CARD", rule="card", priority=40)


def is_card(number: str) -> bool:
    """Say whether digits are those of a card."""
    return _ISSUERS.fullmatch(number) is not None and has_luhn(number)


def has_luhn(number: str) -> bool:
    """Check the last digit against the others."""
    values = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * value, 10)) for value in values[1::2])
    return (sum(values[0::2]) + sum(doubled)) % 10 == 0


def _is_whole(text: str, start: int, end: int) -> bool:
    is_fraction = text[start - 1 : start] in {".", ","} and text[start - 2 : start - 1].isdigit()
    return is_free(text, start, end) and not is_fraction
