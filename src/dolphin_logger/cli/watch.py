"""`dolphin-logger watch`: keep bringing in sessions, before their programs' own clean-up deletes them."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.import_ import as_json, found_files
from dolphin_logger.cli.output import note, say_json
from dolphin_logger.errors import JournalError
from dolphin_logger.importers import find
from dolphin_logger.importers.intake import Brought, Intake
from dolphin_logger.importers.selection import Selected, of_sources
from dolphin_logger.journal.home import Home


@click.command(
    help="Import, again and again, what the programs of SOURCE write; without SOURCE, of every "
    "program whose files can be found. Ctrl-C ends it."
)
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@click.option("--once", is_flag=True, help="Look once and end.")
@click.option(
    "--interval",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=1.0),
    help="Seconds between two looks.",
)
@click.option("--json", "json_", is_flag=True, help="Print one JSON object per look with news.")
def watch(*, sources: tuple[str, ...], once: bool, interval: float, json_: bool) -> None:
    """Import until told to stop."""
    home, user = own_home(), Path.home()
    chosen = [find(name) for name in sources]
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    complaints: set[str] = set()
    while not ended.is_set():
        selected = (
            list(of_sources(chosen, user=user, env=os.environ, home=home.path.resolve()))
            if chosen
            else found_files(home, user)
        )
        _look(home, user, selected, ended, complaints=complaints, json_=json_)
        if once:
            return
        ended.wait(interval)


def _look(
    home: Home,
    user: Path,
    selected: list[Selected],
    ended: threading.Event,
    *,
    complaints: set[str],
    json_: bool,
) -> None:
    """Import what has changed; a complaint is made once."""
    brought = Brought()
    try:
        with Intake(home, user=user) as intake:
            for one in selected:
                if ended.is_set():
                    break
                intake.bring(one.path, one.choose, brought)
    except JournalError as error:
        brought.failed.append(str(error))
    if brought.turns and json_:
        say_json(as_json(brought))
    elif brought.turns:
        note(f"{brought.turns:,} new turns of {len(brought.sessions):,} sessions")
    kinds = {f"not understood, kept in the archive: {kind}" for kind in brought.unknown}
    for sentence in sorted({*brought.failed, *kinds} - complaints):
        note(sentence)
        complaints.add(sentence)
