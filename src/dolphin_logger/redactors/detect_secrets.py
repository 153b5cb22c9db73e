"""What Yelp's detect-secrets finds, for whoever has installed it (`pip install detect-secrets`).

It looks at lines, and says values, not places; each place of a value in its line is a finding here. Its
expressions are Python's, not linear: lines are cut, so that none grows long.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from dolphin_logger.errors import DatasetError
from dolphin_logger.redactors._api import Finding

PRIORITY: Final = 40
_SHORTEST: Final = 6  # characters of a value; some of its rules say no more than a prefix
_LONGEST_LINE: Final = 2000


class DetectSecrets:
    """Finds what the plugins of detect-secrets find, with its default settings."""

    name = "detect-secrets"

    def __init__(self) -> None:
        try:
            self.version = f"1+{version('detect-secrets')}"
        except PackageNotFoundError as fault:
            raise DatasetError(
                "redactor 'detect-secrets': it is not installed; `pip install detect-secrets`, or leave"
                " it out of the recipe's redactors"
            ) from fault

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find every place of every value that one of its plugins names, line by line."""
        start = 0
        for line in text.splitlines(keepends=True):
            for offset in range(0, len(line), _LONGEST_LINE):
                piece = line[offset : offset + _LONGEST_LINE]
                yield from self._in_line(piece, start + offset)
            start += len(line)

    def _in_line(self, line: str, start: int) -> Iterator[Finding]:
        for plugin in self._plugins:
            for secret in plugin.analyze_line(filename="text", line=line, line_number=1):
                value = secret.secret_value or ""
                at = line.find(value) if len(value) >= _SHORTEST else -1
                while at >= 0:
                    rule = plugin.secret_type.lower().replace(" ", "-")
                    yield Finding(start + at, start + at + len(value), "SECRET", rule, PRIORITY)
                    at = line.find(value, at + len(value))

    @cached_property
    def _plugins(self) -> tuple[Any, ...]:
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class  # noqa: PLC0415  # optional

        plugins: Any = get_mapping_from_secret_type_to_class()
        return tuple(plugin() for plugin in plugins.values())
