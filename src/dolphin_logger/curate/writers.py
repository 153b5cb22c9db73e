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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import orjson

from dolphin_logger.errors import DatasetError
from dolphin_logger.exporters import Column, Exporter
from dolphin_logger.journal.home import make_private_folder, open_private_file

JSONL: Final = "jsonl"
PARQUET: Final = "parquet"
SPLITS: Final = ("train", "validation")
ORIGINS: Final = "local/origins.jsonl"  # the conversation of every row, file by file
_MIB: Final = 1 << 20
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
    """Rows of one file; `size` in bytes of JSON."""

    rows: int
    size: int

    def add(self, line: bytes) -> None:
        """Write one row, given as a line."""

    def finish(self) -> None:
        """Write what is left."""


class ExportWriter:
    """Writes the rows of one export."""

    def __init__(self, folder: Path, exporter: Exporter, *, form: str, shard_mib: int) -> None:
        self._folder = folder / "data" / exporter.name
        self._exporter = exporter
        self._form = form if exporter.columns and not exporter.is_file_each else JSONL
        self._limit = shard_mib * _MIB
        self._open: dict[str, tuple[Shard, BinaryIO]] = {}
        self._made: dict[str, list[tuple[Path, int]]] = {split: [] for split in SPLITS}
        self._named: list[tuple[Path, str, int]] = []
        self._origins: dict[Path, list[str]] = {}
        make_private_folder(self._folder)

    def add(self, lines: Sequence[bytes], *, split: str, name: str, conversation: str) -> None:
        """Write the rows of one piece; `name` is its file's, where each piece has one."""
        if self._exporter.is_file_each:
            path = self._folder / f"{split}-{name}.{JSONL}"
            write_lines(path, lines)
            self._named.append((path, split, len(lines)))
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
        if split in self._open and self._open[split][0].size >= self._limit:
            self._end(split)
        if split not in self._open:
            path = self._folder / f".{split}-{len(self._made[split]):05d}"
            self._origins[path] = []
            file = create_file(path)
            self._open[split] = shard_in(file, self._exporter.columns, form=self._form), file
            self._made[split].append((path, 0))
        return self._open[split][0]

    def _end(self, split: str) -> None:
        shard, file = self._open.pop(split)
        shard.finish()
        _finish(file)
        self._made[split][-1] = (self._made[split][-1][0], shard.rows)


def shard_in(file: BinaryIO, columns: Sequence[Column], *, form: str) -> Shard:
    """Begin to write rows into a file."""
    if form != PARQUET:
        return _Lines(file)
    from dolphin_logger.curate.tables import Table  # noqa: PLC0415 -- an extra

    return Table(file, columns)


@contextmanager
def open_shard(path: Path, columns: Sequence[Column], *, form: str) -> Iterator[Shard]:
    """Write a new file of rows; it is whole when the block ends."""
    file = create_file(path)
    try:
        shard = shard_in(file, columns, form=form)
        yield shard
        shard.finish()
    finally:
        _finish(file)


class _Lines:
    """A shard of JSON lines."""

    def __init__(self, file: BinaryIO) -> None:
        self.rows = self.size = 0
        self._file = file

    def add(self, line: bytes) -> None:
        """Write one row, given as a line."""
        self._file.write(line)
        self.rows += 1
        self.size += len(line)

    def finish(self) -> None:
        """Have nothing left."""


def check_form(form: str) -> None:
    """Say whether files of this form can be written here.

    Raises:
        DatasetError: a package is missing.
    """
    if form != PARQUET:
        return
    try:
        import dolphin_logger.curate.tables  # noqa: F401, PLC0415 -- an extra, tried before anything long
    except ImportError:
        raise DatasetError(
            "Parquet needs pyarrow: pip install 'dolphin-logger[dataset]', or take --format jsonl"
        ) from None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file for people and programs, its keys in the order given."""
    with create_file(path) as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with create_file(path) as file:
        file.write(text.encode("utf-8", "replace"))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file of lines."""
    with create_file(path) as file:
        file.writelines(lines)


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
