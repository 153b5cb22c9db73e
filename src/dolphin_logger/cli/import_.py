"""`dolphin-logger import`: bring in sessions that other programs wrote, and keep their files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import for_person, note, say, say_json, say_table
from dolphin_logger.cli.progress import progress
from dolphin_logger.importers import IMPORTERS
from dolphin_logger.importers.intake import Brought, Intake, look_at
from dolphin_logger.importers.selection import Selected, of_arguments, of_sources
from dolphin_logger.journal.home import Home

_PATIENCE_SECONDS = 60.0  # a watch is at work for seconds at a time
_HELP = (
    "Bring in sessions of other programs: SOURCE by its name (its files are found), or the PATH of a "
    "file, folder or zip (its content tells what it is; `import SOURCE PATH` says so). "
    "Untouched copies go to archive/, turns to imports/. Again: only what is new. "
    "Without arguments: what could be imported."
)


@click.command(name="import", help=_HELP)
@click.argument("arguments", metavar="[SOURCE|PATH]...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every source whose files can be found.")
@click.option("--dry-run", is_flag=True, help="Count what there is; write nothing.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def import_(*, arguments: tuple[str, ...], all_: bool, dry_run: bool, json_: bool) -> None:
    """Import what is named."""
    if all_ and arguments:
        raise click.UsageError("--all takes no sources and no paths")
    home, user = own_home(), Path.home()
    if not all_ and not arguments:
        _say_sources(home, user, json_=json_)
        return
    selected = (
        found_files(home, user)
        if all_
        else of_arguments(arguments, user=user, env=os.environ, home=home.path.resolve())
    )
    brought = Brought()
    if dry_run:
        for one in _with_progress(selected):
            look_at(one.path, one.choose, brought)
    else:
        with Intake(home, user=user, patience=_PATIENCE_SECONDS) as intake:
            for one in _with_progress(selected):
                intake.bring(one.path, one.choose, brought)
    if json_:
        say_json(as_json(brought) | {"dry_run": dry_run})
    else:
        _say_brought(brought, dry_run=dry_run)
    if brought.failed and not brought.files + brought.unchanged:
        raise click.exceptions.Exit(1)


def found_files(home: Home, user: Path) -> list[Selected]:
    """Give the files of every source that keeps them where they can be found."""
    sources = [source for source in IMPORTERS.values() if source.automatic]
    return list(of_sources(sources, user=user, env=os.environ, home=home.path.resolve()))


def as_json(brought: Brought) -> dict[str, object]:
    """Give the counts of an import as a command prints them."""
    return {
        "sessions": len(brought.sessions),
        "turns": brought.turns,
        "known": brought.known,
        "waiting": brought.waiting,
        "files": brought.files,
        "unchanged": brought.unchanged,
        "unknown": dict(sorted(brought.unknown.items())),
        "failed": brought.failed,
    }


def _with_progress(selected: list[Selected]) -> Iterator[Selected]:
    """Go through the files; a person sees how far it is."""
    with progress("importing", length=len(selected)) as advance:
        for one in selected:
            yield one
            advance(1)


def _say_sources(home: Home, user: Path, *, json_: bool) -> None:
    counts = dict.fromkeys(IMPORTERS, 0)
    for one in found_files(home, user):
        assert one.source is not None
        counts[one.source.name] += 1
    if json_:
        say_json({"sources": counts})
        return
    say_table(("source", "files found"), list(counts.items()))
    note("import one by its name, all that were found with --all, an export by its path")


def _say_brought(brought: Brought, *, dry_run: bool) -> None:
    facts = as_json(brought)
    word = "turns to import" if dry_run else "new turns"
    if for_person():
        say(
            f"{len(brought.sessions):,} sessions, {brought.turns:,} {word}, {brought.known:,} known"
        )
        say(f"{brought.files:,} files read, {brought.unchanged:,} unchanged")
    else:
        names = ("sessions", "turns", "known", "waiting", "files", "unchanged")
        say_table(("what", "count"), [(name, facts[name]) for name in names])
    if brought.waiting:
        note(f"{brought.waiting:,} answers may still grow: import again later")
    for kind, count in brought.unknown.most_common():
        note(f"not understood, kept in the archive: {kind} ({count:,} times)")
    for sentence in brought.failed:
        note(f"not imported: {sentence}")
