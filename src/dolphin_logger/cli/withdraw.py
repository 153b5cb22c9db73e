"""`dolphin-logger dataset withdraw`: take conversations back from the Hub, for ever."""

from __future__ import annotations

import time

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import note
from dolphin_logger.errors import RecordError
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home

_WHOLE = 36  # characters of an id


@click.command(
    short_help="Take conversations back, for ever.",
    help="Take a conversation back: a pull request that removes it; it then stays out for ever.",
)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--repo", metavar="OWNER/NAME", help="From where [huggingface_repo, else the original's]."
)
@click.option("--confirm", metavar="sha256:…", help="Say yes to exactly these changes.")
@click.option("--dry-run", is_flag=True, help="Show what would change; note nothing down.")
@click.option("--license", "license_", help="Of the dataset, if it is not known here.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
def withdraw(
    *,
    ids: tuple[str, ...],
    repo: str | None,
    confirm: str | None,
    dry_run: bool,
    license_: str | None,
    json_: bool,
) -> None:
    """Withdraw."""
    from dolphin_logger.cli import publishing
    from dolphin_logger.cli.upload import send
    from dolphin_logger.curate import withdrawals
    from dolphin_logger.publish.changes import read_digest

    confirmed = read_digest(confirm) if confirm else None
    home = own_home()
    wanted = [one for name in ids for one in _ids_of(home, name)]
    target = publishing.find_target(home, repo, will_create=False, public=False)
    chosen = publishing.settle_license(home, target, license_, None)
    if not dry_run:
        for one in wanted:
            withdrawals.withdraw(home, one, time=format_time(time.time_ns()))
    prepared = publishing.prepare(
        home,
        target,
        None,
        license_=chosen,
        languages=(),
        check_others=False,
        removed=frozenset(wanted),
    )
    if not prepared.staged.changes:
        note("no row that this machine gave is of it; it stays out of every dataset built here")
    send(
        home,
        prepared,
        again=lambda: prepared,
        confirmed=confirmed,
        command=["dataset", "withdraw", *ids],
        dry_run=dry_run,
        json_=json_,
    )


def _ids_of(home: Home, name: str) -> list[str]:
    """Give the ids of a conversation and its records; a whole id that is not here any more as it is."""
    from dolphin_logger.cli.targets import conversation_named, records_named

    try:
        records = conversation_named(home, name) or records_named(home, name)
    except RecordError:
        if len(name) == _WHOLE:
            return [name.lower()]
        raise
    return [record.id for record in records]
