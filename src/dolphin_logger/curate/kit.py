"""Kit: the exporters, redactors and filters that a recipe names.

The one place that goes from names to what has them. It knows the sockets' lists and the recipe.
Invariant: an unknown name is an error that lists the known ones, before anything is read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from dolphin_logger import exporters, redactors
from dolphin_logger.curate import contamination
from dolphin_logger.curate.filters import Filter, make_filters
from dolphin_logger.curate.recipe import Recipe
from dolphin_logger.errors import DatasetError
from dolphin_logger.exporters import EXPORTERS, Exporter
from dolphin_logger.redactors import REDACTORS, Known, Redactor


def exporters_of(recipe: Recipe) -> list[Exporter]:
    """Give the shapes, each once.

    Raises:
        DatasetError: one is unknown, or there are none.
    """
    if not recipe.exports:
        raise DatasetError(f"exports: name at least one shape of {', '.join(EXPORTERS)}")
    for name in recipe.exports:
        if "/" in name or name.startswith("."):  # it becomes the name of a folder
            raise DatasetError(f"exports: {name!r} is no name of a shape")
    return [exporters.find(name) for name in dict.fromkeys(recipe.exports)]


def redactors_of(recipe: Recipe, *, secrets: Collection[str]) -> list[Redactor]:
    """Give the redactors; secrets that this machine knows are always looked for.

    Raises:
        DatasetError: one is unknown.
    """
    named = dict.fromkeys(recipe.redaction.redactors or REDACTORS)
    return [Known(secrets), *(redactors.find(name) for name in named if name != Known.name)]


def rules_of(recipe: Recipe) -> dict[str, str]:
    """Give the versions of the redactors by name, for the manifest.

    Raises:
        DatasetError: one is unknown.
    """
    return {one.name: one.version for one in redactors_of(recipe, secrets=())}


def filters_of(recipe: Recipe) -> list[Filter]:
    """Give the filters that demand something.

    Raises:
        DatasetError: a file of tests cannot be used.
    """
    settings = {one.name: getattr(recipe.filters, one.name) for one in fields(recipe.filters)}
    tests = contamination.make(recipe.contamination)
    return [*make_filters(settings), *([tests] if tests else [])]
