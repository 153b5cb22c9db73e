"""Strings that the user named: whatever they are, they do not leave.

Found in any case, anywhere, also within words: a project's name in an identifier is still its name.
Knows nothing of what they mean. Invariant: empty strings find nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from dolphin_logger.redactors._api import Finding

_PRIORITY: Final = 90


class Own:
    """Finds the user's own strings."""

    name = "own"
    version = "1"

    def __init__(self, strings: Iterable[str], *, kind: str = "OWN", rule: str = "own") -> None:
        self._kind, self._rule = kind, rule
        known = sorted({string for string in strings if string.strip()}, key=lambda s: (-len(s), s))
        self._lower = [string.lower() for string in known]
        self._pattern = re.compile("|".join(re.escape(string) for string in known), re.IGNORECASE)

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find them, the longest first where several begin; the value's name does not matter."""
        del key
        lower = text.lower()
        if any(string in lower for string in self._lower):
            for match in self._pattern.finditer(text):
                yield Finding(*match.span(), kind=self._kind, rule=self._rule, priority=_PRIORITY)
