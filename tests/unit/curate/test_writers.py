"""Rows in files: shards, schemas, and what JSON and UTF-8 cannot carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.curate.rows import decode_row, encode_row
from dolphin_logger.curate.writers import ExportWriter, Written
from dolphin_logger.exporters import EXPORTERS
from dolphin_logger.journal.home import make_private_folder

LONG = 2**80


def _row(number: int, **more: Any) -> bytes:
    said = [{"role": "user", "content": f"{number}" + "x" * 300_000}]
    return encode_row({"messages": said, "tools": [], "metadata": {"number": number} | more})


def _write(folder: Path, form: str, *, splits: int = 1) -> list[Written]:
    make_private_folder(folder)
    writer = ExportWriter(folder, EXPORTERS["messages"], form=form, shard_mib=1)
    for number in range(8):
        writer.add(
            [_row(number)],
            conversation="c",
            split=("train", "validation")[number % splits],
            name=f"{number}",
        )
    return writer.close()


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_new_file_begins_at_the_limit(tmp_path: Path, form: str) -> None:
    """Files are numbered out of how many there are, in order, and hold all rows of their split."""
    if form == "parquet":
        pytest.importorskip("pyarrow")
    written = _write(tmp_path / "d", form, splits=2)
    assert [one.path for one in written] == [
        f"data/messages/train-00000-of-00001.{form}",
        f"data/messages/validation-00000-of-00001.{form}",
    ]
    written = _write(tmp_path / "e", form)
    assert [(one.path, one.rows) for one in written] == [
        (f"data/messages/train-00000-of-00002.{form}", 4),
        (f"data/messages/train-00001-of-00002.{form}", 4),
    ]
    for one in written:
        assert (tmp_path / "e" / one.path).stat().st_size == one.bytes
    assert sorted(path.name for path in (tmp_path / "e" / "data" / "messages").iterdir()) == [
        Path(one.path).name for one in written
    ]


def test_every_parquet_shard_has_one_schema(tmp_path: Path) -> None:
    """A shard whose columns are all empty has the schema of the others; bytes are the same each time."""
    pytest.importorskip("pyarrow")
    import pyarrow.parquet

    found = []
    for name in ("a", "b"):
        make_private_folder(tmp_path / name)
        writer = ExportWriter(tmp_path / name, EXPORTERS["messages"], form="parquet", shard_mib=1)
        writer.add([_row(1), encode_row({"messages": [], "tools": [], "metadata": None})], conversation="c", split="train", name="1")  # fmt: skip
        writer.add([encode_row({"messages": None})], conversation="c", split="validation", name="2")
        found.append(writer.close())
    assert found[0] == found[1]
    full, empty = (pyarrow.parquet.read_table(tmp_path / "a" / one.path) for one in found[0])
    assert full.schema == empty.schema
    assert empty.to_pylist() == [{"messages": None, "tools": None, "metadata": None}]
    assert full.column("messages").to_pylist()[1] == []


def test_a_row_is_json_and_utf8_whatever_was_said() -> None:
    """Numbers of any length stay; half characters and what is no number are replaced."""
    line = encode_row({"a": LONG, "b": "x\ud800y", "c": float("nan"), "d\udfff": "ü"})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line.decode()) == {"a": LONG, "b": "x\ufffdy", "c": None, "d\ufffd": "ü"}
    assert decode_row(line)["a"] == LONG
    assert decode_row(encode_row({"a": [2**63, -(2**63)]})) == {"a": [2**63, -(2**63)]}


def test_a_row_is_one_line_for_whoever_cuts_text_into_lines() -> None:
    """Separators that `str.splitlines` knows are written as escapes: another spelling, the same value."""
    row = {"a": "one\u2028two\u2029three\x85four\x0b\x0c\x1c\x1e\r\nfive", "\u2028": 2**70}
    line = encode_row(row)
    assert len(line.decode().splitlines()) == 1
    assert decode_row(line) == row
    assert len(encode_row(row | {"\u2028": 1}).decode().splitlines()) == 1
