"""A dataset under check: its manifest and its rows, read again and again, never held whole.

It knows the folder, and no rule. Invariant: a file that cannot be read is a `DatasetError` that names it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate.manifest import NAME, Manifest, list_datasets, read_manifest
from dolphin_logger.curate.rows import read_lines
from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home

_NO_TABLES: Final = (
    "the package pyarrow is missing, which reads Parquet: pip install 'dolphin-logger[dataset]'"
)


@dataclass(frozen=True, slots=True)
class Export:
    """One export: files by split, and what its rows are."""

    name: str
    columns: tuple[str, ...]
    is_file_each: bool
    files: tuple[Mapping[str, Any], ...]

    @property
    def folder(self) -> str:
        """Where its files lie, in the folder of the dataset."""
        return f"data/{self.name}"

    @property
    def files_by_split(self) -> dict[str, list[str]]:
        """Give the names of its files, as an exporter is told of them."""
        found: dict[str, list[str]] = {}
        for file in self.files:
            found.setdefault(file["split"], []).append(Path(file["path"]).name)
        return found


@dataclass(frozen=True)
class Dataset:
    """A dataset in its folder."""

    manifest: Manifest

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.manifest.folder

    @property
    def recipe(self) -> Mapping[str, Any]:
        """What it was built with; empty where the manifest does not say."""
        return self.manifest.fields.get("recipe") or {}

    @cached_property
    def exports(self) -> list[Export]:
        """What was exported, in the order of the manifest."""
        return [
            Export(
                one["name"],
                tuple([column["name"] for column in one["columns"]]),
                bool(one.get("is_file_each")),
                tuple(one["files"]),
            )
            for one in self.manifest.fields["exports"]
        ]

    def rows(self, export: Export) -> Iterator[tuple[str, Any]]:
        """Give the rows of an export with their places: `file:line`.

        Raises:
            DatasetError: a file cannot be read.
        """
        for file in export.files:
            yield from self.rows_of(file["path"])

    def rows_of(self, path: str) -> Iterator[tuple[str, Any]]:
        """Give the rows of one file with their places.

        Raises:
            DatasetError: it cannot be read.
        """
        number = 0
        try:
            for _, row in read_lines(self.folder / path):
                number += 1
                yield f"{path}:{number}", row
        except ImportError:
            raise DatasetError(f"{path}: {_NO_TABLES}") from None
        except (OSError, ValueError) as error:  # also what pyarrow raises
            raise DatasetError(f"{path}: cannot be read behind row {number}: {error}") from None

    def sample(self, export: Export, count: int) -> list[tuple[str, Any]]:
        """Draw rows, always the same ones."""
        total = sum(int(file["rows"]) for file in export.files)
        chance = random.Random(0)  # noqa: S311  # a sample, no secret
        wanted = set(chance.sample(range(total), min(count, total)))
        return [found for at, found in enumerate(self.rows(export)) if at in wanted]


def find_dataset(home: Home, name: str | None) -> Dataset:
    """Find a dataset by its name or its folder; without one the newest of the home.

    Raises:
        DatasetError: there is none, or it cannot be read.
    """
    known = list(list_datasets(home))
    if name is None:
        if not known:
            raise DatasetError("no datasets yet: dolphin-logger dataset build")
        return Dataset(max(known, key=_built))
    for one in known:
        if name in (one.name, one.folder.name):
            return Dataset(one)
    if (Path(name) / NAME).exists():
        return Dataset(read_manifest(Path(name).absolute()))
    names = ", ".join(one.folder.name for one in known) or "none; dolphin-logger dataset build"
    raise DatasetError(f"dataset {name!r}: unknown; known: {names}, or the path of a folder")


def _built(manifest: Manifest) -> tuple[int, str]:
    return (manifest.folder / NAME).stat().st_mtime_ns, manifest.name
