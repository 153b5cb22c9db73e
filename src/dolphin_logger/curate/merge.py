"""Merge: the parts of a build in sorted order, duplicates left out, into the files of a dataset.

What counts as a duplicate is decided here, for all conversations together, in the order of their ids:
the first one stays. It knows heads, lines and splits, not what the rows say.
Invariant: the same pieces give the same files, however they were spread over parts.
"""

from __future__ import annotations

import shutil
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate.duplicates import EXACT, Duplicates
from dolphin_logger.curate.part import Head, Portion
from dolphin_logger.curate.recipe import Recipe
from dolphin_logger.curate.rows import encode_row
from dolphin_logger.curate.writers import ORIGINS, ExportWriter, Written, create_file
from dolphin_logger.example import Unit
from dolphin_logger.exporters import Exporter
from dolphin_logger.journal.home import make_private_folder

_HASHES: Final = 1 << 32  # of what decides the split
_EXACT_ONLY: Final = (Unit.SESSION, Unit.EXCHANGE)


@dataclass(slots=True)
class Tally:
    """What was counted while merging."""

    rows: int = 0
    files: dict[str, list[Written]] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    records: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    providers: set[str] = field(default_factory=set)
    clients: set[str] = field(default_factory=set)
    first: str | None = None
    last: str | None = None

    def take(self, head: Head) -> None:
        """Count what is in the dataset."""
        self.records.add(head.piece)
        self.conversations.add(head.conversation)
        self.models.update(head.models)
        self.providers.update(head.providers)
        self.clients.update(head.clients)
        for time in head.times:
            self.first = time if self.first is None else min(self.first, time)
            self.last = time if self.last is None else max(self.last, time)


class Merge:
    """Writes one dataset into a folder."""

    def __init__(
        self, folder: Path, recipe: Recipe, exporters: Mapping[str, Exporter], *, images: Path
    ) -> None:
        self._folder, self._recipe, self._images = folder, recipe, images
        self._known: dict[str, Duplicates] = {}
        self.tally = Tally()
        make_private_folder(folder / "local")
        self._writers = {
            name: ExportWriter(folder, one, form=recipe.format, shard_mib=recipe.shard_mib)
            for name, one in exporters.items()
        }
        self._rejected = create_file(folder / "local" / "rejected.jsonl")
        self._findings = create_file(folder / "local" / "findings.jsonl")

    def reject(self, facts: Mapping[str, Any]) -> None:
        """Note something that is not in the dataset; `facts` has `reason` and `stage`."""
        self._rejected.write(encode_row(facts))
        self.tally.rejected[f"{facts['stage']}: {facts['reason']}"] += 1

    def run(self, portions: Iterator[Portion]) -> None:
        """Write the rows of all pieces."""
        for portion in portions:
            head = portion.head
            if head.reason is not None:
                self.reject(_facts(head, "quality", head.reason))
                continue
            if (repeated := self._repeated(head)) is not None:
                self.reject(_facts(head, "duplicates", "said before") | {"by": repeated})
                continue
            for name, why in head.unfit.items():
                self.reject(_facts(head, "shape", why) | {"export": name})
            if any(portion.rows.values()):
                self._write(portion)

    def close(self) -> Tally:
        """Close every file."""
        self._rejected.close()
        self._findings.close()
        origins = create_file(self._folder / ORIGINS)
        for name, writer in self._writers.items():
            self.tally.files[name] = writer.close()
            for path, conversations in writer.origins():
                origins.write(encode_row({"path": path, "conversations": conversations}))
        origins.close()
        return self.tally

    def _repeated(self, head: Head) -> str | None:
        """Give the piece that said the same before."""
        wanted = self._recipe.duplicates
        if not wanted.exact and not wanted.near:
            return None
        if head.unit not in self._known:
            threshold = wanted.near if wanted.near and head.unit not in _EXACT_ONLY else EXACT
            self._known[head.unit] = Duplicates(threshold)
        return self._known[head.unit].seen(head.piece, b64decode(head.said))

    def _write(self, portion: Portion) -> None:
        head, tally = portion.head, self.tally
        share = int(head.begins[:8], 16) / _HASHES
        split = "validation" if share < self._recipe.validation else "train"
        for name, lines in portion.rows.items():
            if lines:
                writer = self._writers[name]
                writer.add(lines, split=split, name=head.piece, conversation=head.conversation)
                tally.rows += len(lines)
        for finding in head.findings:
            where = {"conversation": head.conversation, "piece": head.piece, "unit": head.unit}
            self._findings.write(encode_row(where | finding))
            tally.findings[str(finding["rule"])] += 1
        for image in head.images:
            _copy(self._images / image, self._folder / "images" / image)
        tally.take(head)


def _facts(head: Head, stage: str, reason: str) -> dict[str, Any]:
    said = {"conversation": head.conversation, "piece": head.piece, "unit": head.unit}
    return said | {"stage": stage, "reason": reason}


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        return
    make_private_folder(target.parent)
    with source.open("rb") as read, create_file(target) as write:
        shutil.copyfileobj(read, write)
