"""What a text may hold, seen in one pass that several redactors and views share.

Numbers, and runs of what texts are encoded in: most texts have none of them. What they are is for those
to say who ask. Knows no kinds. Invariants: what it does not name is not there; one pass per text, in
linear time, however many ask.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

from dolphin_logger.redactors._linear import Screen, encode

BASE64, HEXADECIMAL, PERCENT, TEXT, NUMBER = range(5)
"""A long run of base64 that begins with ASCII, of digits of base 16, `%41`; four groups of base64 that
say ASCII, anywhere; digits that could be somebody's number."""

OF_TEXT: Final = r"[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
"""Four characters of base64 that say ASCII: the eighth bits of the three bytes are nought."""

OF_HEXADECIMAL: Final = r"\b((?:[0-9a-fA-F]{2}){16,})\b"
# the last separators are UTF-8 for no-break space, no-break hyphen and en dash
SEPARATORS: Final = r"(?:[ .()/-]|\xC2\xA0|\xE2\x80[\x91\x93]){0,3}"
QUAD: Final = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
SIX: Final = r"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{3,}"
_EXPRESSIONS: Final = (
    rf"(?:^|[^A-Za-z0-9+/_-])(?:{OF_TEXT}){{6}}",
    OF_HEXADECIMAL,
    r"%[0-9A-Fa-f]{2}",
    rf"(?:{OF_TEXT}){{4}}",
    rf"\d(?:{SEPARATORS}\d){{6}}|{QUAD}|{SIX}",
)


@lru_cache(maxsize=2)
def glance(text: str) -> tuple[int, ...]:
    """Name what a text may hold, in order."""
    return glance_at(encode(text))


def glance_at(data: bytes) -> tuple[int, ...]:
    """Name what bytes may hold, in order."""
    return tuple(_screen().hits(data))


@cache
def _screen() -> Screen:
    return Screen(_EXPRESSIONS)
