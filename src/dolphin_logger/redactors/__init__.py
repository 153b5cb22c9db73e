"""What must not leave: the visible list of redactors, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.redactors`; it is imported only
when a recipe names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.redactors._api import Finding, Redactor
from dolphin_logger.redactors.card import Card
from dolphin_logger.redactors.email import Email
from dolphin_logger.redactors.government import Government
from dolphin_logger.redactors.iban import Iban
from dolphin_logger.redactors.ip import Ip
from dolphin_logger.redactors.paths import Paths
from dolphin_logger.redactors.phone import Phone

_BUILT_IN: Final[tuple[Redactor, ...]] = (
    Email(),
    Phone(),
    Card(),
    Iban(),
    Government(),
    Ip(),
    Paths(),
)
REDACTORS: Final[Mapping[str, Redactor]] = MappingProxyType(
    {redactor.name: redactor for redactor in _BUILT_IN}
)

__all__ = ["REDACTORS", "Finding", "Redactor"]
