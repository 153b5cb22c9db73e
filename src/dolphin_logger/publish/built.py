"""Built: a dataset in its folder, as far as publishing needs to know it.

It reads the manifest and the local note of which row comes from which conversation; it knows neither
the Hub nor how datasets are built. Invariant: files that changed since they were built are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dolphin_logger.curate.manifest import read_manifest
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
    """One dataset or more, as they will stand in a repository: their files by shape.

    Attributes:
        names: of the datasets. folders: where they lie.
        rules: versions of the redactors that cleaned them. findings: replaced spans by rule.
        first, last: times of their records. license: as their recipe says.
    """

    names: tuple[str, ...]
    folders: tuple[Path, ...]
    files: Mapping[Shape, tuple[BuiltFile, ...]]
    rules: Mapping[str, str]
    findings: Mapping[str, int]
    first: str | None
    last: str | None
    license: str | None = None


def read_built(folder: Path) -> Built:
    """Read a dataset that is to be published.

    Raises:
        DatasetError: it is none, or its files are not those that were built.
        LeakError: it was built to stay here.
    """
    manifest = read_manifest(folder)
    if not manifest.is_publishable:
        raise LeakError(
            f"{folder}: must not leave: it holds answers of the built-in demo model; "
            "build it again without --include-demo"
        )
    origins = _read_origins(folder)
    fields = manifest.fields
    files = {_shape(export): tuple(_files(export, folder, origins)) for export in fields["exports"]}
    return Built(
        names=(manifest.name,),
        folders=(folder,),
        files={shape: found for shape, found in files.items() if found},
        rules=dict(fields.get("rules") or {}),
        findings=dict(fields.get("findings") or {}),
        first=fields.get("first"),
        last=fields.get("last"),
        license=(fields.get("recipe") or {}).get("license") or None,
    )


def combine(every: Sequence[Built]) -> Built:
    """Put several datasets together; shapes of one name become one.

    Raises:
        DatasetError: shapes of one name differ in their columns or in the kind of their files.
    """
    shapes: dict[str, Shape] = {}
    files: dict[str, tuple[BuiltFile, ...]] = {}
    findings: Counter[str] = Counter()
    for built in every:
        findings.update(built.findings)
        for shape, found in built.files.items():
            known = shapes.get(shape.name)
            if known is not None and (known.columns, known.suffix) != (shape.columns, shape.suffix):
                raise DatasetError(
                    f"datasets {', '.join(one.names[0] for one in every)}: their {shape.name!r} files differ "
                    "in form; publish one of them with --dataset NAME"
                )
            splits = tuple(sorted({*shape.splits, *(known.splits if known else ())}))
            shapes[shape.name] = replace(shape, splits=splits)
            files[shape.name] = (*files.get(shape.name, ()), *found)
    return Built(
        names=tuple([name for built in every for name in built.names]),
        folders=tuple([folder for built in every for folder in built.folders]),
        files={shape: files[name] for name, shape in sorted(shapes.items())},
        rules={name: value for built in every for name, value in built.rules.items()},
        findings=findings,
        first=min((built.first for built in every if built.first), default=None),
        last=max((built.last for built in every if built.last), default=None),
        license=next((built.license for built in every if built.license), None),
    )


def _shape(export: Mapping[str, Any]) -> Shape:
    files = export["files"]
    return Shape(
        name=export["name"],
        unit=export["unit"],
        splits=tuple(sorted({file["split"] for file in files})),
        suffix=Path(files[0]["path"]).suffix[1:] if files else "jsonl",
        columns=tuple([(column["name"], column["type"]) for column in export["columns"]]),
        is_file_each=bool(export.get("is_file_each")),
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
