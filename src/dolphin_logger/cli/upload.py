"""`dolphin-logger upload`, and `--upload`: a place kept free."""

from __future__ import annotations

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.errors import DolphinError


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def upload(rest: tuple[str, ...]) -> None:
    """Say that publishing follows, and lose nothing."""
    del rest
    raise DolphinError(
        "upload comes back with the dataset commands: what the original published was neither reviewed"
        f" nor cleaned of secrets. Your records stay in {own_home().logs}"
    )
