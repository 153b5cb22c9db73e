"""Review: what a person sees before confirming, as plain values.

Counts, models, dates, findings by rule, the rows with most findings, a sample, and what is new against
the repository. It knows what was staged, neither terminals nor the Hub. Invariant: the same staging
gives the same review; the sample is drawn by the hash that is confirmed, so it shows those very bytes.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate.rows import decode_row, read_lines
from dolphin_logger.publish.built import Built
from dolphin_logger.publish.hub import Remote
from dolphin_logger.publish.staging import Staged
from dolphin_logger.publish.summary import Summary, most

SAMPLE: Final = 5
_TOP: Final = 5


@dataclass(frozen=True, slots=True)
class Review:
    """What is shown.

    Attributes:
        digest: what is confirmed. files: (path, bytes) of all that goes up. deletions: paths.
        new: rows by shape. findings: replaced spans by rule, of the whole dataset.
        most_found: (conversation, number of findings), the most first.
        sample: (shape, row) of new rows.
    """

    repository: str
    private: bool
    user: str
    may_write: bool
    digest: str
    files: tuple[tuple[str, int], ...]
    deletions: tuple[str, ...]
    new: dict[str, int]
    conversations: int
    known: int
    summary: Summary
    first: str | None
    last: str | None
    findings: tuple[tuple[str, int], ...]
    most_found: tuple[tuple[str, int], ...]
    sample: tuple[tuple[str, Any], ...]
    dropped: dict[str, int]
    cleaned: dict[str, int]
    others: dict[str, int]
    unreadable: tuple[str, ...]
    busy: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Write it for programs."""
        return {
            "repository": self.repository,
            "private": self.private,
            "user": self.user,
            "may_write": self.may_write,
            "digest": self.digest,
            "files": [{"path": path, "bytes": size} for path, size in self.files],
            "deletions": list(self.deletions),
            "new": {"rows": self.new, "conversations": self.conversations, "known": self.known},
            "summary": self.summary.to_json(),
            "first": self.first,
            "last": self.last,
            "findings": dict(self.findings),
            "most_found": [{"conversation": one, "findings": n} for one, n in self.most_found],
            "sample": [{"export": name, "row": row} for name, row in self.sample],
            "dropped": self.dropped,
            "cleaned": self.cleaned,
            "others": self.others,
            "unreadable": list(self.unreadable),
            "busy": list(self.busy),
        }


def make_review(staged: Staged, built: Built | None, remote: Remote) -> Review:
    """Gather what is to be seen of a staged publication."""
    found: Counter[str] = Counter()
    for folder in built.folders if built else ():
        for one in _findings(folder):
            if one.get("conversation") in staged.conversations:
                found[str(one["conversation"])] += 1
    return Review(
        repository=remote.name,
        private=remote.private,
        user=remote.user,
        may_write=remote.may_write,
        digest=staged.changes.digest,
        files=tuple([(one.path, one.size) for one in staged.changes.additions]),
        deletions=staged.changes.deletions,
        new=staged.new,
        conversations=len(staged.conversations),
        known=staged.known,
        summary=staged.summary,
        first=built.first if built else None,
        last=built.last if built else None,
        findings=tuple(most(Counter(built.findings))) if built else (),
        most_found=tuple(most(found)[:_TOP]),
        sample=tuple(_sample(staged.files, staged.changes.digest)),
        dropped=staged.dropped,
        cleaned=staged.cleaned,
        others=staged.others,
        unreadable=tuple(sorted(staged.unreadable)),
        busy=tuple(sorted(staged.busy)),
    )


def holding(staged: Staged, text: str) -> Iterator[str]:
    """Give the conversations of new rows in which a text stands."""
    wanted = json.dumps(text, ensure_ascii=False)[1:-1]
    found: dict[str, None] = {}
    for path, whose in staged.whose.items():
        for at, (_, row) in enumerate(read_lines(path)):
            if wanted in json.dumps(row, ensure_ascii=False):
                found[whose[min(at, len(whose) - 1)]] = None
    yield from found


def _sample(files: Sequence[tuple[str, Path]], digest: str) -> Iterator[tuple[str, Any]]:
    """Draw rows; which ones depends on nothing but the hash and their number."""
    total = sum(1 for _, path in files for _ in read_lines(path))
    chance = random.Random(digest)  # noqa: S311  # a sample for people
    wanted = set(chance.sample(range(total), min(SAMPLE, total)))
    at = 0
    for name, path in files:
        for _, row in read_lines(path):
            if at in wanted:
                yield name, row
            at += 1


def _findings(folder: Path) -> Iterator[dict[str, Any]]:
    path = folder / "local" / "findings.jsonl"
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                yield decode_row(line)
