"""Datasets to check: good ones of every shape, and what the checks say of one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from dolphin_logger.cli.building import make_cleaner
from dolphin_logger.curate.check import NAMES, Dataset, Result, checks_of, run_checks
from dolphin_logger.curate.manifest import read_manifest
from dolphin_logger.example import Piece, Unit
from dolphin_logger.exporters import EXPORTERS, Options, Row, prepare
from dolphin_logger.journal.home import Home
from tests.support.agent_sessions import chat_example, tool_example
from tests.support.datasets import conversation, write_dataset
from tests.support.pieces import EXAMPLES, PIECES

PLAIN = ("plain", "an agent")
_FITTING: dict[str, Sequence[Piece]] = {  # where the two of PLAIN do not fit
    "kto": (EXAMPLES["plain"], EXAMPLES["rated 1"]),
    "sharegpt": (chat_example(), tool_example()),
    "alpaca": (EXAMPLES["plain"], chat_example()),
    "log": (PIECES[Unit.EXCHANGE]["plain"],),
}
FAST = tuple(name for name in NAMES if name != "loading")
Rows = dict[str, list[Any]]


@cache
def _good() -> Rows:
    found: Rows = {}
    for name, exporter in EXPORTERS.items():
        rows: list[Any] = []
        for given in _FITTING.get(name) or [PIECES[exporter.unit][odd] for odd in PLAIN]:
            piece, _ = prepare(given, Options())
            written = list(exporter.rows(piece, Options()))
            rows += [written] if exporter.is_file_each else written
        found[name] = rows
    return found


def good_rows(*names: str) -> Rows:
    """Give rows of these shapes, or of all, that are as they have to be; of `traces` lists of lines."""
    return deepcopy({name: _good()[name] for name in names or EXPORTERS})


def write(home: Home, rows: Mapping[str, Sequence[Any]], **more: Any) -> Dataset:
    """Write rows as the dataset `d`, in the place of one that is there."""
    shutil.rmtree(home.datasets / "d", ignore_errors=True)
    named = {
        name: [(conversation(number), row) for number, row in enumerate(of, 1)]
        for name, of in rows.items()
    }
    return Dataset(read_manifest(write_dataset(home, "d", named, **more)))


def scan(home: Home, **more: Any) -> Callable[[Row], Iterator[tuple[str, str]]]:
    """Make what searches a row."""
    cleaner = make_cleaner(home, rules=(), key=bytes(32), **more)

    def look(row: Row) -> Iterator[tuple[str, str]]:
        yield from ((found.path, found.rule) for found in cleaner.scan(row))

    return look


def check(
    home: Home, dataset: Dataset, *, only: Sequence[str] = FAST, **more: Any
) -> dict[str, Result]:
    """Run checks; give the results by name."""
    checks = checks_of(dataset, scan=scan(home, **more))
    return {result.name: result for result in run_checks(checks, only=only)}


def failed(results: Mapping[str, Result]) -> dict[str, list[str]]:
    """Give the problems of the checks that failed, by name."""
    return {name: result.problems for name, result in results.items() if result.is_failed}


def only_file(dataset: Dataset, export: str) -> Path:
    """Give the path of the one file of an export."""
    (found,) = [one for one in dataset.exports if one.name == export]
    return dataset.folder / str(found.files[0]["path"])
