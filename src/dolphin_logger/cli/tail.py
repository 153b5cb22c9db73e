"""`dolphin-logger tail`: the latest records, and with -f those that follow, of every process."""

from __future__ import annotations

import time

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import align, for_person, neutralise, note, paint, say, say_json
from dolphin_logger.cli.summary import COLUMNS, WIDTHS, as_json, row
from dolphin_logger.journal.follower import Follower
from dolphin_logger.journal.reader import BadLine, StoredRecord

_POLL_SECONDS = 0.2


@click.command(help="Show the latest records, oldest first; -f waits for more until Ctrl-C.")
@click.option(
    "-n", "count", default=10, show_default=True, type=click.IntRange(min=0), help="How many."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is recorded from now on.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object per line.")
def tail(*, count: int, follow: bool, json_: bool) -> None:
    """Print the latest records."""
    follower = Follower(home_to_read())
    if not json_:
        _say_heading()
    for item in follower.latest(count):
        _say_item(item, json_=json_)
    while follow:
        for item in follower.more():
            _say_item(item, json_=json_)
        time.sleep(_POLL_SECONDS)


def _say_heading() -> None:
    say(paint(align(COLUMNS, widths=WIDTHS), bold=True) if for_person() else "\t".join(COLUMNS))


def _say_item(item: StoredRecord | BadLine, *, json_: bool) -> None:
    if isinstance(item, BadLine):
        note(f"bad line at {item.file}:{item.offset}: {item.reason}")
    elif json_:
        say_json(as_json(item))
    else:
        cells = [neutralise(cell) for cell in row(item)]
        say(align(cells, widths=WIDTHS) if for_person() else "\t".join(cells))
