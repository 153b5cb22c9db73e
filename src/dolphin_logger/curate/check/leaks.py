"""Leaks: the built rows searched once more, under today's rules and with today's secrets and canaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dolphin_logger.curate.check.dataset import Dataset
from dolphin_logger.curate.check.report import Result
from dolphin_logger.errors import LeakError


def check_leaks(
    dataset: Dataset, result: Result, *, scan: Callable[[Any], Iterable[tuple[str, str]]]
) -> None:
    """Search every row; `scan` gives path and rule of what it finds in one, and raises for a canary."""
    count = 0
    for export in dataset.exports:
        for place, row in dataset.rows(export):
            count += 1
            try:
                found = list(scan(row))
            except LeakError:
                result.fail(f"{place}: a canary is in it")
                continue
            for path, rule in found:
                result.fail(f"{place}: {path}: {rule}")
    result.said = f"{count:,} rows for secrets, personal data and canaries"


def check_license(dataset: Dataset, result: Result) -> None:
    """Look for a license: in the head of the card, where one lies there, else in the recipe."""
    card = dataset.folder / "README.md"
    if not card.is_file():
        named = dataset.recipe.get("license")
        if named:
            result.said = str(named)
        else:
            result.skip("none yet: `license` in the recipe, or upload asks for it")
        return
    license_ = _license_of(card.read_text(encoding="utf-8"))
    if license_ is None:
        result.fail("README.md: its head names no license")
    else:
        result.said = license_


def _license_of(card: str) -> str | None:
    import yaml  # noqa: PLC0415  # comes with huggingface_hub; slow

    head = card.split("---", 2)
    try:
        fields = yaml.safe_load(head[1]) if len(head) == 3 and not head[0].strip() else None
    except yaml.YAMLError:
        return None
    if not isinstance(fields, dict):
        return None
    named = fields.get("license")
    if named == "other":
        named = fields.get("license_name")
    return named if isinstance(named, str) and named else None
