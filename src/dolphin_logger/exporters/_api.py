"""The promise of an exporter: one dataset shape, as rows of JSON values.

An exporter gets pieces that are already chosen and clean, one at a time, and gives rows. It does not
know records, files, other pieces or how rows are stored. Invariants: pure; the same piece gives the
same rows; what does not fit a shape is said with a reason (`UnfitError`), never bent until it fits.

Who builds a dataset calls `prepare(piece, options)` (of this package) once for each piece, before it is
cleaned and whatever the shapes are. It gives the piece that exporters may count on, and the files of
its pictures: bytes by their path in the dataset, to be written once for each path. From then on a
picture of a chat is an address, such a path (`images/<sha256>.png`) or, embedded, a data: address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Piece, Unit
from dolphin_logger.exporters._stanzas import stanzas_of

Row: TypeAlias = dict[str, Any]


class UnfitError(DatasetError):
    """A piece has no place in this shape; the message says why in few words (`has tool calls`)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the shape, in order.

    `type` is one of `string`, `bool`, `int`, `float`, `json` (any JSON value), `list<string>` and
    `list<json>`; it decides the Arrow schema, the same for every shard.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Options:
    """What a recipe may say to every exporter.

    Attributes:
        images: `reference` keeps addresses as they are and puts pictures that are data into files of
            the dataset; `embedded` keeps all in the row; `drop` takes them out. `prepare` does it.
        reasoning: whether rows have what was thought; bodies as they were recorded keep it always.
        flavour: of the shape, where it has more than one (`traces`: pi, sts, native; `openai`:
            weighted); shapes that have no such flavour do not look at it.
    """

    images: str = "reference"
    reasoning: bool = True
    flavour: str | None = None


@runtime_checkable
class Exporter(Protocol):
    """One shape.

    Attributes:
        name: what recipes and folders call it.
        unit: what it makes rows of.
        columns: of its rows; empty where rows have no fixed columns, or each piece is a file of its own.
        is_file_each: whether the rows of each piece are the lines of a file of its own (`traces`).
    """

    name: str
    unit: Unit
    columns: Sequence[Column]
    is_file_each: bool

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write one piece.

        Raises:
            UnfitError: it has no place in this shape.
        """
        ...

    def beside(self, files: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Give the texts of files that trainers want beside the rows, by name.

        `files` are the names of the files of rows by split: `{"train": ["train-00000-of-00001.jsonl"]}`.
        """
        ...


class Together:
    """Part of an exporter whose rows lie together in files of many, beside them what trainers want."""

    name: str
    is_file_each = False

    def beside(self, files: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Give what the trainers want that read this shape; nothing where none does."""
        return stanzas_of(self.name, files)
