"""Carried: the rows that this machine gave before, looked at again under today's rules.

Rows of conversations that were removed or withdrawn go, rows that were said again differently go, and
what today's redactors find is replaced. It knows files of rows, no network.
Invariants: a file in which nothing changed keeps its bytes; nobody else's file is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.curate.rows import encode_row, read_lines
from dolphin_logger.curate.writers import open_shard
from dolphin_logger.publish.card import Shape
from dolphin_logger.publish.contributions import GivenFile, Origin, hash_row

Clean = Callable[[Any], tuple[Any, int]]  # a row → the row cleaned, and how many findings it had


@dataclass(frozen=True, slots=True)
class Again:
    """What became of a file: `path` of its new bytes, None where it has no rows left.

    `is_changed`: whether anything did; `dropped`, `cleaned`: numbers of rows.
    """

    given: GivenFile
    path: Path | None
    dropped: int = 0
    cleaned: int = 0

    @property
    def is_changed(self) -> bool:
        """Whether its bytes are others than before."""
        return bool(self.dropped or self.cleaned)


def carry(
    given: GivenFile,
    source: Path,
    *,
    shape: Shape,
    gone: Callable[[Origin, Any], bool],
    clean: Clean,
    target: Path,
) -> Again:
    """Look at each row of a file again; write what stays to `target` if that is not all of it."""
    kept: list[tuple[Origin, bytes]] = []
    dropped = cleaned = 0
    for at, (line, row) in enumerate(read_lines(source)):
        origin = given.origins[at] if at < len(given.origins) else Origin("", hash_row(line))
        if shape.is_file_each and given.origins:
            origin = given.origins[0]
        if gone(origin, row):
            dropped += 1
            continue
        better, findings = clean(row)
        cleaned += bool(findings)
        stays = encode_row(better) if findings else line
        kept.append((Origin(origin.conversation, hash_row(stays)), stays))
    if not dropped and not cleaned:
        return Again(given, source)
    if not kept:
        return Again(GivenFile(given.path, given.export, given.split, ()), None, dropped, cleaned)
    origins = tuple([origin for origin, _ in kept])
    if shape.is_file_each:
        origins = (Origin(kept[0][0].conversation, hash_row(b"".join(line for _, line in kept))),)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_shard(target, shape.typed, form=shape.suffix) as shard:
        for _, line in kept:
            shard.add(line)
    return Again(
        GivenFile(given.path, given.export, given.split, origins), target, dropped, cleaned
    )


def findings_in(source: Path, clean: Clean) -> int:
    """Count the rows of somebody else's file in which today's redactors find something."""
    return sum(bool(clean(row)[1]) for _, row in read_lines(source))


def is_gone(origin: Origin, row: Any, *, removed: Collection[str]) -> bool:
    """Say whether a row is of a record or conversation that was removed or withdrawn."""
    if origin.conversation in removed:
        return True
    metadata = row.get("metadata") if isinstance(row, dict) else None
    if not isinstance(metadata, dict):
        return False
    named = (
        metadata.get(name)
        for name in ("record", "conversation", "chosen_record", "rejected_record")
    )
    return any(isinstance(name, str) and name in removed for name in named)
