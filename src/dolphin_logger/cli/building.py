"""Building: a dataset made at the command line, with what this machine knows, and what came of it.

It brings configuration, environment and progress to the build. Invariant: secrets are handed on and
never shown.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from dolphin_logger import config
from dolphin_logger.cli.judging import judging_with
from dolphin_logger.cli.output import for_person, note, say, say_table
from dolphin_logger.cli.progress import progress
from dolphin_logger.curate.build import build
from dolphin_logger.curate.kit import redactors_of
from dolphin_logger.curate.manifest import Manifest
from dolphin_logger.curate.recipe import Recipe, Redaction
from dolphin_logger.curate.redaction import Cleaner
from dolphin_logger.curate.work import Private
from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home
from dolphin_logger.providers import PROVIDERS
from dolphin_logger.redactors import known_secrets

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST_REASONS = 12


def build_dataset(
    home: Home,
    recipe: Recipe,
    *,
    name: str,
    out: Path | None,
    workers: int | None,
    fresh: bool = False,
    yes: bool = False,
) -> Manifest:
    """Build a dataset of a home.

    Raises:
        DatasetError: it cannot be built, or its name cannot be a folder's.
        LeakError: what must not leave would have.
        ConfigError: the configuration, whose keys must not leave, cannot be read.
    """
    if not _NAME.fullmatch(name):
        raise DatasetError(
            f"{name!r} cannot be the name of a dataset: letters, digits and . _ -; give another with --name"
        )
    loaded = _configuration(home)
    return build(
        home,
        recipe,
        name=name,
        out=out.absolute() if out else home.datasets / name,
        workers=workers,
        progress=progress,
        private=Private(known_to_us(home), known_names()),
        judging=judging_with(recipe.judge.model, home=home, config=loaded, yes=yes),
        fresh=fresh,
    )


def say_built(manifest: Manifest) -> None:
    """Print what a dataset has, for a person or as a table."""
    counts: dict[str, Any] = manifest.fields["counts"]
    files = [
        (export["name"], file["path"], file["split"], file["rows"], file["bytes"])
        for export in manifest.fields["exports"]
        for file in export["files"]
    ]
    say_table(("export", "file", "split", "rows", "bytes"), files)
    if not for_person():
        return
    say()
    say(f"{counts['rows']:,} rows of {counts['conversations']:,} conversations")
    found = sum(manifest.fields["findings"].values())
    say(
        f"{found:,} findings replaced; left out:"
        if counts["rejected"]
        else f"{found:,} findings replaced"
    )
    for reason, count in list(counts["rejected"].items())[:_MOST_REASONS]:
        say(f"  {count:>8,}  {reason}")
    say(str(manifest.folder))
    if not manifest.is_publishable:
        note("answers of the built-in model are in it: it cannot be published")


def make_cleaner(
    home: Home,
    *,
    rules: Collection[str],
    key: bytes,
    canaries: Sequence[str] = (),
    own: Sequence[str] = (),
) -> Cleaner:
    """Make what looks for that which must not leave, as of today: with everything this machine knows.

    Args:
        home: whose configuration holds secrets.
        rules: names of redactors; none: all that are built in.
        key: of the identities in reports.
        canaries: strings that must never appear.
        own: strings of the user's that do not leave.

    Raises:
        DatasetError: a redactor is unknown, or a canary too short.
    """
    recipe = Recipe(redaction=Redaction(redactors=tuple(rules)))
    return Cleaner(
        redactors_of(recipe, secrets=known_to_us(home)),
        key=key,
        canaries=canaries,
        own=own,
        names=known_names(),
    )


def known_to_us(home: Home) -> tuple[str, ...]:
    """Give every key and token that the configuration and the environment hold."""
    return known_secrets(_configuration(home), os.environ)


def _configuration(home: Home) -> config.Config:
    """Read the configuration, whose keys must not leave; an empty one where there is none."""
    path = home.path / "config.json"
    if not path.exists():
        return config.Config(path)
    return config.load(path, env=os.environ, known_providers=tuple(PROVIDERS))


def known_names() -> tuple[str, ...]:
    """Give the names of the user and of the machine, as paths and prompts show them."""
    found = {Path.home().name, socket.gethostname()}
    try:
        found.add(getpass.getuser())
    except (OSError, KeyError):  # no such user: a container
        found.discard("")
    return tuple(sorted(found - {"", "root", "localhost"}))
