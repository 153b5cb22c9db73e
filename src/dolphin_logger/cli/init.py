"""`dolphin-logger init`: create config.json and say what to do next. It never prints a key."""

from __future__ import annotations

import click

from dolphin_logger import config
from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import note, say


@click.command(help="Create config.json; an existing one stays as it is.")
def init() -> None:
    """Make the home folder ready for the first start."""
    home = own_home()
    home.prepare()
    created = config.create_template(home.config)
    note(
        "created, with the built-in model `demo`:"
        if created
        else "exists already, and stays as it is:"
    )
    say(str(home.config))
    note("next:")
    note("  add your models to `models` in that file (it holds examples; `ENV:NAME` reads a key")
    note("  from the environment), check it with `dolphin-logger config validate`,")
    note(
        "  start with `dolphin-logger`, and set http://127.0.0.1:5001/v1 as base URL of your client"
    )
