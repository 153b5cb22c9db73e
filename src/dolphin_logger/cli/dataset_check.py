"""`dolphin-logger dataset check`: prove that a dataset loads, renders and holds nothing it must not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import neutralise, paint, say, say_json, say_table
from dolphin_logger.curate.check import (
    LEAKS,
    NAMES,
    Dataset,
    Result,
    checks_of,
    find_dataset,
    run_checks,
)
from dolphin_logger.journal.home import Home

_GOOD, _BAD, _LEAKS = 0, 1, 6
_COLOURS: Final = {"ok": "green", "failed": "red", "skipped": "yellow"}


@click.command(
    short_help="Prove that a dataset loads, renders and holds nothing it must not.",
    help="Check a dataset: NAME, or its FOLDER; the newest without one.\n\n"
    "Its files are those that were built, `datasets` loads them, every row keeps the rules of its "
    "trainers, chat templates render it, and nothing in it must stay here. Exit code 0: all is well; "
    "6: something must not leave; 1: something else is wrong.",
)
@click.argument("name", required=False, metavar="[NAME|FOLDER]")
@click.option("--without", multiple=True, type=click.Choice(NAMES), help="Leave a check out.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Run this check alone.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def check(
    *, name: str | None, without: tuple[str, ...], only: tuple[str, ...], json_: bool
) -> None:
    """Check a dataset."""
    home = own_home()
    dataset = find_dataset(home, name)
    checks = checks_of(dataset, scan=_make_scan(home, dataset))
    results = []
    for result in run_checks(checks, without=without, only=only):
        results.append(result)
        if not json_:
            _say_result(result)
    failed = {result.name for result in results if result.is_failed}
    if json_:
        say_json(
            {
                "dataset": dataset.manifest.name,
                "folder": str(dataset.folder),
                "good": not failed,
                "checks": [result.to_json() for result in results],
            }
        )
    if failed:
        raise click.exceptions.Exit(_LEAKS if LEAKS in failed else _BAD)


def _make_scan(home: Home, dataset: Dataset) -> Callable[[Any], Iterable[tuple[str, str]]]:
    """Make what searches a row; nothing is made before the first one is."""
    from functools import cache

    from dolphin_logger.cli.building import make_cleaner
    from dolphin_logger.curate.redaction import Cleaner

    redaction = dataset.recipe.get("redaction") or {}

    @cache
    def cleaner() -> Cleaner:
        return make_cleaner(
            home,
            rules=dataset.manifest.fields.get("rules") or (),
            key=bytes(32),  # nobody is told of identities here
            canaries=redaction.get("canaries") or (),
            own=redaction.get("own") or (),
        )

    def scan(row: Any) -> Iterator[tuple[str, str]]:
        for found in cleaner().scan(row):
            yield found.path, found.rule

    return scan


def _say_result(result: Result) -> None:
    status = paint(f"{result.status:<7}", _COLOURS[result.status])
    say(f"{status}  {result.name:<10}  {neutralise(result.said)}".rstrip())
    for problem in result.problems:
        say(f"         {neutralise(problem)}")
    if result.more:
        say(f"         and {result.more:,} more")
    if result.table:
        say_table(result.table[0], result.table[1:])
