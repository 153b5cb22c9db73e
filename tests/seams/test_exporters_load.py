"""Rows as `datasets` reads them back: the same, from JSONL and from Parquet, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.pieces import PIECES
from tests.support.stored import load, write_lines, write_parquet

from dolphin_logger.exporters import EXPORTERS, Options, Row, UnfitError, prepare

# exporters whose rows lie together; a file for each piece is its own exporter's to test
SHARED = [name for name, exporter in EXPORTERS.items() if not exporter.is_file_each]
TABULAR = [name for name in SHARED if EXPORTERS[name].columns]


def rows_of(name: str) -> list[Row]:
    """Write every piece that an exporter can hold."""
    rows: list[Row] = []
    for piece in PIECES[EXPORTERS[name].unit].values():
        try:
            rows += EXPORTERS[name].rows(prepare(piece, Options())[0], Options())
        except UnfitError:
            continue
    return rows


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `datasets` read, by the names of the files."""
    pytest.importorskip("datasets")
    folder = tmp_path_factory.mktemp("rows")
    paths = [
        write_parquet(folder / f"{name}.parquet", rows_of(name), EXPORTERS[name].columns)
        for name in TABULAR
    ]
    paths += [write_lines(folder / f"{name}.jsonl", rows_of(name)) for name in SHARED]
    found = load(tmp_path_factory.mktemp("cache"), *paths)
    return {path.name: what for path, what in zip(paths, found, strict=True)}


def test_there_is_something_to_load() -> None:
    """Every exporter makes rows of some pieces, so that what follows says something."""
    assert {"messages", "turns", "preference", "kto", "vision", "log"} <= set(TABULAR)
    assert all(rows_of(name) for name in SHARED)


@pytest.mark.parametrize("name", TABULAR)
def test_parquet_comes_back_as_it_was(name: str, loaded: dict[str, Any]) -> None:
    """Parquet with JSON columns loads with the promised columns and exactly the same rows."""
    columns, rows = loaded[f"{name}.parquet"]
    assert columns == [column.name for column in EXPORTERS[name].columns]
    assert rows == rows_of(name)


@pytest.mark.parametrize("name", SHARED)
def test_lines_come_back_as_they_were(name: str, loaded: dict[str, Any], tmp_path: Path) -> None:
    """JSONL loads with exactly the same rows, whatever is mixed in content and arguments."""
    _, rows = loaded[f"{name}.jsonl"]
    written = write_lines(tmp_path / "x.jsonl", rows_of(name)).read_text().split("\n")
    lines = [json.loads(line) for line in written if line]
    assert lines == rows_of(name)
    if not EXPORTERS[name].columns:  # a key that a row does not have is read as null
        rows = [
            {key: value for key, value in row.items() if value is not None or key in line}
            for row, line in zip(rows, lines, strict=True)
        ]
    assert rows == lines
