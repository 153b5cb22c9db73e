"""Which home a command means: the user's own, or the demo's while there is nothing else to read."""

from __future__ import annotations

import os

from dolphin_logger import config
from dolphin_logger.cli.output import note
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import segments


def own_home() -> Home:
    """Return the user's home."""
    return Home(config.home(os.environ))


def demo_home() -> Home:
    """Return the home of `dolphin-logger demo`, inside the user's own."""
    return Home(own_home().path / "demo")


def home_to_read() -> Home:
    """Return the user's home; a newcomer who has only run the demo gets the demo's, and is told."""
    home, demo = own_home(), demo_home()
    if segments(home) or not segments(demo):
        return home
    note(f"no records of your own yet: these are the demo's, in {demo.path}")
    return demo


def homes_in_use() -> list[Home]:
    """Return the homes in which a proxy may be running."""
    return [own_home(), demo_home()]
