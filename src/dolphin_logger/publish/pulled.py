"""Pulled: a published dataset on this disk, beside what was built here.

Rows are compared by the hash of their bytes as JSON, so that JSON lines and Parquet compare.
It knows files and rows, no commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dolphin_logger.curate.rows import encode_row, read_lines
from dolphin_logger.publish.built import Built
from dolphin_logger.publish.changes import RemoteFile
from dolphin_logger.publish.contributions import hash_row
from dolphin_logger.publish.hub import Hub

_ROWS = (".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of one export: how many rows are in both, only there, only here."""

    export: str
    both: int
    there: int
    here: int


def pull_files(
    hub: Hub,
    tree: Mapping[str, RemoteFile],
    *,
    revision: str,
    folder: Path,
    advance: Callable[[int], object],
) -> None:
    """Bring every file of a revision into a folder; those that are there already are not sent again."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, file in sorted(tree.items()):
        hub.download(path, revision=revision, folder=folder)
        advance(file.size)


def compare(folder: Path, built: Built | None) -> list[Comparison]:
    """Compare what was pulled with what was built, export by export."""
    there: dict[str, Counter[str]] = {}
    for path in sorted((folder / "data").glob("*/*")):
        if path.suffix in _ROWS:
            there.setdefault(path.parent.name, Counter()).update(_hashes(path))
    here: dict[str, Counter[str]] = {}
    for shape, files in (built.files if built else {}).items():
        for file in files:
            known = here.setdefault(shape.name, Counter())
            known |= Counter(_hashes(file.path))  # two datasets may have the same row
    return [
        _compared(name, there.get(name, Counter()), here.get(name, Counter()))
        for name in sorted(there.keys() | here.keys())
    ]


def _hashes(path: Path) -> Iterator[str]:
    for _, row in read_lines(path):
        yield hash_row(encode_row(row))


def _compared(name: str, there: Counter[str], here: Counter[str]) -> Comparison:
    both = (there & here).total()
    return Comparison(name, both, there.total() - both, here.total() - both)
