"""The promise of exporters, kept by each: fixed columns, plain JSON, the same again, a reason or a row."""

from __future__ import annotations

import copy
import importlib.metadata
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.pieces import PIECES, PNG, SEAL, THOUGHT

from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Piece, Unit
from dolphin_logger.exporters import (
    EXPORTERS,
    Column,
    Exporter,
    Options,
    Row,
    UnfitError,
    find,
    prepare,
)

OPTIONS = Options()
FITS = {
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "float": lambda value: isinstance(value, float),
    "json": lambda _: True,
    "list<string>": lambda value: (
        isinstance(value, list) and all(isinstance(inner, str) for inner in value)
    ),
    "list<json>": lambda value: isinstance(value, list),
}
EVERY = [(name, odd) for name, exporter in EXPORTERS.items() for odd in PIECES[exporter.unit]]


def rows_of(name: str, piece: Piece, options: Options = OPTIONS) -> list[Row]:
    """Write a piece as a build does; nothing where it has no place in the shape, which needs a reason."""
    rows: list[Row] = []
    reason = ""
    try:
        rows = list(EXPORTERS[name].rows(prepare(piece, options)[0], options))
    except UnfitError as unfit:
        reason = str(unfit)
    assert rows or re.fullmatch(r"[^\n]{3,120}", reason), reason
    return rows


def piece_of(name: str, odd: str) -> Piece:
    """Find a piece for an exporter."""
    return PIECES[EXPORTERS[name].unit][odd]


def texts_of(value: Any) -> Iterator[str]:
    """Give every text in a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


@pytest.mark.parametrize("name", EXPORTERS)
def test_it_keeps_the_promise(name: str) -> None:
    """An exporter is what `_api` asks for, is listed and found by its own name, and names known types."""
    exporter = EXPORTERS[name]
    assert isinstance(exporter, Exporter)
    assert exporter.name == name
    assert find(name) is exporter
    assert re.fullmatch("[a-z0-9-]+", name)
    assert isinstance(exporter.unit, Unit)
    assert all(isinstance(column, Column) and column.type in FITS for column in exporter.columns)
    names = [column.name for column in exporter.columns]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_ordinary_piece_becomes_rows(name: str) -> None:
    """A plain conversation has a place in every shape."""
    assert rows_of(name, piece_of(name, "plain"))


@pytest.mark.parametrize(("name", "odd"), EVERY)
def test_a_row_is_plain_json_in_its_columns(name: str, odd: str) -> None:
    """Rows have exactly the columns that are promised, in order, and are JSON that UTF-8 can hold."""
    columns = EXPORTERS[name].columns
    for row in rows_of(name, piece_of(name, odd)):
        text = json.dumps(row, ensure_ascii=False, allow_nan=False)
        assert json.loads(text.encode()) == row
        if columns:
            assert list(row) == [column.name for column in columns]
        for column in columns:
            assert FITS[column.type](row[column.name]), column


@pytest.mark.parametrize(("name", "odd"), EVERY)
def test_the_same_piece_gives_the_same_rows_and_stays_as_it_is(name: str, odd: str) -> None:
    """Writing a piece changes nothing in it, and does the same when it is done again with a copy."""
    piece = piece_of(name, odd)
    twin = copy.deepcopy(piece)
    first = json.dumps(rows_of(name, piece))
    assert repr(piece) == repr(twin)
    assert json.dumps(rows_of(name, twin)) == first
    try:
        ready, _ = prepare(piece, OPTIONS)
    except UnfitError:
        return
    before = repr(ready)
    try:
        once = json.dumps(list(EXPORTERS[name].rows(ready, OPTIONS)))
    except UnfitError:
        once = "[]"
    assert once == first
    assert repr(ready) == before


@pytest.mark.parametrize(("name", "odd"), EVERY)
def test_no_row_holds_a_seal(name: str, odd: str) -> None:
    """What a provider encrypted or signed is in no row, wherever it was recorded."""
    assert SEAL in repr(PIECES["exchange"]["seals"])
    assert SEAL not in json.dumps(rows_of(name, piece_of(name, odd)))


@pytest.mark.parametrize("name", EXPORTERS)
def test_thoughts_are_left_out_where_nobody_wants_them(name: str) -> None:
    """With `reasoning` off no row holds what was thought, in any field."""
    thoughtless = Options(reasoning=False)
    for odd, piece in PIECES[EXPORTERS[name].unit].items():
        assert THOUGHT not in json.dumps(rows_of(name, piece, thoughtless)), odd


@pytest.mark.parametrize("name", EXPORTERS)
@pytest.mark.parametrize("odd", ["pictures", "a picture that a tool gave"])
def test_pictures_are_files_or_stay_or_go(name: str, odd: str) -> None:
    """A row refers to files that were handed over, holds the picture itself, or neither."""
    pieces = PIECES[EXPORTERS[name].unit]
    if odd not in pieces:
        return
    piece = pieces[odd]
    ready, files = prepare(piece, OPTIONS)
    for text in texts_of(rows_of(name, piece)):
        for path in re.findall(r"images/[0-9a-f]{64}\.\w+", text):
            assert path in files
        assert PNG not in text or EXPORTERS[name].unit is Unit.EXCHANGE
    assert not files or EXPORTERS[name].unit is not Unit.EXCHANGE
    dropped = json.dumps(rows_of(name, piece, Options(images="drop")))
    assert PNG not in dropped
    assert "images/" not in dropped
    assert ready != piece or EXPORTERS[name].unit is Unit.EXCHANGE


@pytest.mark.parametrize("name", EXPORTERS)
def test_what_lies_beside_is_text_in_files_of_the_same_folder(name: str) -> None:
    """Files beside the rows have plain names, and the same rows have the same ones."""
    files = {"train": ["train-00000-of-00001.jsonl"], "validation": []}
    beside = EXPORTERS[name].beside(files)
    assert beside == EXPORTERS[name].beside(copy.deepcopy(files))
    for file, text in beside.items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", file)
        assert not file.startswith((".", "train", "validation"))
        assert isinstance(text, str)


class _Plugin:
    """An exporter that a stranger wrote."""

    name = "stranger"
    unit = Unit.LEAF
    columns: tuple[Column, ...] = ()
    is_file_each = False

    def rows(self, _piece: Piece, _options: Options) -> Iterator[Row]:
        """Give nothing."""
        return iter(())

    def beside(self, _files: object) -> dict[str, str]:
        """Give nothing."""
        return {}


@pytest.mark.parametrize(
    ("loads", "says"),
    [
        (_Plugin, None),
        (_Plugin(), None),
        (object(), "promise"),
        (int, "promise"),
        (find, "promise"),
    ],
)
def test_a_plugin_is_found_by_its_name(
    monkeypatch: pytest.MonkeyPatch, loads: object, says: str | None
) -> None:
    """An exporter of the entry-point group serves when it is named, if it keeps the promise."""

    class Point:
        value = "stranger:Exporter"

        def load(self) -> object:
            return loads

    def entry_points(*, group: str, name: str) -> list[Point]:
        return [Point()] if (group, name) == ("dolphin_logger.exporters", "stranger") else []

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    if says is None:
        assert find("stranger").name == "stranger"
    else:
        with pytest.raises(DatasetError, match=says):
            find("stranger")


def test_an_unknown_name_is_told_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody has is an error that lists every shape; a plugin that breaks is named."""
    with pytest.raises(DatasetError, match="unknown export 'mesages'; known: messages, turns"):
        find("mesages")

    class Broken:
        value = "stranger:Exporter"

        def load(self) -> object:
            raise ImportError("no such thing")

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [Broken()])
    with pytest.raises(DatasetError, match="plugin stranger:Exporter fails"):
        find("stranger")
