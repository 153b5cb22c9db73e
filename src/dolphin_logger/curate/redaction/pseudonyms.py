"""What stands in the place of what was taken out: the same for the same, within a conversation.

Numbers count by first sight. Who is who across conversations is told only by a keyed identity
(HMAC-SHA256), which goes into the local report and into no row; without the key nobody can try
names against it. Invariant: neither placeholders nor identities hold anything of the value.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections import Counter
from pathlib import Path
from typing import Final

from dolphin_logger.errors import DatasetError

PLACEHOLDER: Final = re.compile(r"<([A-Z][A-Z_]*)_([0-9]{1,6})>")
_KEY_BYTES: Final = 32
_IDENTITY_DIGITS: Final = 16
_BY_DIGITS: Final = frozenset({"PHONE", "CARD", "IBAN", "ID"})
_BY_LETTERS: Final = frozenset({"EMAIL", "USER", "OWN", "MARKED"})
_SEPARATORS: Final = re.compile(r"[^0-9A-Za-z]+")


class Pseudonyms:
    """Placeholders of one conversation."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[tuple[str, str], str] = {}
        self._counts: Counter[str] = Counter()

    def placeholder(self, kind: str, value: str) -> str:
        """Give `<KIND_n>`, the same for the same value however it is written."""
        known = (kind, _plain(kind, value))
        if known not in self._known:
            self._counts[kind] += 1
            self._known[known] = f"<{kind}_{self._counts[kind]}>"
        return self._known[known]

    def pass_over(self, text: str) -> None:
        """Leave out the numbers that a text shows already: it was cleaned before, or only looks so."""
        for kind, number in PLACEHOLDER.findall(text):
            self._counts[kind] = max(self._counts[kind], int(number))

    def identity(self, kind: str, value: str) -> str:
        """Give who that is, for the local report: hexadecimal digits that depend on the key."""
        said = f"{kind}\0{_plain(kind, value)}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, said, "sha256").hex()[:_IDENTITY_DIGITS]


def load_key(path: Path) -> bytes:
    """Read the key, or make it (mode 0600) where there is none.

    Raises:
        DatasetError: it cannot be read or made, or is no key.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = bytes.fromhex(path.read_text("ascii").strip())
        else:
            key = secrets.token_bytes(_KEY_BYTES)
            with os.fdopen(made, "w", encoding="ascii") as file:
                file.write(key.hex() + "\n")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot use this key of pseudonyms: {error}") from error
    if len(key) != _KEY_BYTES:
        raise DatasetError(
            f"{path}: expected {_KEY_BYTES} bytes in hexadecimal; delete it for a new key"
        )
    return key


def _plain(kind: str, value: str) -> str:
    if kind in _BY_DIGITS:
        return _SEPARATORS.sub("", value).upper()
    return value.casefold() if kind in _BY_LETTERS else value
