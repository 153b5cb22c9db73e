"""Tables: a shard of rows in Parquet, columns of JSON as `arrow.json`.

Zstandard, content-defined chunks, one schema for every shard of a shape: `datasets` reads the values
back as they were, and a later version of a file shares its chunks. It knows columns and rows as lines.
Invariant: the same rows give the same bytes.

Source: arrow.apache.org/docs/format/CanonicalExtensions.html; huggingface.co/docs/hub/xet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow
import pyarrow.parquet

from dolphin_logger.curate.rows import decode_row, encode_row
from dolphin_logger.exporters import Column

_GROUP_BYTES: Final = 32 << 20  # of rows as JSON, in a row group
_GROUP_ROWS: Final = 10_000


class Table:
    """A shard that is being written."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        self.rows = self.size = 0
        self._columns = columns
        self._schema = arrow_schema(columns)
        self._writer = pyarrow.parquet.ParquetWriter(
            file, self._schema, compression="zstd", use_content_defined_chunking=True
        )
        self._waiting: list[dict[str, Any]] = []
        self._waiting_bytes = 0

    def add(self, line: bytes) -> None:
        """Write one row, given as a line."""
        self._waiting.append(decode_row(line))
        self._waiting_bytes += len(line)
        self.rows += 1
        self.size += len(line)
        if self._waiting_bytes >= _GROUP_BYTES or len(self._waiting) >= _GROUP_ROWS:
            self._write_group()

    def finish(self) -> None:
        """Write what is left, and the end of the file."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if not self._waiting:
            return
        arrays = [
            _array([row.get(column.name) for row in self._waiting], column.type)
            for column in self._columns
        ]
        table = pyarrow.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table, row_group_size=len(self._waiting))
        self._waiting, self._waiting_bytes = [], 0


def table_rows(path: Path) -> Iterator[Any]:
    """Read a Parquet file; columns of JSON come as the values that they say."""
    with pyarrow.parquet.ParquetFile(path) as file:
        kinds = [(field.name, _json_depth(field.type)) for field in file.schema_arrow]
        for batch in file.iter_batches():
            columns = [
                _values(column, depth)
                for column, (_, depth) in zip(batch.columns, kinds, strict=True)
            ]
            names = [name for name, _ in kinds]
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))


def _json_depth(kind: Any) -> int | None:
    """Say in how many lists the JSON of a column lies; None: it holds no JSON."""
    if pyarrow.types.is_list(kind):
        inner = _json_depth(kind.value_type)
        return None if inner is None else inner + 1
    return 0 if isinstance(kind, pyarrow.JsonType) else None


def _values(column: Any, depth: int | None) -> list[Any]:
    found: list[Any] = column.to_pylist()
    return found if depth is None else [_decoded(value, depth) for value in found]


def _decoded(value: Any, depth: int) -> Any:
    if value is None:
        return None
    if depth:
        return [_decoded(one, depth - 1) for one in value]
    return decode_row(value.encode())


def arrow_schema(columns: Sequence[Column]) -> Any:
    """Give the Arrow schema of a shape."""
    return pyarrow.schema([(column.name, _arrow_type(column.type)) for column in columns])


def _arrow_type(kind: str) -> Any:
    if kind.startswith("list<"):
        return pyarrow.list_(_arrow_type(kind[5:-1]))
    made = {
        "string": pyarrow.string,
        "bool": pyarrow.bool_,
        "int": pyarrow.int64,
        "float": pyarrow.float64,
        "json": pyarrow.json_,
    }
    return made[kind]()


def _array(values: list[Any], kind: str) -> Any:
    """Make a column; a JSON value stands in it as its text."""
    if kind == "json":
        texts = [None if value is None else _json_text(value) for value in values]
        return _as_json(texts)
    if kind == "list<json>":
        texts = [_json_text(element) for value in values for element in value or ()]
        offsets, total = [], 0
        for value in values:
            offsets.append(None if value is None else total)
            total += len(value or ())
        offsets.append(total)
        return pyarrow.ListArray.from_arrays(
            pyarrow.array(offsets, pyarrow.int32()), _as_json(texts)
        )
    return pyarrow.array(values, _arrow_type(kind))


def _as_json(texts: list[str | None] | list[str]) -> Any:
    storage = pyarrow.array(texts, pyarrow.string())
    return pyarrow.ExtensionArray.from_storage(pyarrow.json_(), storage)


def _json_text(value: Any) -> str:
    return encode_row(value)[:-1].decode()
