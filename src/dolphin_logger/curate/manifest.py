"""Manifests: what a dataset is made of, and what lies in its folder.

    <home>/datasets/<name>/manifest.json

It knows the fields and the folder, not how a dataset is built. Invariant: nothing in a manifest
depends on when, where or by how many processes it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home

NAME: Final = "manifest.json"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A dataset that was built: its folder, and the fields of its manifest."""

    folder: Path
    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """What the dataset is called."""
        return str(self.fields["name"])

    @property
    def rows(self) -> int:
        """How many rows there are in all exports together."""
        return int(self.fields["counts"]["rows"])

    @property
    def conversations(self) -> list[str]:
        """The ids of the conversations that something in it is from."""
        return list(self.fields["conversations"])

    @property
    def is_publishable(self) -> bool:
        """Whether it may leave this machine."""
        return bool(self.fields["publishable"])


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a dataset.

    Raises:
        DatasetError: there is none, or a newer program wrote it.
    """
    path = folder / NAME
    try:
        fields = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: not a dataset of dolphin-logger: {error}") from None
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        raise DatasetError(f"{path}: another version of dolphin-logger wrote it; build it again")
    found = Manifest(folder, fields)
    try:
        files = [file["path"] for export in fields["exports"] for file in export["files"]]
        inside = all(isinstance(one, str) and not {"", ".."} & set(one.split("/")) for one in files)
        is_whole = (
            inside and bool(found.name) and found.rows >= 0 and found.is_publishable in (0, 1)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        is_whole = False
    if not is_whole:
        raise DatasetError(f"{path}: damaged; build the dataset again")
    return found


def list_datasets(home: Home) -> Iterator[Manifest]:
    """Give the datasets of a home, by name; what cannot be read is passed over."""
    for path in sorted(home.datasets.glob(f"*/{NAME}")):
        if path.parent.name.startswith("."):
            continue
        try:
            yield read_manifest(path.parent)
        except DatasetError:
            continue
