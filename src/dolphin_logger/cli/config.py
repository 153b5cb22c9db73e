"""`dolphin-logger config`: where config.json is, what is wrong with it, and its schema."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from dolphin_logger import config as configuration
from dolphin_logger import providers
from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import note, say, say_json

_INVALID = 3


@click.group(
    invoke_without_command=True, help="Show where config.json is, check it, print its schema."
)
@click.option("--path", "path_", is_flag=True, help="The same as `config path`.")
@click.option("--validate", "validate_", is_flag=True, help="The same as `config validate`.")
@click.pass_context
def config(context: click.Context, *, path_: bool, validate_: bool) -> None:
    """Take the original's spelling with options, or a sub-command."""
    if context.invoked_subcommand is not None:
        return
    if not path_ and not validate_:
        click.echo(context.get_help())
        return
    if path_:
        context.invoke(path)
    if validate_:
        context.invoke(validate)


@config.command(help="Print the path of config.json.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def path(*, json_: bool = False) -> None:
    """Print where the configuration lies, whether it is there or not."""
    file = _file()
    if json_:
        say_json({"path": str(file), "exists": file.is_file()})
    else:
        say(str(file))


@config.command(help="Check config.json; exit code 3 when something in it cannot be used.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def validate(*, json_: bool = False) -> None:
    """Print every problem with its line."""
    file = _file()
    problems = configuration.check(file, env=os.environ, known_providers=providers.known())
    errors = [problem for problem in problems if problem.fatal]
    if json_:
        found = [
            {"where": p.where, "line": p.line, "message": p.message, "fatal": p.fatal}
            for p in problems
        ]
        say_json({"path": str(file), "ok": not errors, "problems": found})
    else:
        for problem in problems:
            note(f"{'error' if problem.fatal else 'warning'}: {problem.describe(str(file))}")
        if not errors:
            say(f"{file}: ok")
    if errors:
        raise click.exceptions.Exit(_INVALID)


@config.command(help="Print the JSON Schema of config.json, for editors.")
def schema() -> None:
    """Print the schema; it names the providers that are installed."""
    say(json.dumps(configuration.json_schema(providers.known()), indent=2))


def _file() -> Path:
    return own_home().config
