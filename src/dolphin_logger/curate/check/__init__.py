"""Check: the proof, on the files that were built, that trainers load them as they are.

    dataset     what is checked                    report      what was looked at and what came of it
    integrity   files, pictures, columns, copies   loading     `datasets`, offline, gives the same rows
    shapes      every row by the rules of          trainers    rows as LLaMA-Factory and Axolotl read them,
                chats, openai, atif, sessions                  by the rules of llama_factory, axolotl
    templates   chat templates render them         leaks       secrets, canaries, the license

It reads a dataset's folder and changes nothing. A package that is missing fails its check and says
which. Invariant: a check that cannot be run is never counted as passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset, Export, find_dataset
from dolphin_logger.curate.check.integrity import (
    check_columns,
    check_duplicates,
    check_files,
    check_pictures,
)
from dolphin_logger.curate.check.leaks import check_leaks, check_license
from dolphin_logger.curate.check.loading import check_loading
from dolphin_logger.curate.check.report import Check, Result, run_checks
from dolphin_logger.curate.check.shapes import check_shapes, check_types
from dolphin_logger.curate.check.templates import check_templates
from dolphin_logger.curate.check.trainers import check_trainers

LEAKS: Final = "leaks"
_CHECKS: Final[Mapping[str, Callable[[Dataset, Result], None]]] = {
    "files": check_files,
    "pictures": check_pictures,
    "columns": check_columns,
    "duplicates": check_duplicates,
    "loading": check_loading,
    "shapes": check_shapes,
    "types": check_types,
    "trainers": check_trainers,
    "templates": check_templates,
    "license": check_license,
}
NAMES: Final = (*_CHECKS, LEAKS)


def checks_of(
    dataset: Dataset, *, scan: Callable[[Any], Iterable[tuple[str, str]]]
) -> dict[str, Check]:
    """Give all checks of a dataset by name, in order; for `scan` see `leaks`."""
    checks: dict[str, Check] = {name: partial(check, dataset) for name, check in _CHECKS.items()}
    return checks | {LEAKS: partial(check_leaks, dataset, scan=scan)}


__all__ = [
    "LEAKS",
    "NAMES",
    "Dataset",
    "Export",
    "Result",
    "checks_of",
    "find_dataset",
    "run_checks",
]
