"""The keys of a client's request, taken out one by one.

It knows no language. Invariant: a key is taken, dropped by name, or still there for whoever looks at
the rest; none gets lost in silence, and the client's request stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dolphin_logger.proxy.translate.losses import Losses, refusal


class RequestKeys:
    """A request of which less and less is left; null is the same as leaving a key out."""

    def __init__(self, body: Mapping[str, Any], *, refused: frozenset[str]) -> None:
        self.losses = Losses()
        self.left = {key: value for key, value in body.items() if value is not None}
        self.left.pop("model", None)  # it has chosen the provider already
        for path in sorted(refused):
            self._drop_path(path)

    def take(self, key: str) -> Any:
        """Take a value out; None when there is none."""
        return self.left.pop(key, None)

    def drop(self, key: str) -> None:
        """Leave a value out that is there, and say so."""
        del self.left[key]
        self.losses.drop(key)

    def take_number(self, key: str) -> int | float | None:
        """Take a number."""
        value = self.take(key)
        if value is None or is_number(value):
            number: int | float | None = value
            return number
        raise refusal(f"{key} must be a number", param=key)

    def take_whole(self, key: str) -> int | None:
        """Take a whole number."""
        value = self.take(key)
        if value is None or type(value) is int:
            number: int | None = value
            return number
        raise refusal(f"{key} must be a whole number", param=key)

    def take_rest(self, *, says_nothing: Mapping[str, tuple[Any, ...]]) -> None:
        """Name all that is left as dropped, but for values that say nothing."""
        for key, value in self.left.items():
            if value not in says_nothing.get(key, ()):
                self.losses.drop(key)
        self.left.clear()

    def _drop_path(self, path: str) -> None:
        """Drop what a path such as `reasoning.effort` names, if it is there."""
        *parents, last = path.split(".")
        inside = self.left
        for key in parents:
            value = inside.get(key)
            if not isinstance(value, dict):
                return
            inside[key] = inside = dict(value)
        if inside.pop(last, None) is not None:
            self.losses.drop(path)


def is_number(value: Any) -> bool:
    """Say whether a value is a number that JSON can say again: `1e999` is read as infinite."""
    return type(value) in (int, float) and math.isfinite(value)
