"""`dolphin-logger stats`: how much was recorded, by day, model, client and outcome."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import for_person, neutralise, paint, say, say_json, say_table
from dolphin_logger.cli.progress import progress
from dolphin_logger.cli.summary import local_time
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import BadLine, StoredRecord, read_segment, segments
from dolphin_logger.journal.sealed import text_size

_GROUPS = ("day", "model", "client", "outcome")
_TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


@dataclass(slots=True)
class Counts:
    """What is counted; `unknown` says of how many records a number of tokens is not known."""

    records: int = 0
    bad_lines: int = 0
    unfinished_lines: int = 0
    groups: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in _GROUPS}
    )
    tokens: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, item: StoredRecord | BadLine) -> None:
        """Count one line."""
        if isinstance(item, BadLine):
            self.unfinished_lines += item.incomplete
            self.bad_lines += not item.incomplete
            return
        self.records += 1
        fields = item.fields
        self.groups["day"][local_time(fields).lstrip("~")[:10]] += 1
        self.groups["model"][fields["model"] or "unknown"] += 1
        self.groups["client"][fields["client"]["name"] or "unknown"] += 1
        self.groups["outcome"][fields["outcome"]] += 1
        for name in _TOKENS:
            value = fields["usage"][name]
            self.tokens[name] += value or 0
            self.unknown[name] += value is None

    def known(self, name: str) -> int | None:
        """Give a sum of tokens; None when it is not known of any record."""
        return self.tokens[name] if self.unknown[name] < self.records else None


@click.command(help="Count records, tokens and bytes.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def stats(*, json_: bool) -> None:
    """Print the counts of everything in the home folder."""
    home = home_to_read()
    counts = Counts()
    for item in _with_progress(home):
        counts.add(item)
    disk = {"logs": _size(home.logs.glob("*")), "blobs": _size(home.blobs.glob("*"))}
    facts = _as_json(counts) | {"bytes": disk, "home": str(home.path)}
    if json_:
        say_json(facts)
    elif for_person():
        _say_for_person(counts, disk=disk, home=home)
    else:
        say_table(("group", "name", "count"), _rows(counts, disk=disk))


def _with_progress(home: Home) -> Iterator[StoredRecord | BadLine]:
    """Read everything; a person sees how far it is."""
    files = segments(home)
    with progress("reading", length=sum(map(text_size, files))) as advance:
        for path in files:
            for item in read_segment(path):
                advance(item.length)
                yield item


def _size(paths: Iterable[os.PathLike[str]]) -> int:
    """Add up bytes; what vanishes meanwhile counts as nothing."""
    total = 0
    for path in paths:
        try:
            total += os.stat(path).st_size  # noqa: PTH116 -- any path-like
        except FileNotFoundError:
            continue
    return total


def _as_json(counts: Counts) -> dict[str, Any]:
    tokens = {
        name: {"sum": counts.known(name), "unknown": counts.unknown[name]} for name in _TOKENS
    }
    return {
        "records": counts.records,
        "bad_lines": counts.bad_lines,
        "unfinished_lines": counts.unfinished_lines,
        "by": {name: dict(sorted(group.items())) for name, group in counts.groups.items()},
        "tokens": tokens,
    }


def _rows(counts: Counts, *, disk: dict[str, int]) -> list[tuple[str, str, int | None]]:
    rows: list[tuple[str, str, int | None]] = [
        ("total", "records", counts.records),
        ("total", "bad_lines", counts.bad_lines),
    ]
    rows += [("bytes", name, size) for name, size in disk.items()]
    rows += [("tokens", name, counts.known(name)) for name in _TOKENS]
    rows += [("tokens_unknown", name, counts.unknown[name]) for name in _TOKENS]
    rows += [
        (name, key, count) for name in _GROUPS for key, count in sorted(counts.groups[name].items())
    ]
    return rows


def _say_for_person(counts: Counts, *, disk: dict[str, int], home: Home) -> None:
    say(f"{paint('home', bold=True)}      {neutralise(str(home.path))}")
    say(f"{paint('records', bold=True)}   {counts.records:,}")
    say(
        f"{paint('on disk', bold=True)}   {disk['logs']:,} bytes in logs, {disk['blobs']:,} in blobs"
    )
    say(f"{paint('bad lines', bold=True)} {counts.bad_lines:,}")
    for name in _TOKENS:
        unknown = f" (unknown for {counts.unknown[name]:,} records)" if counts.unknown[name] else ""
        known = "" if counts.known(name) is None else f" {counts.tokens[name]:,}"
        say(f"{paint(name.replace('_', ' '), bold=True)}:{known}{unknown}")
    for name in _GROUPS:
        say()
        ordered = (
            sorted(counts.groups[name].items())
            if name == "day"
            else counts.groups[name].most_common()
        )
        say_table((name, "records"), ordered)
