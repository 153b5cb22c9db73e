"""Publishing: what the commands that speak to the Hub share: the target, the license, what is staged.

It brings configuration, environment and what this machine knows to the room `publish`.
Invariant: tokens are handed on and never shown.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from dolphin_logger import config
from dolphin_logger.cli.building import build_dataset, make_cleaner
from dolphin_logger.cli.output import note
from dolphin_logger.cli.private import keep_private
from dolphin_logger.curate.licenses import LICENSES, check_license
from dolphin_logger.curate.manifest import list_datasets
from dolphin_logger.curate.recipe import Recipe
from dolphin_logger.curate.recipes import find_recipe
from dolphin_logger.curate.redaction import load_key
from dolphin_logger.curate.withdrawals import withdrawn_ids
from dolphin_logger.errors import DatasetError, HubError
from dolphin_logger.example import Exchanged
from dolphin_logger.journal.home import Home, make_private_folder
from dolphin_logger.journal.tombstones import removed_ids
from dolphin_logger.providers import PROVIDERS
from dolphin_logger.publish.built import Built, combine, read_built
from dolphin_logger.publish.contributions import contributor_of
from dolphin_logger.publish.hub import Hub, Remote, token_of
from dolphin_logger.publish.proposal import Confirmed, Proposal, waiting
from dolphin_logger.publish.review import Review, make_review
from dolphin_logger.publish.staging import Staged, Staging, Wish

DEFAULT_REPOSITORY = "cognitivecomputations/dolphin-logger"  # the original's
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


@dataclass(frozen=True, slots=True)
class Target:
    """A repository on the Hub; `source` says where its name comes from.

    `remote` has no head where the repository is not there yet.
    """

    hub: Hub
    remote: Remote
    source: str

    @property
    def is_there(self) -> bool:
        """Whether the repository exists."""
        return bool(self.remote.head)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A publication that waits for a yes."""

    target: Target
    staged: Staged
    review: Review
    built: Built | None


def find_target(home: Home, repo: str | None, *, will_create: bool, public: bool) -> Target:
    """Find the repository: --repo, else the configuration's, else the original's default.

    Raises:
        HubError: no token, an unknown one, or no such repository.
        DatasetError: it cannot be the name of one.
    """
    keep_private()  # what is fetched is written by huggingface_hub
    name, source = _repository(home, repo)
    if not _NAME.fullmatch(name):
        raise DatasetError(f"repository {name!r}: expected owner/name")
    hub = Hub(name, token=token_of())
    remote = hub.look()
    if remote is None:
        if not will_create:
            raise HubError(
                f"{name}: no such dataset on {hub.endpoint}, or this token may not see it; "
                "name another with --repo, or make it with `upload --create`",
                status=404,
            )
        remote = Remote(name, not public, "", hub.user(), may_write=True)
    return Target(hub, remote, source)


def datasets_to_publish(home: Home, names: Sequence[str]) -> Built | None:
    """Read the datasets of these names; without names all that may leave; None where there is none.

    Raises:
        DatasetError: one is not there, or not as it was built.
        LeakError: one must stay here.
    """
    known = {one.name: one for one in list_datasets(home) if one.folder.name == one.name}
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none yet: dolphin-logger dataset build"
            raise DatasetError(f"no dataset {name!r} here; there are: {there}")
    if names:
        return combine([read_built(known[name].folder) for name in names])
    every = [one for one in list_datasets(home) if one.is_publishable and one.rows]
    return combine([read_built(one.folder) for one in every]) if every else None


def build_for_upload(home: Home, recipe: str, *, exports: tuple[str, ...] = ()) -> Built:
    """Build a dataset with a recipe that comes with the program, and read it.

    Raises:
        DatasetError: nothing that may be published is left.
    """
    found = find_recipe(recipe)
    wanted = replace(found.recipe, exports=exports) if exports else found.recipe
    name = exports[0] if exports else found.name
    note(f"building the dataset {name!r} of {home.path}")
    return _rebuilt(home, wanted, name)


def rebuild(home: Home, built: Built) -> Built:
    """Build the same datasets again: labels changed."""
    again = []
    for name, folder in zip(built.names, built.folders, strict=True):
        again.append(_rebuilt(home, find_recipe(str(folder / "recipe.toml")).recipe, name))
    return combine(again)


def prepare(
    home: Home,
    target: Target,
    built: Built | None,
    *,
    license_: str,
    languages: tuple[str, ...],
    check_others: bool,
    removed: frozenset[str] = frozenset(),
) -> Prepared:
    """Stage everything that would change, and what is to be seen of it."""
    remote = target.remote
    folder = work_folder(home, remote.name)
    wish = Wish(
        built=built,
        contributor=contributor_of(home),
        license=license_,
        removed=removed | frozenset(removed_ids(home)) | withdrawn_ids(home),
        languages=languages,
        check_others=check_others,
        waiting=tuple(waiting(target.hub, memory=folder / "state.json")) if target.is_there else (),
    )
    staged = Staging(
        target.hub,
        remote,
        wish,
        folder=folder,
        clean=_cleaner(home, ()),
        check=_cleaner(home, built.rules if built else ()),
    ).run()
    return Prepared(target, staged, make_review(staged, built, remote), built)


def deliver(
    home: Home,
    prepared: Prepared,
    *,
    advance: Callable[[int], object],
    patience: float,
    is_public: bool,
) -> str:
    """Bring confirmed changes to the Hub; give the pull request's URL."""
    target, review = prepared.target, prepared.review
    base = prepared.staged.base
    if not target.is_there:
        target.hub.create(private=not is_public)
        base = target.hub.head()
    confirmed = Confirmed(prepared.staged.changes, base, _title(review), _describe(review))
    proposal = Proposal(
        target.hub,
        confirmed,
        memory=work_folder(home, target.remote.name) / "state.json",
        advance=advance,
        note=note,
        patience=patience,
    )
    return proposal.deliver().url


def waiting_urls(home: Home, target: Target) -> list[str]:
    """Give the addresses of our pull requests that nobody has merged yet."""
    if not target.is_there:
        return []
    memory = work_folder(home, target.remote.name) / "state.json"
    found = waiting(target.hub, memory=memory)
    return [pull.url for pull in found if pull.author == target.remote.user]


def settle_license(home: Home, target: Target, given: str | None, built: Built | None) -> str:
    """Find the license: as given, as the recipe says, as remembered for this repository, or asked once.

    Raises:
        DatasetError: nobody is there to be asked.
    """
    memory = work_folder(home, target.remote.name) / "license"
    given = given or (built.license if built else None)
    if given is None and memory.exists():
        return check_license(memory.read_text(encoding="utf-8").strip())
    if given is None:
        from dolphin_logger.cli.output import for_person

        if not for_person():
            raise DatasetError(
                f"no license for {target.remote.name} yet: give one with --license, e.g. --license cc-by-4.0; "
                f"known: {', '.join(LICENSES)}"
            )
        for name, meaning in LICENSES.items():
            note(f"  {name:<14} {meaning}")
        given = click.prompt(
            "License of what you publish", type=click.Choice(list(LICENSES)), err=True
        )
    chosen = check_license(str(given))
    make_private_folder(memory.parent)
    memory.write_text(chosen + "\n", encoding="utf-8")
    return chosen


def work_folder(home: Home, repository: str) -> Path:
    """Give the folder in which publications to a repository are put together."""
    folder = home.datasets / ".publications" / repository.replace("/", "--")
    make_private_folder(folder)
    return folder


def _repository(home: Home, given: str | None) -> tuple[str, str]:
    if given:
        return given, "--repo"
    loaded = config.load(
        home.path / "config.json", env=os.environ, known_providers=tuple(PROVIDERS)
    )
    if loaded.huggingface_repo:
        return loaded.huggingface_repo, "huggingface_repo of the configuration"
    return DEFAULT_REPOSITORY, "the default of the original dolphin-logger"


def _rebuilt(home: Home, recipe: Recipe, name: str) -> Built:
    manifest = build_dataset(
        home, recipe, name=name, out=None, workers=os.cpu_count() or 1, fresh=False
    )
    return read_built(manifest.folder)


def _cleaner(home: Home, names: Collection[str]) -> Callable[[Any], tuple[Any, int]]:
    """Make what looks at rows as of today: redactors of these names (none: all) and every known secret."""
    cleaner = make_cleaner(home, rules=names, key=load_key(home.datasets / "key"))

    numbers = itertools.count()

    def clean(row: Any) -> tuple[Any, int]:
        piece = Exchanged("row", f"row {next(numbers)}", row, None)
        cleaned = cleaner.clean(piece)
        return cleaned.piece.request, len(cleaned.findings)

    return clean


def _title(review: Review) -> str:
    if review.conversations:
        plural = "" if review.conversations == 1 else "s"
        return f"Add {review.conversations} conversation{plural}"
    return "Take rows back" if review.dropped else "Clean rows again"


def _describe(review: Review) -> str:
    """Write the pull request's text: counts only."""
    lines = [f"- {count:,} rows in `{name}`" for name, count in review.new.items()]
    gone: Collection[str] = [*review.dropped, *review.cleaned]
    lines += [f"- changed: `{path}`" for path in gone]
    found = sum(count for _, count in review.findings)
    return "\n".join(
        [
            "Recorded, cleaned and reviewed with dolphin-logger.",
            "",
            *lines,
            f"- {found:,} spans were replaced by placeholders",
            f"- confirmed: `{review.digest}`",
        ]
    )
