"""`dolphin-logger version`."""

from __future__ import annotations

import platform

import click

from dolphin_logger._version import __version__
from dolphin_logger.cli.output import say, say_json


@click.command(help="Print the version.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def version(*, json_: bool) -> None:
    """Print the version of this program and, as JSON, of what it runs on."""
    if json_:
        say_json(
            {
                "version": __version__,
                "python": platform.python_version(),
                "system": platform.platform(),
            }
        )
    else:
        say(f"dolphin-logger {__version__}")
