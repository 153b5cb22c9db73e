"""`dolphin-logger tail`: the latest records, and with -f those that follow, of every process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import align, for_person, neutralise, note, paint, say, say_json
from dolphin_logger.cli.summary import COLUMNS, WIDTHS, as_json, row
from dolphin_logger.errors import IndexingError
from dolphin_logger.index.freshness import catch_up
from dolphin_logger.index.schema import index_path, open_to_read
from dolphin_logger.index.told import conversations_of
from dolphin_logger.journal.follower import Follower
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import SHORTEST_ID, BadLine, StoredRecord

_POLL_SECONDS = 0.2
_INDEX_SECONDS = 0.3  # given to the index for each lot of records
_OWN_COLUMNS = (COLUMNS[0], "conversation", *COLUMNS[1:])
_OWN_WIDTHS = (WIDTHS[0], len("conversation"), *WIDTHS[1:])


@click.command(help="Show the latest records, oldest first; -f waits for more until Ctrl-C.")
@click.option(
    "-n", "count", default=10, show_default=True, type=click.IntRange(min=0), help="How many."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is recorded from now on.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object per line.")
def tail(*, count: int, follow: bool, json_: bool) -> None:
    """Print the latest records."""
    home = home_to_read()
    follower = Follower(home)
    if not json_:
        _say_heading()
    _say_items(home, follower.latest(count), json_=json_)
    while follow:
        _say_items(home, follower.more(), json_=json_)
        time.sleep(_POLL_SECONDS)


def _say_heading() -> None:
    heading = paint(align(_OWN_COLUMNS, widths=_OWN_WIDTHS), bold=True)
    say(heading if for_person() else "\t".join(_OWN_COLUMNS))


def _say_items(home: Home, items: Iterable[StoredRecord | BadLine], *, json_: bool) -> None:
    waiting = list(items)
    known = _conversations(home, [one.id for one in waiting if isinstance(one, StoredRecord)])
    for item in waiting:
        if isinstance(item, BadLine):
            note(f"bad line at {item.file}:{item.offset}: {item.reason}")
        elif json_:
            say_json(as_json(item) | {"conversation": known.get(item.id)})
        else:
            identity, *others = row(item)
            cells = [identity, known.get(item.id, "")[-SHORTEST_ID:], *others]
            cells = [neutralise(cell) for cell in cells]
            say(align(cells, widths=_OWN_WIDTHS) if for_person() else "\t".join(cells))


def _conversations(home: Home, records: list[str]) -> dict[str, str]:
    """Ask the index for the conversations of records; it may not know them yet."""
    if records:
        with contextlib.suppress(IndexingError):
            catch_up(home, seconds=_INDEX_SECONDS)
            with contextlib.closing(open_to_read(index_path(home))) as connection:
                return conversations_of(connection, records)
    return {}
