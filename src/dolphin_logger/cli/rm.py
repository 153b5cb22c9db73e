"""`dolphin-logger rm`: conversations go for ever, or single records, with all that this home keeps of them."""

from __future__ import annotations

import click

from dolphin_logger.cli.asking import asking
from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import for_person, note, say, say_json, say_table
from dolphin_logger.cli.progress import progress
from dolphin_logger.cli.summary import COLUMNS, row
from dolphin_logger.cli.targets import conversation_named, records_named
from dolphin_logger.curate.manifest import list_datasets
from dolphin_logger.curate.site import forget_unfinished
from dolphin_logger.errors import IndexingError
from dolphin_logger.index.told import conversations_of
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.locks import BusyError, upkeep
from dolphin_logger.journal.reader import StoredRecord, every_segment
from dolphin_logger.journal.removal import Erased, erase, hide
from dolphin_logger.journal.sealed import text_size

_PATIENCE = 30.0  # seconds


_HELP = """Remove conversations or records for ever: every line, blob, label and cache that holds their text.

The ID of a conversation takes all of its records, that of another record takes this one. Clients send
what was said again with every request: a record's text may be in the later ones of its conversation.
"""


@click.command(help=_HELP)
@click.argument("names", metavar="ID...", nargs=-1, required=True)
@click.option("--record", "alone", is_flag=True, help="Take a conversation's first record alone.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def rm(*, names: tuple[str, ...], alone: bool, yes: bool, json_: bool) -> None:
    """Show what goes, ask, hide it, erase it."""
    home = home_to_read()
    found = [
        record
        for name in names
        for record in (not alone and conversation_named(home, name)) or records_named(home, name)
    ]
    records = list({record.id: record for record in found}.values())
    if not yes:
        _ask(records)
    holding = _holding(home, [record.id for record in records])
    hide(home, records)
    forget_unfinished(home)
    erased = _erase(home)
    if json_:
        facts = {"removed": [record.id for record in records], "erased": erased is not None}
        say_json(facts | {"waiting_blobs": sorted(erased.waiting) if erased else []})
        return
    for record in records:
        say(f"removed {record.id}")
    for name in holding:
        note(f"the dataset {name} has some of it: build it again, or remove it")
    if any("imported" in record.fields for record in records):
        note(
            f"the untouched session files stay in {home.archive}: remove those of this session, too"
        )
    if erased is None:
        note(
            "hidden from every reader now; another process holds the home: its text goes within the hour"
        )
    elif erased.waiting:
        note(
            f"{len(erased.waiting)} blobs go within the hour: an open request may be sending the same bytes"
        )


def _holding(home: Home, records: list[str]) -> list[str]:
    """Name the datasets that have something of the conversations of these records."""
    datasets = list(list_datasets(home))
    if not datasets:
        return []
    try:
        with asking(home) as (connection, _):
            gone = {*records, *conversations_of(connection, records).values()}
    except IndexingError:
        gone = set(records)
    return [one.name for one in datasets if gone & set(one.conversations)]


def _ask(records: list[StoredRecord]) -> None:
    """Show what goes; without a person to ask, `--yes` is needed."""
    if not for_person():
        raise click.UsageError("rm removes for ever: say --yes")
    say_table(COLUMNS, [row(record) for record in records])
    click.confirm(f"remove {len(records)} for ever?", abort=True, err=True)


def _erase(home: Home) -> Erased | None:
    """Take the text off the disk; None when another process is changing the home's files."""
    try:
        with upkeep(home, patience=_PATIENCE):
            length = sum(map(text_size, every_segment(home)))
            with progress("erasing", length=length) as advance:
                return erase(home, progress=advance)
    except BusyError:
        return None
