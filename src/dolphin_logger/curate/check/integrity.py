"""Integrity: the files are those of the manifest, and no row stands there twice."""

from __future__ import annotations

import hashlib

from dolphin_logger.curate.check.dataset import Dataset
from dolphin_logger.curate.check.report import Result
from dolphin_logger.curate.rows import read_lines


def check_files(dataset: Dataset, result: Result) -> None:
    """Compare every file with the manifest: bytes, hash, number of rows, and no file besides."""
    count = 0
    for export in dataset.exports:
        for file in export.files:
            path = dataset.folder / file["path"]
            count += 1
            try:
                with path.open("rb") as opened:
                    found = hashlib.file_digest(opened, "sha256").hexdigest()
                rows = sum(1 for _ in read_lines(path))
            except (OSError, ValueError) as error:
                result.fail(f"{file['path']}: cannot be read: {error}")
                continue
            if found != file["sha256"]:
                result.fail(f"{file['path']}: not the bytes that were built")
            if rows != file["rows"]:
                result.fail(f"{file['path']}: {rows} rows, the manifest says {file['rows']}")
    result.said = f"{count} files against manifest.json"


def check_columns(dataset: Dataset, result: Result) -> None:
    """Look whether every row has exactly the columns of its shape."""
    count = 0
    for export in dataset.exports:
        names = {name for name, _ in export.columns}
        for place, row in dataset.rows(export) if names else ():
            count += 1
            if not isinstance(row, dict) or row.keys() != names:
                odd = sorted(set(row) ^ names) if isinstance(row, dict) else type(row).__name__
                result.fail(f"{place}: columns differ from the shape's: {odd}")
    result.said = f"{count:,} rows against their shapes"


def check_duplicates(dataset: Dataset, result: Result) -> None:
    """Look for rows that stand there twice; what is only told beside a row does not make it another."""
    count = 0
    for export in dataset.exports:
        if export.is_file_each:
            continue
        seen: dict[bytes, str] = {}
        for place, row in dataset.rows(export):
            count += 1
            said = {key: value for key, value in row.items() if key != "metadata"}
            key = hashlib.blake2b(repr(said).encode("utf-8", "replace"), digest_size=16).digest()
            if key in seen:
                result.fail(f"{place}: the same as {seen[key]}")
            seen.setdefault(key, place)
    result.said = f"{count:,} rows"
