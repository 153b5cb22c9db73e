"""Writers: rows into the files of one export, JSONL or Parquet, in shards of a limited size.

    data/<export>/train-00000-of-00002.jsonl      validation-00000-of-00001.parquet

They know rows as lines, splits and columns, not where rows come from. Every file is written under a
name of its own and renamed when the number of shards is known.
Invariants: the same rows in the same order give the same bytes; every shard of a shape has the same
Arrow schema; files are 0600.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import orjson

from dolphin_logger.curate.rows import decode_row
from dolphin_logger.errors import DatasetError
from dolphin_logger.exporters import Exporter
from dolphin_logger.journal.home import make_private_folder, open_private_file

JSONL: Final = "jsonl"
PARQUET: Final = "parquet"
SPLITS: Final = ("train", "validation")
ORIGINS: Final = "local/origins.jsonl"  # the conversation of every row, file by file
_MIB: Final = 1 << 20
_GROUP_BYTES: Final = 32 * _MIB  # of rows as JSON, in a row group
_GROUP_ROWS: Final = 10_000
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """A file of rows; `path` from the folder of the dataset."""

    path: str
    split: str
    rows: int
    bytes: int
    sha256: str


class Shard(Protocol):
    """One open file of rows."""

    rows: int
    size: int  # bytes of its rows as JSON

    def add(self, line: bytes) -> None:
        """Write one row, given as a line."""

    def close(self) -> None:
        """Write what is left; the file is whole."""


class ExportWriter:
    """Writes the rows of one export."""

    def __init__(self, folder: Path, exporter: Exporter, *, form: str, shard_mib: int) -> None:
        self._folder = folder / "data" / exporter.name
        self._exporter = exporter
        self._form = form if exporter.columns and not exporter.is_file_each else JSONL
        self._limit = shard_mib * _MIB
        self._open: dict[str, Shard] = {}
        self._made: dict[str, list[tuple[Path, int]]] = {split: [] for split in SPLITS}
        self._named: list[tuple[Path, str, int]] = []
        self._origins: dict[Path, list[str]] = {}
        make_private_folder(self._folder)

    def add(self, lines: Sequence[bytes], *, split: str, name: str, conversation: str) -> None:
        """Write the rows of one piece; `name` is its file's, where each piece has one."""
        if self._exporter.is_file_each:
            path = self._folder / f"{split}-{name}.{JSONL}"
            shard = _Lines(path)
            for line in lines:
                shard.add(line)
            shard.close()
            self._named.append((path, split, shard.rows))
            self._origins[path] = [conversation]
            return
        for line in lines:
            self._shard(split).add(line)
            self._origins[self._made[split][-1][0]].append(conversation)

    def close(self) -> list[Written]:
        """Close and name all files; give them in order, those beside the rows excepted."""
        for split in list(self._open):
            self._end(split)
        for split, made in self._made.items():
            for number, (path, rows) in enumerate(made):
                name = f"{split}-{number:05d}-of-{len(made):05d}.{self._form}"
                self._origins[self._folder / name] = self._origins.pop(path)
                self._named.append((path.rename(self._folder / name), split, rows))
        root = self._folder.parent.parent
        written = [_written(path, root, split, rows) for path, split, rows in self._named]
        return sorted(written, key=lambda one: one.path)

    def origins(self) -> Iterator[tuple[str, list[str]]]:
        """Give, by path, the conversation of each row, or of the whole file."""
        root = self._folder.parent.parent
        for path, conversations in sorted(self._origins.items()):
            yield path.relative_to(root).as_posix(), conversations

    def _shard(self, split: str) -> Shard:
        shard = self._open.get(split)
        if shard is not None and shard.size >= self._limit:
            self._end(split)
            shard = None
        if shard is None:
            path = self._folder / f".{split}-{len(self._made[split]):05d}"
            columns = [(column.name, column.type) for column in self._exporter.columns]
            shard = open_shard(path, columns, form=self._form)
            self._origins[path] = []
            self._open[split] = shard
            self._made[split].append((path, 0))
        return shard

    def _end(self, split: str) -> None:
        shard = self._open.pop(split)
        shard.close()
        self._made[split][-1] = (self._made[split][-1][0], shard.rows)


def open_shard(path: Path, columns: Sequence[tuple[str, str]], *, form: str) -> Shard:
    """Begin a file of rows; `columns` are names and types as an exporter gives them."""
    return _Table(path, columns) if form == PARQUET else _Lines(path)


class _Lines:
    """A shard of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.rows = self.size = 0
        self._file = create_file(path)

    def add(self, line: bytes) -> None:
        self._file.write(line)
        self.rows += 1
        self.size += len(line)

    def close(self) -> None:
        _finish(self._file)


class _Table:
    """A shard in Parquet: columns of JSON as `arrow.json`, zstd, content-defined chunks.

    Source: arrow.apache.org, canonical extension types; huggingface.co/docs/hub, Xet.
    """

    def __init__(self, path: Path, columns: Sequence[tuple[str, str]]) -> None:
        import pyarrow.parquet

        self.rows = self.size = 0
        self._columns = columns
        self._schema = arrow_schema(columns)
        self._file = create_file(path)
        self._writer = pyarrow.parquet.ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            use_content_defined_chunking=True,
        )
        self._waiting: list[dict[str, Any]] = []
        self._waiting_bytes = 0

    def add(self, line: bytes) -> None:
        self._waiting.append(decode_row(line))
        self._waiting_bytes += len(line)
        self.rows += 1
        self.size += len(line)
        if self._waiting_bytes >= _GROUP_BYTES or len(self._waiting) >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        self._write_group()
        self._writer.close()
        _finish(self._file)

    def _write_group(self) -> None:
        import pyarrow

        if not self._waiting:
            return
        arrays = [
            _array([row.get(name) for row in self._waiting], kind) for name, kind in self._columns
        ]
        table = pyarrow.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table, row_group_size=len(self._waiting))
        self._waiting, self._waiting_bytes = [], 0


def check_form(form: str) -> None:
    """Say whether files of this form can be written here.

    Raises:
        DatasetError: a package is missing.
    """
    if form != PARQUET:
        return
    try:
        import pyarrow.parquet  # noqa: F401 - tried before anything long begins
    except ImportError:
        raise DatasetError(
            "Parquet needs pyarrow: pip install 'dolphin-logger[dataset]', or take --format jsonl"
        ) from None


def arrow_schema(columns: Sequence[tuple[str, str]]) -> Any:
    """Give the Arrow schema of a shape."""
    import pyarrow

    return pyarrow.schema([(name, _arrow_type(kind)) for name, kind in columns])


def _arrow_type(kind: str) -> Any:
    import pyarrow

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
    import pyarrow

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
    import pyarrow

    storage = pyarrow.array(texts, pyarrow.string())
    return pyarrow.ExtensionArray.from_storage(pyarrow.json_(), storage)


def _json_text(value: Any) -> str:
    from dolphin_logger.curate.rows import encode_row

    return encode_row(value)[:-1].decode()


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file for people and programs, its keys in the order given."""
    with create_file(path) as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with create_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def write_lines(path: Path, lines: Iterator[bytes]) -> None:
    """Write a file of lines."""
    with create_file(path) as file:
        for line in lines:
            file.write(line)


def create_file(path: Path) -> BinaryIO:
    """Make a new file that its owner alone may read."""
    return os.fdopen(open_private_file(path), "wb")


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _written(path: Path, root: Path, split: str, rows: int) -> Written:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Written(path.relative_to(root).as_posix(), split, rows, size, digest.hexdigest())
