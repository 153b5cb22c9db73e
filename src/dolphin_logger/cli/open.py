"""`dolphin-logger open`: a conversation in the browser."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import for_person, note, say
from dolphin_logger.cli.private import write_private
from dolphin_logger.cli.targets import newest_record
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import SHORTEST_ID

_KEPT_SECONDS = 86_400
_OPENING_SECONDS = 5.0
_NAME = "conversation-"
_OPENERS = {"darwin": ("open",), "win32": ("cmd", "/c", "start", "")}


@click.command(
    name="open",
    help="Open a conversation in the browser, as a page that needs nothing else: that of ID, or of the"
    " newest record. The page lies in the home's `run` folder, for a day.",
)
@click.argument("identity", metavar="[ID]", required=False)
def open_page(*, identity: str | None) -> None:
    """Write a page and open it; print where it is when nobody can look."""
    from dolphin_logger.cli.threads.finding import no_thread, page_of, telling

    home = home_to_read()
    _remove_old(home)
    name = newest_record(home).id if identity is None else identity
    with telling(home, name) as told:
        if told is None:
            raise no_thread(home, name)
        page = page_of(told)
        short = (told.record or told.id)[-SHORTEST_ID:]
    home.prepare()
    path = home.run / f"{_NAME}{short}-{secrets.token_hex(4)}.html"
    write_private(path, page)
    if not (for_person() and _opened(path)):
        say(str(path))


def _opened(path: Path) -> bool:
    """Give a file to the desktop; say whether that took it."""
    opener = _opener()
    if opener is None:
        return False
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: S603 - the desktop's own
        [*opener, str(path)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    note(f"opening {path}")
    try:
        return process.wait(_OPENING_SECONDS) == 0
    except subprocess.TimeoutExpired:
        return True  # some browsers stay in front


def _opener() -> tuple[str, ...] | None:
    """Find the desktop's program that opens files."""
    command = _OPENERS.get(sys.platform, ("xdg-open",))
    found = shutil.which(command[0])
    return None if found is None else (found, *command[1:])


def _remove_old(home: Home) -> None:
    """Remove the pages of yesterday."""
    for path in home.run.glob(f"{_NAME}*.html"):
        if _age(path) > _KEPT_SECONDS:
            path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
