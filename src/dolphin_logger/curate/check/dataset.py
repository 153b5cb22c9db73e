"""A dataset under check: its manifest and its rows, read again and again, never held whole."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.curate.manifest import Manifest
from dolphin_logger.curate.rows import read_lines


@dataclass(frozen=True, slots=True)
class Export:
    """One export: files by split, and what its rows are."""

    name: str
    unit: str
    columns: tuple[tuple[str, str], ...]
    is_file_each: bool
    files: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset in its folder."""

    manifest: Manifest

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.manifest.folder

    @property
    def exports(self) -> list[Export]:
        """What was exported, in the order of the manifest."""
        return [
            Export(
                one["name"],
                one["unit"],
                tuple([(column["name"], column["type"]) for column in one["columns"]]),
                bool(one.get("is_file_each")),
                tuple(one["files"]),
            )
            for one in self.manifest.fields["exports"]
        ]

    def rows(self, export: Export) -> Iterator[tuple[str, Any]]:
        """Give the rows of an export with their places: `file:line`."""
        for file in export.files:
            for number, (_, row) in enumerate(read_lines(self.folder / file["path"]), 1):
                yield f"{file['path']}:{number}", row

    def sample(self, export: Export, count: int) -> list[tuple[str, Any]]:
        """Draw rows, always the same ones."""
        total = sum(int(file["rows"]) for file in export.files)
        chance = random.Random(0)  # noqa: S311  # a sample, no secret
        wanted = set(chance.sample(range(total), min(count, total)))
        return [found for at, found in enumerate(self.rows(export)) if at in wanted]
