"""`dolphin-logger dataset`: build a dataset of what was recorded, and list those that were built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dolphin_logger.cli.building import build_dataset, say_built
from dolphin_logger.cli.dataset_check import check
from dolphin_logger.cli.dataset_preview import preview
from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import for_person, note, say, say_json, say_table
from dolphin_logger.cli.pull import pull
from dolphin_logger.cli.withdraw import withdraw
from dolphin_logger.curate.recipe import FORMATS, explain_recipe
from dolphin_logger.curate.recipes import DEFAULT, built_in, find_recipe

_RECIPE = (
    f"RECIPE is one of {', '.join(built_in())}, or the path of a TOML file; {DEFAULT} without one."
)


@click.group()
def dataset() -> None:
    """Make datasets of what was recorded."""


@dataset.command(help=f"Build a dataset. {_RECIPE}")
@click.argument("recipe", default=DEFAULT)
@click.option("--name", help="What it is called [the recipe's name].")
@click.option("--out", type=click.Path(path_type=Path), help="Folder [datasets/NAME in the home].")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Form of the files.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes [as many as are worth it].")
@click.option("--explain", is_flag=True, help="Print the recipe with every default; build nothing.")
@click.option("--fresh", is_flag=True, help="Keep nothing of a build that was ended.")
@click.option("--include-demo", is_flag=True, help="Also the built-in model; never publishable.")
@click.option("--yes", is_flag=True, help="Do not ask before a judge is paid.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def build(  # noqa: PLR0913 -- one for each option
    *,
    recipe: str,
    name: str | None,
    out: Path | None,
    format_: str | None,
    workers: int | None,
    explain: bool,
    fresh: bool,
    include_demo: bool,
    yes: bool,
    json_: bool,
) -> None:
    """Build what a recipe says."""
    found = find_recipe(recipe)
    wanted = replace(found.recipe, format=format_ or found.recipe.format)
    if include_demo:
        wanted = replace(wanted, selection=replace(wanted.selection, demo=True))
    if explain:
        say(explain_recipe(wanted).rstrip("\n"))
        return

    manifest = build_dataset(
        home_to_read(),
        wanted,
        name=name or (out.absolute().name if out else found.name),
        out=out,
        workers=workers,
        fresh=fresh,
        yes=yes,
    )
    if json_:
        say_json({"folder": str(manifest.folder), **manifest.fields})
    else:
        say_built(manifest)


@dataset.command(name="ls")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def list_(*, json_: bool) -> None:
    """List the datasets that were built."""
    from dolphin_logger.curate.manifest import list_datasets

    home = home_to_read()
    datasets = list(list_datasets(home))
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "rows": one.rows,
            "exports": [export["name"] for export in one.fields["exports"]],
            "conversations": one.fields["counts"]["conversations"],
            "publishable": one.is_publishable,
            "folder": str(one.folder),
        }
        for one in datasets
    ]
    if json_:
        say_json({"datasets": rows})
        return
    if not rows and for_person():
        note("no datasets yet: dolphin-logger dataset build")
        return
    columns = ("name", "exports", "conversations", "rows", "publishable", "folder")
    cells = [
        [", ".join(row[key]) if key == "exports" else row[key] for key in columns] for row in rows
    ]
    say_table(columns, cells)


for command in (check, preview, pull, withdraw):
    dataset.add_command(command)
