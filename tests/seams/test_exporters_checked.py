"""Rows of any piece keep the rules that `dataset check` holds them against."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.checked import check, failed, write
from tests.support.pieces import PIECES

from dolphin_logger.exporters import EXPORTERS, Options, UnfitError, prepare
from dolphin_logger.journal.home import Home


@pytest.mark.parametrize("name", [*EXPORTERS])
def test_what_an_exporter_writes_keeps_the_rules_of_its_shape(name: str, tmp_path: Path) -> None:
    """However odd a piece is, its rows are what trainers of the shape read, or there are none."""
    home, exporter, rows = Home(tmp_path / "home"), EXPORTERS[name], []
    home.prepare()
    for piece in PIECES[exporter.unit].values():
        try:
            written = list(exporter.rows(prepare(piece, Options())[0], Options()))
        except UnfitError:
            continue
        rows += [written] if exporter.is_file_each else written
    assert rows
    results = check(
        home, write(home, {name: rows}), only=("columns", "shapes", "types", "trainers")
    )
    assert failed(results) == {}
