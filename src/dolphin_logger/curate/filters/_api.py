"""The promise of a filter: why an example is not good enough.

A filter sees one example at a time. It does not know records, recipes or other examples, and what
becomes of an example that it refuses. Invariants: pure, but for the judge that lives elsewhere; the
same example gets the same reason; it can be pickled, for it works in other processes.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from dolphin_logger.example import Example


@runtime_checkable
class Filter(Protocol):
    """One demand on examples.

    Attributes:
        name: what recipes and the report of rejected examples call it.
    """

    @property
    def name(self) -> str: ...

    def reason(self, example: Example) -> str | None:
        """Say why an example is refused, with its value and the limit (`3 turns, at least 4`)."""
        ...
