"""Fresh: which rows of a dataset are new to a repository.

It knows origins of rows, not what they say. Invariant: a row is new once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dolphin_logger.publish.contributions import Contribution, Origin


class Known:
    """Tells rows that the repository has, or must not have, from new ones; each row is new once."""

    def __init__(
        self,
        theirs: Iterable[Contribution],
        ours: Iterable[Contribution],
        removed: Collection[str],
    ) -> None:
        self.met = 0
        self._removed = removed
        self._theirs = {
            (file.export, origin.conversation)
            for one in theirs
            for file in one.files
            for origin in file.origins
        }
        self._ours = {
            (file.export, origin) for one in ours for file in one.files for origin in file.origins
        }

    def is_new(self, export: str, origin: Origin) -> bool:
        """Say whether a row is to go up; from then on it is known."""
        if (export, origin.conversation) in self._theirs or (export, origin) in self._ours:
            self.met += 1
            return False
        self._ours.add((export, origin))
        return origin.conversation not in self._removed
