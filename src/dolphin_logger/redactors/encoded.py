"""Secrets inside what was encoded: base64, hexadecimal and percent-encoded runs of a text.

Each run is decoded, twice at most, and the rule pack looks at what comes out; a secret there makes the
whole run a finding. Invariant: what is decoded is never longer than the text, so time stays linear.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Final
from urllib.parse import unquote_to_bytes

from dolphin_logger.redactors._api import Finding, Redactor
from dolphin_logger.redactors._linear import Characters, Pattern, encode
from dolphin_logger.redactors._looks import is_media
from dolphin_logger.redactors.glance import (
    BASE64,
    HEXADECIMAL,
    OF_HEXADECIMAL,
    PERCENT,
    glance,
    glance_at,
)
from dolphin_logger.redactors.secrets import Secrets

PRIORITY: Final = 70
_DEPTH: Final = 2
_SHORTEST: Final = 24  # characters of a run that can hold a secret
_LONGEST: Final = 1 << 16  # characters of a run; longer ones are files and pictures
_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_URLSAFE: Final = bytes.maketrans(b"-_", b"+/")
_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")
_SAMPLE: Final = 96  # characters that tell whether a run is text at all


class Encoded:
    """Finds encoded runs whose content has secrets."""

    name = "encoded"

    def __init__(self, inner: Sequence[Redactor] = (Secrets(),)) -> None:
        self._inner = tuple(inner)

    @property
    def version(self) -> str:
        """Give the version of the decoders and of what looks into their output."""
        return "1+" + "+".join(one.version for one in self._inner)

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find runs of base64, hexadecimal or percent-encoding that hide a secret."""
        if len(text) < _SHORTEST or is_media(text):
            return
        if not any(number in (BASE64, HEXADECIMAL, PERCENT) for number in glance(text)):
            return
        data = encode(text)
        characters = Characters(text, data)
        for begin, finish, rule in self._runs(data, depth=1):
            start, end = characters.span(begin, finish)
            yield Finding(start, end, "SECRET", rule, PRIORITY)

    def _runs(self, data: bytes, *, depth: int) -> Iterator[tuple[int, int, str]]:
        seen = glance_at(data)
        for number, pattern, decode in _decoders():
            if number not in seen:
                continue
            for begin, finish in pattern.spans(data):
                if finish - begin > _LONGEST:
                    continue
                decoded = decode(data[begin:finish])
                rule = self._hidden(decoded, depth=depth) if decoded is not None else None
                if rule is not None:
                    yield begin, finish, rule

    def _hidden(self, decoded: bytes, *, depth: int) -> str | None:
        """Name the rule that finds something in decoded bytes, or in what they encode in turn."""
        said = decoded.decode("utf-8", "replace")
        for redactor in self._inner:
            for finding in redactor.find(said):
                return f"encoded-{finding.rule}"
        if depth < _DEPTH:
            for _, _, rule in self._runs(decoded, depth=depth + 1):
                return rule
        return None


def _from_base64(run: bytes) -> bytes | None:
    plain = run.translate(_URLSAFE).rstrip(b"=")
    if _DIGITS.issuperset(plain[:_SAMPLE]) or not _is_text(plain[: _SAMPLE // 4 * 4]):
        return None
    plain = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


def _is_text(sample: bytes) -> bool:
    try:
        decoded = base64.b64decode(sample[: len(sample) // 4 * 4], validate=True)
    except (ValueError, binascii.Error):
        return False
    return not decoded.translate(None, _PRINTABLE)


def _from_hexadecimal(run: bytes) -> bytes | None:
    even = run[: len(run) // 2 * 2]
    decoded = bytes.fromhex(even.decode())
    return None if decoded.translate(None, _PRINTABLE) else decoded


def _from_percent(run: bytes) -> bytes | None:
    return unquote_to_bytes(run)


@cache
def _decoders() -> tuple[tuple[int, Pattern, Callable[[bytes], bytes | None]], ...]:
    return (
        (BASE64, Pattern(r"[A-Za-z0-9+/_-]{24,}={0,2}"), _from_base64),
        (HEXADECIMAL, Pattern(OF_HEXADECIMAL), _from_hexadecimal),
        (
            PERCENT,
            Pattern(r"[\w.~!*'():@,;+$&=?/%-]*%[0-9A-Fa-f]{2}[\w.~!*'():@,;+$&=?/%-]*"),
            _from_percent,
        ),
    )
