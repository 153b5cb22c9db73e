"""Recipes by name: those that come with the program, and files; each may extend another.

    sft  turns  preference  agent-traces  distill

A recipe that has `extends` says only what is different: tables are joined, values replaced.
Invariant: relative paths in a file mean files beside it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from dolphin_logger.config.findings import offer, show
from dolphin_logger.curate.recipe import Recipe, read_recipe
from dolphin_logger.errors import DatasetError

DEFAULT: Final = "sft"
_DEEPEST: Final = 8  # recipes that extend each other


@dataclass(frozen=True, slots=True)
class Found:
    """A recipe, and the name that a dataset made of it has by default."""

    name: str
    recipe: Recipe


def built_in() -> list[str]:
    """Name the recipes that come with the program."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files(__name__).iterdir()
        if entry.name.endswith(".toml")
    )


def find_recipe(wanted: str) -> Found:
    """Find a recipe by its built-in name or by its path, and read it with all that it extends.

    Raises:
        DatasetError: there is none, or it cannot be used.
    """
    name, _, _ = _text(wanted, beside=Path())
    return Found(name, read_recipe(_values(wanted, beside=Path(), depth=0), name=wanted))


def _values(wanted: str, *, beside: Path, depth: int) -> dict[str, Any]:
    """Give the values of a recipe over those of the one that it extends."""
    if depth > _DEEPEST:
        raise DatasetError(f"{wanted}: recipes extend each other in a circle, or too deeply")
    _, text, folder = _text(wanted, beside=beside)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DatasetError(f"{wanted}: not TOML: {error}") from None
    except (RecursionError, ValueError):  # what tomllib does not expect: depth, endless numbers
        raise DatasetError(f"{wanted}: is nested too deep, or has an endless number") from None
    base = values.pop("extends", None)
    if folder is not None:
        _place(values, folder)
    if base is None:
        return values
    if not isinstance(base, str) or not base:
        raise DatasetError(f"{wanted}: extends: expected a recipe, got {show(base)}")
    below = _values(base, beside=folder or Path(), depth=depth + 1)
    return dict(_join(below, values))


def _place(values: dict[str, Any], folder: Path) -> None:
    """Have paths in a recipe's file mean files beside it."""
    tests, judge = values.get("contamination"), values.get("judge")
    if isinstance(tests, dict) and isinstance(tests.get("files"), list):
        tests["files"] = [_beside(folder, path) for path in tests["files"]]
    if isinstance(judge, dict) and "rubric" in judge:
        judge["rubric"] = _beside(folder, judge["rubric"])


def _beside(folder: Path, path: Any) -> Any:
    return str(folder / Path(path).expanduser()) if isinstance(path, str) and path else path


def _join(below: Mapping[str, Any], above: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in {**below, **above}:
        lower, upper = below.get(key), above.get(key)
        if isinstance(lower, dict) and isinstance(upper, dict):
            yield key, dict(_join(lower, upper))
        else:
            yield key, above.get(key, lower)


def _text(wanted: str, *, beside: Path) -> tuple[str, str, Path | None]:
    """Give name, text and folder of a recipe; one that comes with the program has no folder."""
    if wanted in built_in():
        return wanted, files(__name__).joinpath(f"{wanted}.toml").read_text("utf-8"), None
    if "/" not in wanted and not wanted.endswith(".toml"):
        hint = offer(wanted, built_in())
        raise DatasetError(f"unknown recipe {wanted!r}{hint}; or the path of a .toml file")
    path = beside / Path(wanted).expanduser()
    try:
        return path.stem, path.read_text("utf-8"), path.absolute().parent
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise DatasetError(f"{path}: cannot be read: {reason}") from None
