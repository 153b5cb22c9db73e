"""Loading: `datasets` reads the files offline, and gives back the rows that lie in them.

Missing keys and nulls count as the same: a table has a cell for each column of each row.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

from dolphin_logger.curate.check.dataset import Dataset, Export
from dolphin_logger.curate.check.report import Result

_CURE = "pip install 'dolphin-logger[check]'"


def check_loading(dataset: Dataset, result: Result) -> None:
    """Load every split of every export as a user of the Hub would, and compare row by row."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import datasets  # noqa: PLC0415  # an extra
    except ImportError:
        result.fail(f"the package datasets is missing: {_CURE}")
        return
    datasets.disable_progress_bars()
    count = 0
    with tempfile.TemporaryDirectory() as cache:
        for export in dataset.exports:
            for split in sorted({file["split"] for file in export.files}):
                count += _load(datasets, dataset, export, split, cache=cache, result=result)
    result.said = f"{count:,} rows through datasets {datasets.__version__}"


def _load(
    datasets: Any, dataset: Dataset, export: Export, split: str, *, cache: str, result: Result
) -> int:
    files = [file for file in export.files if file["split"] == split]
    paths = [str(dataset.folder / file["path"]) for file in files]
    kind = "parquet" if paths[0].endswith(".parquet") else "json"
    try:
        loaded = datasets.load_dataset(
            kind, data_files={split: paths}, split=split, cache_dir=cache
        )
    except Exception as error:  # noqa: BLE001  # whatever it raises is what a user would see
        cure = "; pip install teich" if export.is_file_each and "teich" in str(error) else ""
        result.fail(f"{export.name}/{split}: datasets cannot load it: {_first_line(error)}{cure}")
        return 0
    if export.is_file_each:
        if len(loaded) != len(files):
            result.fail(f"{export.name}/{split}: {len(loaded)} sessions of {len(files)} files")
        return len(loaded)
    here = (found for file in files for found in _rows(dataset, file["path"]))
    for (place, row), back in zip_longest(here, loaded, fillvalue=("the end", None)):
        if _without_nulls(row) != _without_nulls(back):
            result.fail(f"{place}: comes back from datasets as another row{_where(row, back)}")
    return len(loaded)


def _rows(dataset: Dataset, path: str) -> Iterable[tuple[str, Any]]:
    from dolphin_logger.curate.rows import read_lines  # noqa: PLC0415

    for number, (_, row) in enumerate(read_lines(dataset.folder / Path(path)), 1):
        yield f"{path}:{number}", row


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _where(row: Any, back: Any) -> str:
    """Name the first column that differs."""
    if not isinstance(row, dict) or not isinstance(back, dict):
        return ""
    for name in row:
        if _without_nulls(row[name]) != _without_nulls(back.get(name)):
            return f" (column {name})"
    return ""


def _first_line(error: BaseException) -> str:
    """Give what went wrong at the bottom, on one line."""
    at = error
    while at.__cause__ is not None:
        at = at.__cause__
    return f"{type(at).__name__}: {' '.join(str(at).split())[:200]}"
