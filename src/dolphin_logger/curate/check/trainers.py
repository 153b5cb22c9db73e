"""Trainers: what lies beside the rows for LLaMA-Factory and Axolotl, and the rows as both would read them.

It knows the files beside rows and which exports have them, and leaves the rules to `llama_factory` and
`axolotl`. Invariant: each file of rows is named once by each trainer that reads its shape.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from dolphin_logger import exporters
from dolphin_logger.curate.check import axolotl, llama_factory
from dolphin_logger.curate.check.dataset import Dataset, Export
from dolphin_logger.curate.check.report import Result
from dolphin_logger.errors import DatasetError

Reading = Callable[[Any], object]


def check_trainers(dataset: Dataset, result: Result) -> None:
    """Read every row that a trainer has an entry for, as the entry says."""
    count = 0
    for export in dataset.exports:
        for name in exporters.find(export.name).beside(export.files_by_split):
            try:
                readings = _READERS[name]((dataset.folder / export.folder / name).read_text())
            except (OSError, ValueError, DatasetError) as error:
                result.fail(f"{export.folder}/{name}: {error}")
                continue
            count += _read(dataset, export, readings, name=name, result=result)
    if count:
        result.said = f"{count:,} readings of rows by the rules of LLaMA-Factory and Axolotl"
    elif not result.is_failed:
        result.skip("no shape that LLaMA-Factory or Axolotl reads")


def _read(
    dataset: Dataset,
    export: Export,
    readings: list[tuple[str, Reading]],
    *,
    name: str,
    result: Result,
) -> int:
    paths = {Path(file["path"]).name: file["path"] for file in export.files}
    if sorted(file for file, _ in readings) != sorted(paths):
        result.fail(f"{export.folder}/{name}: does not name each file of rows once")
        return 0
    count = 0
    for file, reading in readings:
        for place, row in dataset.rows_of(paths[file]):
            count += 1
            try:
                reading(row)
            except DatasetError as error:
                result.fail(f"{place}: {error}")
    return count


def _entries(text: str) -> list[tuple[str, Reading]]:
    """Read `dataset_info.json`: files with what reads their rows."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise DatasetError("no object of entries")
    entries = [llama_factory.hold_entry(entry) for entry in found.values()]
    return [(entry["file_name"], _bound(llama_factory.read, entry)) for entry in entries]


def _items(text: str) -> list[tuple[str, Reading]]:
    """Read `axolotl.yaml`: files with what reads their rows."""
    found = axolotl.items(axolotl.stanza(text))
    return [(item["path"], _bound(axolotl.read, item)) for item in found]


def _bound(read: Callable[[Any, Any], object], entry: Mapping[str, Any]) -> Reading:
    return lambda row: read(entry, row)


_READERS: Final[Mapping[str, Callable[[str], list[tuple[str, Reading]]]]] = {
    "dataset_info.json": _entries,
    "axolotl.yaml": _items,
}
