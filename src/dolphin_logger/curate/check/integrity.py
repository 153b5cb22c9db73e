"""Integrity: the files are those of the manifest, and no row stands there twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset
from dolphin_logger.curate.check.report import Result

_PICTURE: Final = re.compile(r"images/([0-9a-f]{64})\.[a-z0-9+.-]+")
_TOLD: Final = ("metadata", "conversation", "record")
_BESIDE: Final = ("dataset_info.json", "axolotl.yaml")


def check_files(dataset: Dataset, result: Result) -> None:
    """Compare every file with the manifest: hash, number of rows, and no file besides."""
    listed = set()
    for export in dataset.exports:
        listed |= {f"{export.folder}/{name}" for name in _BESIDE}
        for file in export.files:
            path = file["path"]
            listed.add(path)
            try:
                found = _digest(dataset.folder / path)
            except OSError as error:
                result.fail(f"{path}: cannot be read: {error.strerror}")
                continue
            if found != file["sha256"]:
                result.fail(f"{path}: not the bytes that were built")
            rows = sum(1 for _ in dataset.rows_of(path))
            if rows != file["rows"]:
                result.fail(f"{path}: {rows} rows, the manifest says {file['rows']}")
    for found_path in sorted((dataset.folder / "data").rglob("*")):
        inside = found_path.relative_to(dataset.folder).as_posix()
        if found_path.is_file() and inside not in listed:
            result.fail(f"{inside}: not in the manifest")
    count = sum(len(export.files) for export in dataset.exports)
    result.said = f"{count:,} files against manifest.json"


def check_pictures(dataset: Dataset, result: Result) -> None:
    """Look whether every picture that a row names lies there, with the bytes that its name says."""
    named: dict[str, str] = {}
    for export in dataset.exports:
        for place, row in dataset.rows(export):
            for text in _strings(row):
                if _PICTURE.fullmatch(text):
                    named.setdefault(text, place)
    for path, place in named.items():
        try:
            found = _digest(dataset.folder / path)
        except OSError:
            result.fail(f"{place}: {path} is not there")
            continue
        if found != Path(path).stem:
            result.fail(f"{place}: {path} has other bytes than its name says")
    if named:
        result.said = f"{len(named):,} pictures"
    else:
        result.skip("no row names one")


def check_columns(dataset: Dataset, result: Result) -> None:
    """Look whether every row has exactly the columns of its shape."""
    count = 0
    for export in dataset.exports:
        names = set(export.columns)
        for place, row in dataset.rows(export) if names else ():
            count += 1
            if not isinstance(row, dict):
                result.fail(f"{place}: the row is no object")
            elif row.keys() != names:
                odd = [f"no {name}" for name in sorted(names - row.keys())]
                odd += [f"{name} besides" for name in sorted(row.keys() - names)]
                result.fail(f"{place}: not the columns of its shape: {', '.join(odd)}")
    result.said = f"{count:,} rows against their shapes"


def check_duplicates(dataset: Dataset, result: Result) -> None:
    """Look for rows that stand there twice; what is only told beside a row does not make it another."""
    if (dataset.recipe.get("duplicates") or {}).get("exact") is False:
        result.skip("the recipe keeps them")
        return
    count = 0
    for export in dataset.exports:
        if export.is_file_each:
            continue
        seen: dict[bytes, str] = {}
        for place, row in dataset.rows(export):
            count += 1
            said = {key: value for key, value in row.items() if key not in _TOLD}
            key = hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=16).digest()
            if key in seen:
                result.fail(f"{place}: the same as {seen[key]}")
            seen.setdefault(key, place)
    result.said = f"{count:,} rows"


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)
