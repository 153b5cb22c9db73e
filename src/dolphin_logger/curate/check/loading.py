"""Loading: `datasets` reads the files offline, and gives back the rows that lie in them.

In a process of its own: the package reads its settings, the network's among them, when it is imported.
Missing keys and nulls count as the same: a table has a cell for each column of each row. So do numbers
that differ in the last of their digits: the package reads 0.95 as 0.9500000000000001 (pandas' ujson).
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset, Export
from dolphin_logger.curate.check.report import Result
from dolphin_logger.curate.manifest import read_manifest
from dolphin_logger.errors import DatasetError

_CURE: Final = "the package datasets is missing: pip install 'dolphin-logger[check]'"
_END: Final = ("the end", None)
_DIGITS: Final = 15


def check_loading(dataset: Dataset, result: Result) -> None:
    """Load every split of every export as a user of the Hub would, and compare row by row."""
    if find_spec("datasets") is None:
        result.fail(_CURE)
        return
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=context) as alone:
            found = alone.submit(_load_all, str(dataset.folder)).result()
    except BrokenProcessPool:
        result.fail("the process that loads was ended, perhaps for want of memory")
        return
    result.status, result.said = found.status, found.said
    result.problems, result.more = found.problems, found.more


def _load_all(folder: str) -> Result:
    with tempfile.TemporaryDirectory() as cache:
        os.environ |= {
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HOME": cache,
        }
        import datasets  # noqa: PLC0415  # an extra

        datasets.disable_progress_bars()
        datasets.logging.set_verbosity(datasets.logging.CRITICAL)
        dataset, result, count = Dataset(read_manifest(Path(folder))), Result("loading"), 0
        for export in dataset.exports:
            for split in export.files_by_split:
                count += _load(datasets, dataset, export, split, cache=cache, result=result)
        result.said = f"{count:,} rows through datasets {datasets.__version__}, offline"
        return result


def _load(
    datasets: Any, dataset: Dataset, export: Export, split: str, *, cache: str, result: Result
) -> int:
    paths = [file["path"] for file in export.files if file["split"] == split]
    kind = "parquet" if paths[0].endswith(".parquet") else "json"
    try:
        loaded = datasets.load_dataset(
            kind,
            data_files={split: [str(dataset.folder / path) for path in paths]},
            split=split,
            cache_dir=cache,
        )
    except Exception as error:  # noqa: BLE001  # whatever it raises is what a user would see
        result.fail(f"{export.name}, {split}: datasets cannot load it: {_root_of(error)}")
        return 0
    if export.is_file_each:
        if len(loaded) != len(paths):
            result.fail(f"{export.name}, {split}: {len(loaded)} sessions of {len(paths)} files")
        return len(loaded)
    here = (found for path in paths for found in dataset.rows_of(path))
    try:
        for (place, row), back in zip_longest(here, loaded, fillvalue=_END):
            if back is _END or _told(row) != _told(back):
                at = _differing(row, back)
                result.fail(f"{place}: comes back from datasets as another row{at}")
    except DatasetError as error:
        result.fail(str(error))
    return len(loaded)


def _told(value: Any) -> Any:
    """Give a value without nulls, and numbers to the digits that all readers agree on."""
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items() if one is not None}
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    return [_told(one) for one in value] if isinstance(value, list) else value


def _differing(row: Any, back: Any) -> str:
    """Name the first column that differs."""
    if not isinstance(row, dict) or not isinstance(back, dict):
        return ""
    names: Iterator[str] = (name for name in row if _told(row[name]) != _told(back.get(name)))
    return next((f" (column {name})" for name in names), "")


def _root_of(error: BaseException) -> str:
    """Give what went wrong at the bottom, on one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return f"{said}; pip install teich" if "teich" in said else said
