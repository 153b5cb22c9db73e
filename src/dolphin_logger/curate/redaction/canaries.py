"""Strings that the user planted where nothing may get out of: one of them ends a build.

They are looked for in any case, escaped, percent-encoded and in base64, at whatever byte they begin
there, also in what redaction does not read (ids, pictures). Knows no redactors. Invariant: no
message holds a canary.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from dolphin_logger.errors import DatasetError, LeakError

_DEEPEST: Final = 4  # JSON in JSON in JSON, and the text itself
_LEAST: Final = 8  # shorter ones stand in texts by chance, in base64 above all


class Canaries:
    """Looks for all canaries at once."""

    def __init__(self, canaries: Iterable[str]) -> None:
        known = list(canaries)
        short = sum(1 for canary in known if len(canary) < _LEAST)
        if short:
            raise DatasetError(
                f"canaries: {short} shorter than {_LEAST} characters; use longer ones"
            )
        self._folded = sorted({form for canary in known for form in _folded(canary)})
        self._exact = sorted({form for canary in known for form in _in_base64(canary)})

    def __bool__(self) -> bool:
        return bool(self._folded)

    def check(self, text: str, *, record: str, place: str) -> None:
        """Look into one text.

        Raises:
            LeakError: a canary is in it; names record and place.
        """
        if self._is_in(text):
            raise LeakError(
                f"record {record}: {place}: a canary is in it; leave that record out (or take the canary"
                " away) and build again; nothing was written"
            )

    def _is_in(self, text: str) -> bool:
        folded = text.casefold()
        return any(form in folded for form in self._folded) or any(
            form in text for form in self._exact
        )


def _folded(canary: str) -> Iterator[str]:
    written = {canary}
    for _ in range(_DEEPEST):
        yield from (form.casefold() for form in written)
        written = {
            json.dumps(form, ensure_ascii=way)[1:-1] for form in written for way in (True, False)
        }
    yield quote(canary, safe="").casefold()
    yield quote(canary).casefold()
    yield "".join(f"%{byte:02x}" for byte in canary.encode())
    yield canary.encode().hex()


def _in_base64(canary: str) -> Iterator[str]:
    for form in {canary, canary.lower(), canary.upper()}:
        raw = form.encode()
        for shift in range(3):
            written = base64.b64encode(b"\0" * shift + raw).decode()
            # characters at both ends also hold bits of the neighbours
            begin = (shift * 8 + 5) // 6
            end = (shift + len(raw)) * 8 // 6
            yield written[begin:end]
            yield written[begin:end].translate(str.maketrans("+/", "-_"))
