"""Leaks: the built rows searched once more, under today's rules and with today's secrets and canaries."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset
from dolphin_logger.curate.check.report import Result
from dolphin_logger.errors import LeakError

_HEAD: Final = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)


def check_leaks(dataset: Dataset, result: Result, *, scan: Callable[[Any], list[str]]) -> None:
    """Search every row; `scan` names the rules that find something in a row."""
    count = 0
    for export in dataset.exports:
        for place, row in dataset.rows(export):
            count += 1
            try:
                found = scan(row)
            except LeakError as error:
                result.fail(f"{place}: {error}")
                continue
            for rule in found:
                result.fail(f"{place}: {rule}")
    result.said = f"{count:,} rows for secrets, personal data and canaries"


def check_license(dataset: Dataset, result: Result) -> None:
    """Look for a license: of the recipe, or of the card beside the rows."""
    named = (dataset.manifest.fields.get("recipe") or {}).get("license")
    card = dataset.folder / "README.md"
    if not named and card.is_file():
        found = _HEAD.search(card.read_text(encoding="utf-8"))
        named = found[1] if found else None
    if not named:
        result.status = "skipped"
        result.said = "no license yet: set `license` in the recipe, or give one when you upload"
    else:
        result.said = str(named)
    if not dataset.manifest.is_publishable:
        result.said += "; must not be published: answers of the built-in model"
