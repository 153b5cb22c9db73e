"""`dolphin-logger stats`: how much was recorded, by day, model, client, provider and outcome."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import click

from dolphin_logger.cli.asking import asking, lag
from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.ls import written_cost
from dolphin_logger.cli.output import for_person, neutralise, paint, say, say_json, say_table
from dolphin_logger.index.rollups import GROUPS, TOKENS, Rollup, Sums, roll_up
from dolphin_logger.journal.home import Home

_BARS = "▁▂▃▄▅▆▇█"
_MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is printed; sizes in bytes."""

    rollup: Rollup
    records: int
    bad_lines: int
    unfinished_lines: int
    logs: int
    blobs: int


@click.command(help="Count records, tokens, estimated cost and bytes.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def stats(*, json_: bool) -> None:
    """Print the counts of everything in the home folder."""
    home = home_to_read()
    with asking(home) as (connection, left):
        counts = _count(connection, home)
    if json_:
        say_json(_as_json(counts) | {"home": str(home.path), "behind": lag(left)})
    elif for_person():
        _say_for_person(counts, home=home)
    else:
        say_table(("group", "name", "count"), _rows(counts))


def _count(connection: sqlite3.Connection, home: Home) -> _Counts:
    select = "SELECT ifnull(sum(bad), 0), ifnull(sum(unfinished), 0) FROM segment"
    bad, unfinished = connection.execute(select).fetchone()
    records = connection.execute("SELECT count(*) FROM record").fetchone()[0]
    disk = (_size(home.logs.glob("*")), _size(home.blobs.glob("*")))
    return _Counts(roll_up(connection), records, bad, unfinished, *disk)


def _size(paths: Iterable[os.PathLike[str]]) -> int:
    """Add up bytes; what vanishes meanwhile counts as nothing."""
    total = 0
    for path in paths:
        try:
            total += os.stat(path).st_size  # noqa: PTH116 -- any path-like
        except FileNotFoundError:
            continue
    return total


def _as_json(counts: _Counts) -> dict[str, Any]:
    total = counts.rollup.total
    tokens = {
        f"{name}_tokens": {"sum": total.known(name), "unknown": total.unknown[name]}
        for name in TOKENS
    }
    return {
        "records": counts.records,
        "bad_lines": counts.bad_lines,
        "unfinished_lines": counts.unfinished_lines,
        "errors": total.errors,
        "by": {name: _requests(group) for name, group in counts.rollup.by.items()},
        "tokens": tokens,
        "cost": {"micro_dollars": total.known_cost, "unknown": total.unpriced},
        "bytes": {"logs": counts.logs, "blobs": counts.blobs},
    }


def _requests(group: Mapping[str, Sums]) -> dict[str, int]:
    return {name: sums.requests for name, sums in sorted(group.items())}


def _rows(counts: _Counts) -> list[tuple[str, str, int | None]]:
    total = counts.rollup.total
    rows: list[tuple[str, str, int | None]] = [
        ("total", "records", counts.records),
        ("total", "bad_lines", counts.bad_lines),
        ("total", "errors", total.errors),
        ("total", "cost_micro_dollars", total.known_cost),
        ("bytes", "logs", counts.logs),
        ("bytes", "blobs", counts.blobs),
    ]
    rows += [("tokens", f"{name}_tokens", total.known(name)) for name in TOKENS]
    rows += [("tokens_unknown", f"{name}_tokens", total.unknown[name]) for name in TOKENS]
    for name in GROUPS:
        rows += [(name, key, count) for key, count in _requests(counts.rollup.by[name]).items()]
    return rows


def _say_for_person(counts: _Counts, *, home: Home) -> None:
    total = counts.rollup.total
    say(f"{paint('home', bold=True)}      {neutralise(str(home.path))}")
    say(f"{paint('records', bold=True)}   {counts.records:,}")
    say(f"{paint('on disk', bold=True)}   {counts.logs:,} bytes in logs, {counts.blobs:,} in blobs")
    say(f"{paint('bad lines', bold=True)} {counts.bad_lines:,}")
    unpriced = f" (unknown for {total.unpriced:,} records)" if total.unpriced else ""
    say(f"{paint('cost', bold=True)}: {written_cost(total.known_cost)} estimated{unpriced}")
    for name in TOKENS:
        unknown = f" (unknown for {total.unknown[name]:,} records)" if total.unknown[name] else ""
        known = "" if total.known(name) is None else f" {total.tokens[name]:,}"
        say(f"{paint(f'{name} tokens'.replace('_', ' '), bold=True)}:{known}{unknown}")
    _say_days(counts.rollup.by["day"])
    for name in GROUPS:
        say()
        groups = sorted(
            counts.rollup.by[name].items(),
            key=lambda one: one[0] if name == "day" else (-one[1].requests, one[0]),
        )
        say_table((name, "records", "errors", "in", "out", "cost"), [_line(*one) for one in groups])


def _line(name: str, sums: Sums) -> tuple[str, int, int, int | None, int | None, str]:
    asked, answered = sums.known("input"), sums.known("output")
    return name, sums.requests, sums.errors, asked, answered, written_cost(sums.known_cost)


def _say_days(days: Mapping[str, Sums]) -> None:
    """Draw the requests of the last days, each a bar; a day without any is empty."""
    if not days:
        return
    last = date.fromisoformat(max(days))
    first = max(date.fromisoformat(min(days)), last - timedelta(days=_MOST_DAYS - 1))
    span = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    numbers = [days[str(day)].requests if str(day) in days else 0 for day in span]
    most = max(numbers)
    bars = "".join(_BARS[(n * len(_BARS) - 1) // most] if n else " " for n in numbers)
    say(f"{paint('by day', bold=True)}    {first} {bars} {last} (UTC)")
