"""`dolphin-logger pause` and `resume`: the switch that every running proxy looks at on each request."""

from __future__ import annotations

import os

import click

from dolphin_logger.cli.homes import homes_in_use, own_home
from dolphin_logger.cli.output import say
from dolphin_logger.errors import JournalError
from dolphin_logger.journal.home import Home, open_private_file


@click.command(help="Stop recording at once; requests still go through, and the switch stays set.")
def pause() -> None:
    """Set the switch."""
    for home in _homes():
        home.prepare()
        try:
            os.close(open_private_file(home.pause_switch))
        except FileExistsError:
            pass
        except OSError as error:
            raise JournalError(
                f"{home.pause_switch}: cannot be created: {error.strerror}"
            ) from error
    say(
        "recording is paused: requests go through and leave no record; `dolphin-logger resume` ends this"
    )


@click.command(help="Record again, at once.")
def resume() -> None:
    """Take the switch away."""
    for home in _homes():
        try:
            home.pause_switch.unlink(missing_ok=True)
        except NotADirectoryError:
            pass
        except OSError as error:
            raise JournalError(
                f"{home.pause_switch}: cannot be removed: {error.strerror}"
            ) from error
    say("recording is on")


def _homes() -> list[Home]:
    """The user's home, and the demo's where there is one."""
    return [home for home in homes_in_use() if home == own_home() or home.path.is_dir()]
