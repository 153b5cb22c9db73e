"""`dolphin-logger env`: the variables that lead clients through the proxy, for a shell to take."""

from __future__ import annotations

import os
import shlex

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import neutralise, note, say, say_json
from dolphin_logger.cli.wired import lasting_url, running_url
from dolphin_logger.errors import DolphinError
from dolphin_logger.setup._api import Circumstances
from dolphin_logger.setup.plan import fill, make_plan
from dolphin_logger.setup.reading import surroundings
from dolphin_logger.setup.sdks import ANY
from dolphin_logger.setup.shells import SHELLS, guess_shell, write_lines
from dolphin_logger.setup.table import find_client


@click.command(
    help='Print the variables that lead CLIENT through the proxy: `eval "$(dolphin-logger env)"`.'
    " Without CLIENT, those that suit every program."
)
@click.argument("client_name", metavar="[CLIENT]", required=False)
@click.option("--shell", type=click.Choice([*SHELLS, "json"]), help="For which shell [by $SHELL].")
@click.option("--json", "json_", is_flag=True, help="The same as --shell json.")
def env(*, client_name: str | None, shell: str | None, json_: bool) -> None:
    """Print lines that set variables."""
    client = ANY if client_name is None else find_client(client_name)
    running = running_url(own_home())
    url = running or lasting_url(own_home())
    given = Circumstances(url, surroundings(client, os.environ))
    plan = make_plan(client, given)
    if json_ or shell == "json":
        arguments = list(plan.arguments)
        say_json(
            {"url": url, "running": running is not None, "set": dict(plan.variables)}
            | {"unset": list(plan.removed), "arguments": arguments}
        )
    elif not client.variables and not plan.arguments:
        raise DolphinError(f"{client.title} takes no variables: {_cure(client.name, given)}")
    else:
        for line in write_lines(plan.variables, shell or guess_shell(os.environ)):
            say(neutralise(line))
    if plan.arguments:
        note(f"it needs these arguments as well: {shlex.join(plan.arguments)}")
    for text in plan.notes:
        note(text)
    if running is None:
        note(f"no proxy runs at {url}: start one with `dolphin-logger`")


def _cure(name: str, given: Circumstances) -> str:
    client = find_client(name)
    return f"`dolphin-logger connect {name}`" if client.edits else str(fill(client.by_hand, given))
