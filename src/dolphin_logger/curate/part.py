"""Parts: what one bucket of conversations became, in a file that is whole or not there.

A head for each piece, a JSON object on a line, then the rows of the piece, one line each, as they will
stand in the dataset. A piece that was rejected has a head and no rows. It knows lines, not shapes.
Invariants: conversations in sorted order; written in one rename.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from dolphin_logger.curate.rows import encode_row
from dolphin_logger.journal.home import open_private_file


@dataclass(slots=True)
class Head:
    """What the merging needs to know of a piece, without its rows.

    Attributes:
        piece: id of its record, or of the conversation for a session; `unit` as in `example.Unit`.
        reason: why it was rejected; None: it was not.
        begins: hash of what its conversation begins with, which decides the split.
        said: signature of what it says, in base64 (`duplicates`).
        exports: names of shapes and how many rows follow for each, in this order.
        unfit: shapes that have no place for it, and why.
        images: files that its rows refer to.
        findings: what was replaced, without the values.
        models, providers, clients, times: of what is in it.
    """

    conversation: str
    piece: str
    unit: str
    reason: str | None = None
    begins: str = ""
    said: str = ""
    exports: list[tuple[str, int]] = field(default_factory=list)
    unfit: dict[str, str] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Portion:
    """A piece as it lies in a part: its head and the lines of its rows by export."""

    head: Head
    rows: dict[str, list[bytes]]


def write_part(path: Path, portions: Iterable[Portion]) -> None:
    """Write a part, whole or not at all."""
    with _whole(path) as file:
        for portion in portions:
            file.write(encode_row(asdict(portion.head)))
            for lines in portion.rows.values():
                file.writelines(lines)


def write_once(path: Path, content: bytes) -> None:
    """Write a file that is named after its content, unless it is there."""
    if not path.exists():
        with _whole(path) as file:
            file.write(content)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name when all is in it."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        with os.fdopen(open_private_file(new), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def merge_parts(paths: Iterable[Path]) -> Iterator[Portion]:
    """Give the pieces of all parts, the conversations in sorted order."""
    with ExitStack() as stack:
        opened = [_read(stack.enter_context(path.open("rb"))) for path in paths]
        yield from heapq.merge(*opened, key=lambda portion: portion.head.conversation)


def _read(file: BinaryIO) -> Iterator[Portion]:
    while line := file.readline():
        head = Head(**orjson.loads(line))
        rows = {name: [file.readline() for _ in range(count)] for name, count in head.exports}
        yield Portion(head, rows)
