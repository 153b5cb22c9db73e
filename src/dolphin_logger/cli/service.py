"""`dolphin-logger service`: start the proxy and the watch with the user's session, without root."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dolphin_logger.cli.output import note, say, say_json, say_table
from dolphin_logger.setup.service import (
    NAMES,
    Service,
    install,
    is_running,
    own_program,
    service,
    uninstall,
)


@click.group(name="service", help="Start the proxy and the watch with your session.")
def service_() -> None:
    """Group the commands about services."""


def _names(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("names", metavar="[proxy|watch]...", nargs=-1, type=click.Choice(NAMES))(
        command
    )


@service_.command(name="install", help="Install and start services; both without a name.")
@_names
@click.option("--dry-run", is_flag=True, help="Print the files instead.")
def install_(*, names: tuple[str, ...], dry_run: bool) -> None:
    """Install."""
    for one in _services(names):
        if dry_run:
            note(f"{one.path}:")
            say(one.text.rstrip("\n"))
            continue
        install(one)
        say(str(one.path))


@service_.command(name="uninstall", help="End and remove services; both without a name.")
@_names
@click.option("--dry-run", is_flag=True, help="Print what would go.")
def uninstall_(*, names: tuple[str, ...], dry_run: bool) -> None:
    """Uninstall."""
    for one in _services(names):
        if dry_run or uninstall(one):
            say(str(one.path))
        else:
            note(f"{one.name}: not installed")


@service_.command(name="status", help="Say which services are installed and running.")
@_names
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def status(*, names: tuple[str, ...], json_: bool) -> None:
    """Print the states."""
    states = {
        one.name: {
            "installed": one.path.exists(),
            "running": is_running(one),
            "file": str(one.path),
        }
        for one in _services(names)
    }
    if json_:
        say_json({"services": states})
        return
    rows = [
        (name, state["installed"], state["running"], state["file"])
        for name, state in states.items()
    ]
    say_table(("service", "installed", "running", "file"), rows)


def _services(names: tuple[str, ...]) -> list[Service]:
    return [
        service(
            name,
            user=Path.home(),
            env=os.environ,
            program=own_program(),
            platform=sys.platform,
        )
        for name in names or NAMES
    ]
