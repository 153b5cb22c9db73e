"""`dolphin-logger ls`: the newest records, one line each."""

from __future__ import annotations

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import note, say_json, say_table
from dolphin_logger.cli.summary import COLUMNS, as_json, row
from dolphin_logger.journal.reader import StoredRecord, newest


@click.command(help="List records, the newest first.")
@click.option(
    "-n", "count", default=20, show_default=True, type=click.IntRange(min=1), help="How many."
)
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def ls(*, count: int, json_: bool) -> None:
    """Print the newest records."""
    home = home_to_read()
    items = newest(home, count=count)
    records = [item for item in items if isinstance(item, StoredRecord)]
    for item in items:
        if not isinstance(item, StoredRecord):
            note(f"bad line at {item.file}:{item.offset}: {item.reason}")
    if json_:
        say_json({"records": [as_json(record) for record in records]})
        return
    if not records:
        note(f"no records in {home.logs} yet")
    say_table(COLUMNS, [row(record) for record in records])
