"""Recipe: what a dataset is to be made of and how, as one frozen value.

    [selection]  which records        [pairs]          which answer was better
    [filters]    what is good enough  [duplicates]     what is there already
    [redaction]  what must not leave  [contamination]  what is in tests      [judge]

Every setting with its default is in here, but for those of the filters, which have their own. It
knows neither files nor what is done with the settings.
Invariant: two recipes that are equal make the same dataset of the same records.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, make_dataclass
from typing import Any, Final

from dolphin_logger.config.findings import write_path
from dolphin_logger.config.values import UnfitError, read_boolean, read_share
from dolphin_logger.curate import contamination, judge
from dolphin_logger.curate.filters import FILTERS
from dolphin_logger.curate.settings import (
    read_count,
    read_day,
    read_license,
    read_line,
    read_names,
    read_table,
    read_texts,
    read_word,
    setting,
    table,
    write_table,
)
from dolphin_logger.errors import DatasetError

FORMATS: Final = ("jsonl", "parquet")
_IMAGES: Final = ("reference", "embedded", "drop")
NATIVE: Final = "native"  # the client's own session files
_FLAVOURS: Final = ("pi", "sts", NATIVE, "weighted")
_SIGNALS: Final = ("regenerate", "edit", "n_best", "label")


@dataclass(frozen=True, slots=True)
class Selection:
    """`[selection]`: the records that are looked at."""

    model: tuple[str, ...] = setting((), read_texts, "Models by name, * for any end; none: all.")
    client: tuple[str, ...] = setting((), read_texts, "Clients by name, * for any end; none: all.")
    provider: tuple[str, ...] = setting((), read_texts, "Providers by name; none: all.")
    conversation: tuple[str, ...] = setting(
        (), read_texts, "Conversations by id, or by that of a record, or its end; none: all."
    )
    tag: tuple[str, ...] = setting((), read_texts, "With one of these tags; none: any.")
    without_tag: tuple[str, ...] = setting((), read_texts, "With none of these tags.")
    outcome: tuple[str, ...] = setting(("completed",), read_texts, "How the exchange ended.")
    finish_reason: tuple[str, ...] = setting((), read_texts, "Why the answer ended; none: any.")
    since: str = setting("", read_day, 'First day, UTC: "2026-11-22".')
    until: str = setting("", read_day, "Last day, UTC, included.")
    rating: int = setting(
        3, read_count(1, 5), "Lowest rating; what nobody rated is taken, and what has `keep`."
    )
    only_rated: bool = setting(False, read_boolean, "Only what somebody rated.")
    only_kept: bool = setting(False, read_boolean, "Only what somebody marked with `keep`.")
    imported: bool = setting(False, read_boolean, "Also sessions that other programs wrote.")
    side_tasks: bool = setting(False, read_boolean, "Also titles, summaries and the like.")
    replays: bool = setting(False, read_boolean, "Also replays that nobody marked with `keep`.")
    demo: bool = setting(False, read_boolean, "Also the built-in model; then never publishable.")
    one_model: bool = setting(False, read_boolean, "Refuse to mix answers of several models.")
    query: str = setting("", read_line, "Only conversations that this search finds.")


@dataclass(frozen=True, slots=True)
class Paired:
    """`[pairs]`: what shows that one answer was better."""

    signals: tuple[str, ...] = setting(
        _SIGNALS, read_names(*_SIGNALS), "What counts as showing that an answer was better."
    )


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`[duplicates]`: what is there already."""

    exact: bool = setting(True, read_boolean, "Leave out what says the same.")
    near: float = setting(0.0, read_share, "Likeness from which it says the same; 0: not asked.")


@dataclass(frozen=True, slots=True)
class Redaction:
    """`[redaction]`: what must not leave."""

    redactors: tuple[str, ...] = setting((), read_texts, "By name; none: all that are built in.")
    own: tuple[str, ...] = setting((), read_texts, "Strings of your own that are replaced.")
    canaries: tuple[str, ...] = setting((), read_texts, "Strings that stop the build.")


def _meaning(settings: type[Any]) -> str:
    """Take what a filter's file says of itself first."""
    return (sys.modules[settings.__module__].__doc__ or "").split("\n")[0]


Filters: Any = make_dataclass(
    "Filters",
    [
        (name, kind.settings, table(kind.settings, _meaning(kind.settings), check=kind.make))
        for name, kind in FILTERS.items()
    ],
    frozen=True,
    slots=True,
)
"""`[filters.NAME]`: the settings of each filter."""
Filters.__module__ = __name__  # so that it can be pickled


@dataclass(frozen=True, slots=True)
class Recipe:
    """All of it."""

    description: str = setting("", read_line, "What the dataset is for.")
    license: str = setting(
        "", read_license, "Under which it is published, as the Hub spells it: cc-by-4.0, …"
    )
    exports: tuple[str, ...] = setting(("messages",), read_texts, "Shapes of rows, by name.")
    format: str = setting("jsonl", read_word(*FORMATS), "Form of the files: jsonl or parquet.")
    validation: float = setting(0.0, read_share, "Share of conversations held back for validation.")
    shard_mib: int = setting(256, read_count(1, 10_240), "MiB after which a new file begins.")
    images: str = setting(
        "reference",
        read_word(*_IMAGES),
        "Pictures: as files (reference), in rows (embedded), drop.",
    )
    reasoning: bool = setting(True, read_boolean, "Keep what the model thought.")
    flavour: str = setting(
        "",
        read_word("", *_FLAVOURS),
        "Kind of a shape: pi, sts, native (traces), weighted (openai).",
    )
    selection: Selection = table(Selection, "Which records.")
    pairs: Paired = table(Paired, "Which answer was better, for `preference`.")
    filters: Any = table(Filters, "What is good enough.")
    duplicates: Duplicates = table(Duplicates, "What is there already.")
    contamination: contamination.Settings = table(
        contamination.Settings, "Texts of tests that a model is to pass."
    )
    redaction: Redaction = table(Redaction, "What must not leave.")
    judge: judge.Settings = table(judge.Settings, "What another model says of it.")

    def to_json(self) -> dict[str, Any]:
        """Write every setting as JSON values."""
        resolved: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return resolved


_MEANINGS: Final[Mapping[str, str]] = {
    "judge.model": "A model of config.json that rates, through the proxy; none: nobody does.",
    "judge.rubric": "A file that says what is to be rated; none: the one that comes with it.",
    "judge.least": "Lowest rating, 1 to 5, with which something stays.",
    "judge.at_once": "Requests at a time.",
    "contamination.files": "Files with the texts of tests.",
    "contamination.words": "Words in a row that tell a text of a test.",
    "contamination.most": "Largest share of such runs; 0: none at all.",
    "filters.finish_reason.drop": "Why answers ended that are left out.",
    "filters.empty.drop": "Leave out what ends with an empty answer.",
    "filters.turns.least": "Fewest answers of the model; 0: any number.",
    "filters.turns.most": "Most answers of the model; 0: any number.",
    "filters.models.only": "Models that alone may have answered, * for any end; none: all.",
    "filters.presence.tool_calls": "Calls of tools: any, some or none.",
    "filters.presence.reasoning": "Messages with reasoning: any, some or none.",
    "filters.unfinished.at_end": "Leave out what ends with a call of a tool.",
    "filters.unfinished.within": "Leave out what has a call without a result before its end.",
    "filters.tokens.least": "Fewest tokens, estimated; 0: any number.",
    "filters.tokens.most": "Most tokens, estimated; 0: any number.",
    "filters.tool_errors.most": "Largest share of failed calls; 1: any.",
    "filters.tool_errors.results": "With fewer results than this the share says nothing.",
    "filters.refusals.drop": "Leave out what refuses to help.",
    "filters.refusals.scope": "Where: in the last answer (answer), or in all.",
    "filters.language.languages": "Languages by ISO 639-1 code; none: all.",
    "filters.language.unknown": "What is too short to tell: keep or drop.",
    "filters.repetition.most": "Largest share of repeated text; 1: any.",
    "filters.repetition.loops": "How often the same may be said in a row; 0: any number.",
    "filters.repetition.scope": "Where: in the last answer (answer), or in all.",
}


def read_recipe(values: Mapping[str, Any], *, name: str) -> Recipe:
    """Read the values of a recipe's TOML; what is missing has its default. `name` is for messages.

    Raises:
        DatasetError: something is unknown or unfit.
    """
    try:
        recipe = read_table(Recipe, values)
    except UnfitError as fault:
        where = f"{write_path(fault.at)}: " if fault.at else ""
        raise DatasetError(f"{name}: {where}{fault}") from None
    except DatasetError as fault:  # what a filter says of its settings
        raise DatasetError(f"{name}: {fault}") from None
    since, until = recipe.selection.since, recipe.selection.until
    if since and until and since > until:
        raise DatasetError(f"{name}: selection.since: {since} is after until, {until}")
    return recipe


def write_recipe(recipe: Recipe) -> str:
    """Write every setting as TOML."""
    return write_table(recipe)


def explain_recipe(recipe: Recipe) -> str:
    """Write every setting as TOML, each below the line that says what it means."""
    return write_table(recipe, meanings=_MEANINGS)
