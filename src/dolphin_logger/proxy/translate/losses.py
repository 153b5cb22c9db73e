"""What a translation could not carry: refused at once, or written down.

It knows no language. Invariant: each path is named once, in the order in which it was met.
"""

from __future__ import annotations

from dolphin_logger.errors import RequestError


class Losses:
    """Collects what the record says about one request."""

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._changed: dict[str, None] = {}

    def drop(self, path: str) -> None:
        """Note that something was left out."""
        self._dropped[path] = None

    def change(self, path: str) -> None:
        """Note that something went out with another meaning."""
        self._changed[path] = None

    @property
    def dropped(self) -> list[str]:
        """Paths of what was left out."""
        return list(self._dropped)

    @property
    def changed(self) -> list[str]:
        """Paths of what went out with another meaning."""
        return list(self._changed)


def refusal(message: str, *, param: str) -> RequestError:
    """Build the refusal of a request that the provider's language cannot express."""
    return RequestError(message, status=400, kind="untranslatable", param=param)
