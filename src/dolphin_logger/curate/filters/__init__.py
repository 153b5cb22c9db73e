"""What is not good enough: the visible list of filters, in the order in which they are asked.

Cheap ones come first; the first reason decides. To add one: copy the smallest sibling, satisfy
`_api.py`, add a line to `FILTERS`. Settings are frozen values with their defaults; `make` gives None
where settings demand nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dolphin_logger.curate.filters import (
    empty,
    finish_reason,
    language,
    models,
    presence,
    refusals,
    repetition,
    tokens,
    tool_errors,
    turns,
    unfinished,
)
from dolphin_logger.curate.filters._api import Filter
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example

__all__ = ["FILTERS", "Filter", "Kind", "first_reason", "make_filters"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of filter: the class of its settings, and what makes it of them."""

    settings: type[Any]
    make: Callable[[Any], Filter | None]


FILTERS: Final[Mapping[str, Kind]] = {
    "finish_reason": Kind(finish_reason.Settings, finish_reason.make),
    "empty": Kind(empty.Settings, empty.make),
    "turns": Kind(turns.Settings, turns.make),
    "models": Kind(models.Settings, models.make),
    "presence": Kind(presence.Settings, presence.make),
    "unfinished": Kind(unfinished.Settings, unfinished.make),
    "tokens": Kind(tokens.Settings, tokens.make),
    "tool_errors": Kind(tool_errors.Settings, tool_errors.make),
    "refusals": Kind(refusals.Settings, refusals.make),
    "language": Kind(language.Settings, language.make),
    "repetition": Kind(repetition.Settings, repetition.make),
}


def make_filters(settings: Mapping[str, Any]) -> list[Filter]:
    """Make the filters whose settings demand something; what is not named has its defaults.

    Raises:
        DatasetError: a name is unknown, or a setting out of range.
    """
    for name in settings:
        if name not in FILTERS:
            raise DatasetError(f"filters.{name}: unknown filter; known: {', '.join(FILTERS)}")
    made = (kind.make(settings.get(name, kind.settings())) for name, kind in FILTERS.items())
    return [one for one in made if one is not None]


def first_reason(filters: Iterable[Filter], example: Example) -> tuple[str, str] | None:
    """Give the name of the first filter that refuses an example, and its reason."""
    for one in filters:
        if (reason := one.reason(example)) is not None:
            return one.name, reason
    return None
