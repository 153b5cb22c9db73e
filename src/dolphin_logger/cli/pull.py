"""`dolphin-logger dataset pull`: read a published dataset back, and compare it with what is here."""

from __future__ import annotations

from pathlib import Path

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import note, say_json, say_table


@click.command(
    short_help="Read a published dataset back and compare it.",
    help="Bring a published dataset here, and say which of its rows are those built here.",
)
@click.option(
    "--repo", metavar="OWNER/NAME", help="From where [huggingface_repo, else the original's]."
)
@click.option("--revision", default="main", show_default=True, help="refs/pr/N for a pull request.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder [datasets/.publications in the home]."
)
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def pull(*, repo: str | None, revision: str, out: Path | None, json_: bool) -> None:
    """Pull."""
    from dolphin_logger.cli import publishing
    from dolphin_logger.cli.progress import progress
    from dolphin_logger.publish.pulled import compare, pull_files

    home = own_home()
    target = publishing.find_target(home, repo, will_create=False, public=False)
    folder = out or publishing.work_folder(home, target.remote.name) / "pulled"
    tree = target.hub.tree(revision)
    with progress("reading", length=sum(file.size for file in tree.values())) as advance:
        pull_files(target.hub, tree, revision=revision, folder=folder, advance=advance)
    found = compare(folder, publishing.datasets_to_publish(home, ()))
    if json_:
        exports = {
            one.export: {"both": one.both, "there": one.there, "here": one.here} for one in found
        }
        say_json({"folder": str(folder), "exports": exports})
        return
    say_table(
        ("export", "both", "only there", "only here"),
        [(one.export, one.both, one.there, one.here) for one in found],
    )
    note(str(folder))
