"""The promise of a redactor: the spans of a text that must not leave.

It sees one text at a time, and the name under which it stands in its JSON object. It does not know
records, files or other texts, and changes nothing: what takes the place of a span is decided by who
walks the values. Invariants: pure; linear time in the text, whatever the text is; never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Finding:
    """A span that must not leave.

    Attributes:
        start, end: in characters of the text.
        kind: what it is, in capitals, as the placeholder shows it: EMAIL, SECRET, PHONE, CARD, …
        rule: which rule found it, e.g. `github-fine-grained-token`.
        priority: of two that overlap the higher wins, then the longer one.
    """

    start: int
    end: int
    kind: str
    rule: str
    priority: int = 0


@runtime_checkable
class Redactor(Protocol):
    """Finds one family of things that must not leave.

    Attributes:
        name: what recipes call it.
        version: changes whenever the same text could give other findings; part of every manifest.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find spans; `key` is the name of the value in its object (`password`), None in a list."""
        ...
