"""What must not leave: the visible list of redactors, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.redactors`; it is imported only
when a recipe names it. `Known` is made by whoever knows the secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.errors import DatasetError
from dolphin_logger.plugins import load_plugin
from dolphin_logger.redactors._api import Finding, Redactor
from dolphin_logger.redactors.card import Card
from dolphin_logger.redactors.email import Email
from dolphin_logger.redactors.encoded import Encoded
from dolphin_logger.redactors.generic import Generic
from dolphin_logger.redactors.government import Government
from dolphin_logger.redactors.iban import Iban
from dolphin_logger.redactors.ip import Ip
from dolphin_logger.redactors.known import Known, known_secrets
from dolphin_logger.redactors.paths import Paths
from dolphin_logger.redactors.phone import Phone
from dolphin_logger.redactors.secrets import Secrets

GROUP: Final = "dolphin_logger.redactors"

_BUILT_IN: Final[tuple[Redactor, ...]] = (
    Secrets(),
    Generic(),
    Encoded(),
    Card(),
    Iban(),
    Government(),
    Email(),
    Phone(),
    Ip(),
    Paths(),
)
REDACTORS: Final[Mapping[str, Redactor]] = MappingProxyType(
    {redactor.name: redactor for redactor in _BUILT_IN}
)
_OPTIONAL: Final = ("detect-secrets", "kingfisher")
"""Redactors over scanners that a person has installed; imported only when they are named."""


def find(name: str) -> Redactor:
    """Find a redactor by its name, importing its scanner or plugin if need be.

    Raises:
        DatasetError: nobody has that name, its scanner is not installed, or its plugin cannot be used.
    """
    if name in REDACTORS:
        return REDACTORS[name]
    if name == "detect-secrets":
        from dolphin_logger.redactors.detect_secrets import DetectSecrets  # noqa: PLC0415  # optional

        return DetectSecrets()
    if name == "kingfisher":
        from dolphin_logger.redactors.kingfisher import Kingfisher  # noqa: PLC0415  # optional

        return Kingfisher()
    found: Redactor | None = load_plugin(
        GROUP, name, what="redactor", promise=Redactor, error=DatasetError
    )
    if found is not None:
        return found
    raise DatasetError(f"unknown redactor {name!r}; known: {', '.join((*REDACTORS, *_OPTIONAL))}")


__all__ = ["GROUP", "REDACTORS", "Finding", "Known", "Redactor", "find", "known_secrets"]
