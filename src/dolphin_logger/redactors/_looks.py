"""How a value looks: chosen by chance, or written by a person or a program.

Surprise stands for a tokenizer's efficiency: what people write falls into few tokens, what was drawn by
chance into many. It is measured in bits for each character by a table of three letters in a row, learnt
from the standard library (`benchmarks/train_trigrams.py`). It does not know where a value stands.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

TRIGRAMS: Final = Path(__file__).with_name("trigrams.bin")
SYMBOLS: Final = "_abcdefghijklmnopqrstuvwxyz0^"
"""What is told apart: anything else, letters, digits, and that capitals begin."""

_SIZE: Final = len(SYMBOLS)
_CAPITALS: Final = re.compile(rb"[A-Z]+")
_TABLE: Final = bytes(
    28 if byte == 0x5E else 27 if 0x30 <= byte <= 0x39 else byte - 96 if 97 <= byte <= 122 else 0
    for byte in range(256)
)
_LONGEST: Final = 256  # characters that are measured; more say nothing new
_UUID: Final = re.compile(r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")
_DIGEST: Final = re.compile(
    r"(?:(?:sha(?:1|224|256|384|512)|md5|blake2b|blake3)[-:=])[A-Za-z0-9+/=_-]+"
    r"|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}"
    r"|[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64}"
)
_HEXADECIMAL: Final = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")
_STAND_IN: Final = re.compile(
    r"(?i)x{4}|\*{3}|\.{3}|#{4}|\u2026|example|placeholder|change[_-]?me|replace|dummy|redacted"
    r"|insert|<[^<>]*>|\{\{|\$\{|\$\(|%\(|\bTODO\b|(?:^|[_\W])your?(?:[_\W]|$)|_here$|foo_?bar|lorem|EXAMPLE"
)
_MEDIA: Final = re.compile(
    r"data:(?:image/(?!svg)|audio/|video/|font/)[\w.+-]+(?:;[\w=.-]+)*;base64,[A-Za-z0-9+/=]*"
)
_MARKS: Final = frozenset("!@#$%^&*?+=~")
_FEW: Final = 5  # different characters that a secret has at least


def fold(value: bytes) -> bytes:
    """Write a value as numbers of symbols: capitals as small letters with a mark before each run."""
    return _CAPITALS.sub(lambda run: b"^" + run[0].lower(), value).translate(_TABLE)


def surprise(value: str) -> float:
    """Measure how unlike words it is, in bits for each character; 0 for an empty value."""
    data = value[:_LONGEST].encode("utf-8", "replace")
    if not data:
        return 0.0
    table = _trigrams()
    bits, first, second = 0, 0, 0
    for third in fold(data):
        bits += table[(first * _SIZE + second) * _SIZE + third]
        first, second = second, third
    return bits / 16 / len(data)


def entropy(value: str) -> float:
    """Measure Shannon's entropy of its characters, in bits for each."""
    counts = Counter(value)
    length = len(value)
    return -sum(n / length * math.log2(n / length) for n in counts.values())


def is_stand_in(value: str) -> bool:
    """Whether it stands for a secret and is none: `<token>`, `xxxx`, `your_key_here`, `${KEY}`."""
    return len(set(value)) < _FEW or _STAND_IN.search(value) is not None


def is_uuid(value: str) -> bool:
    """Whether it is a UUID."""
    return _UUID.fullmatch(value) is not None


def is_digest(value: str) -> bool:
    """Whether it has the form of a digest, a commit or the integrity of a lock file."""
    return _DIGEST.fullmatch(value) is not None


def is_random(value: str) -> bool:
    """Whether it was drawn by chance, as far as its letters tell."""
    if _HEXADECIMAL.fullmatch(value):
        digits = sum(character.isdigit() for character in value)
        return len(value) >= 16 and 4 <= digits <= len(value) - 3 and entropy(value) >= 2.5
    return surprise(value) >= (5.6 if len(value) >= 16 else 6.2) and entropy(value) >= 2.5


def is_mixed(value: str) -> bool:
    """Whether it looks like a password that somebody thought of: letters with digits, marks or both."""
    letters = any(map(str.isalpha, value))
    digits = sum(map(str.isdigit, value))
    marks = any(character in _MARKS for character in value)
    return (
        len(value) >= 6 and letters and (digits >= 2 or marks or (digits > 0 and len(value) >= 8))
    )


def is_media(text: str) -> bool:
    """Whether it is nothing but a picture, sound or film as a `data:` URL (RFC 2397)."""
    return text.startswith("data:") and _MEDIA.fullmatch(text) is not None


@cache
def _trigrams() -> bytes:
    return TRIGRAMS.read_bytes()
