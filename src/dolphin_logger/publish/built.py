"""Built: a dataset in its folder, as far as publishing needs to know it.

It reads the manifest and the local note of which row comes from which conversation; it knows neither
the Hub nor how datasets are built. Invariant: files that changed since they were built are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.curate.manifest import Manifest, read_manifest
from dolphin_logger.curate.writers import ORIGINS
from dolphin_logger.errors import DatasetError, LeakError
from dolphin_logger.publish.card import Shape


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A file of rows; `conversations` in the order of its rows."""

    path: Path
    split: str
    conversations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """A dataset: its manifest, and its files by shape."""

    manifest: Manifest
    files: Mapping[Shape, tuple[BuiltFile, ...]]

    @property
    def rules(self) -> dict[str, str]:
        """Versions of the redactors that cleaned it."""
        return dict(self.manifest.fields.get("rules") or {})

    @property
    def span(self) -> tuple[str | None, str | None]:
        """Times of the first and the last record."""
        return self.manifest.fields.get("first"), self.manifest.fields.get("last")


def read_built(folder: Path) -> Built:
    """Read a dataset that is to be published.

    Raises:
        DatasetError: it is none, or its files are not those that were built.
        LeakError: it was built to stay here.
    """
    manifest = read_manifest(folder)
    if not manifest.is_publishable:
        raise LeakError(
            f"{folder}: was built with --include-demo or without redaction and must not leave; "
            "build it again without"
        )
    origins = _read_origins(folder)
    files = {
        _shape(export): tuple(_files(export, folder, origins))
        for export in manifest.fields["exports"]
    }
    return Built(manifest, files)


def _shape(export: Mapping[str, Any]) -> Shape:
    files = export["files"]
    return Shape(
        name=export["name"],
        unit=export["unit"],
        splits=tuple(sorted({file["split"] for file in files})),
        suffix=Path(files[0]["path"]).suffix[1:] if files else "jsonl",
        columns=tuple([(column["name"], column["type"]) for column in export["columns"]]),
        is_file_each=export["is_file_each"],
    )


def _files(
    export: Mapping[str, Any], folder: Path, origins: Mapping[str, list[str]]
) -> Iterator[BuiltFile]:
    for file in export["files"]:
        path = folder / file["path"]
        try:
            with path.open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise DatasetError(
                f"{path}: cannot be read: {error.strerror}; build it again"
            ) from error
        if found != file["sha256"]:
            raise DatasetError(f"{path}: changed since it was built; build it again")
        yield BuiltFile(path, file["split"], tuple(origins.get(file["path"], ())))


def _read_origins(folder: Path) -> dict[str, list[str]]:
    path = folder / ORIGINS
    try:
        found = [json.loads(line) for line in path.read_bytes().splitlines()]
        return {one["path"]: one["conversations"] for one in found}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}; build the dataset again") from error
