"""Templates: rows rendered with the chat templates of real models, through TRL's own way of doing it.

The templates come with TRL's wheel; models, weights and PyTorch are not needed. That a family cannot
show tools or system messages is that family's limit, so it is told in a table and fails nothing; that no
template at all can show a row does. It knows rows of messages, no files.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset
from dolphin_logger.curate.check.report import Result
from dolphin_logger.errors import DatasetError

CURE: Final = "pip install 'dolphin-logger[check]' && pip install --no-deps trl"
SHAPES: Final = ("messages", "turns", "preference", "kto")
_SAMPLE: Final = 50
_TRAINING: Final = "_training"


@dataclass(slots=True)
class Seen:
    """What one template made of the rows."""

    rows: int = 0
    rendered: int = 0
    thoughts: int = 0  # rows with a thought
    kept: int = 0  # of them, those whose every thought is in the text
    fault: str = ""
    unshown: set[str] = field(default_factory=set)


def check_templates(dataset: Dataset, result: Result) -> None:
    """Render a sample of rows with every template; say by family what works."""
    shapes = [export for export in dataset.exports if export.name in SHAPES]
    if not shapes:
        result.status, result.said = "skipped", "no shape that is rendered"
        return
    try:
        names = template_names()
    except DatasetError as error:
        result.fail(str(error))
        return
    rows = [found for export in shapes for found in dataset.sample(export, _SAMPLE)]
    table: dict[str, Seen] = {name: Seen() for name in names if not name.endswith(_TRAINING)}
    shown: set[str] = set()
    for name, seen in table.items():
        for place, row in rows:
            _try(name, row, seen, place=place, shown=shown)
    for place, _ in rows:
        if place not in shown:
            result.fail(f"{place}: no template can render it: {_a_fault(table)}")
    result.table = [("family", "rendered", "thoughts kept", "first refusal")]
    result.table += [
        (name, f"{seen.rendered}/{seen.rows}", _share(seen), seen.fault)
        for name, seen in sorted(table.items())
    ]
    works = sum(seen.rendered == seen.rows for seen in table.values())
    result.said = f"{len(rows)} rows; {works} of {len(table)} families render all of them"


def template_names() -> list[str]:
    """Name the templates that are installed.

    Raises:
        DatasetError: TRL is not here.
    """
    return sorted(path.stem for path in _folder().glob("*.jinja"))


def find_template(name: str) -> str:
    """Give the text of a template, by its name or by its path.

    Raises:
        DatasetError: there is none of that name.
    """
    path = Path(name)
    if path.suffix == ".jinja" and path.is_file():
        return path.read_text(encoding="utf-8")
    known = template_names()
    if name not in known:
        near = [one for one in known if name.replace("-", "").lower() in one.replace("_", "")]
        raise DatasetError(
            f"template {name!r}: unknown; known: {', '.join(near or known)}, or the path of a .jinja file"
        )
    return (_folder() / f"{name}.jinja").read_text(encoding="utf-8")


def render(row: dict[str, Any], template: str) -> dict[str, str]:
    """Render a row as TRL's trainers do: `text`, or `prompt` with `completion` or both answers."""
    from trl.data_utils import apply_chat_template  # noqa: PLC0415  # an extra

    keys = {"messages", "prompt", "completion", "chosen", "rejected", "label"}
    said = {key: value for key, value in row.items() if key in keys}
    return dict(apply_chat_template(said, _tokenizer(template), tools=row.get("tools") or None))


@cache
def _tokenizer(template: str) -> Any:
    """Make a tokenizer that has a template, and no words."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    from tokenizers import Tokenizer, models  # noqa: PLC0415  # an extra
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415  # an extra

    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>")
    made.chat_template = find_template(template)
    return made


def _try(name: str, row: dict[str, Any], seen: Seen, *, place: str, shown: set[str]) -> None:
    seen.rows += 1
    try:
        text = "".join(render(row, name).values())
    except Exception as error:  # noqa: BLE001  # a template may raise whatever it likes
        seen.fault = seen.fault or f"{type(error).__name__}: {' '.join(str(error).split())[:60]}"
        return
    seen.rendered += 1
    shown.add(place)
    thoughts = [one for one in _thoughts(row) if one.strip()]
    if thoughts:
        seen.thoughts += 1
        seen.kept += all(one.strip() in text for one in thoughts)


def _thoughts(row: dict[str, Any]) -> Iterator[str]:
    for name in ("messages", "prompt", "completion", "chosen", "rejected"):
        for message in row.get(name) or ():
            if isinstance(message, dict) and isinstance(message.get("reasoning_content"), str):
                yield message["reasoning_content"]


def _share(seen: Seen) -> str:
    return f"{seen.kept}/{seen.thoughts}" if seen.thoughts else "-"


def _a_fault(table: dict[str, Seen]) -> str:
    return next((seen.fault for seen in table.values() if seen.fault), "all refuse")


def _folder() -> Path:
    found = find_spec("trl")
    places = list(found.submodule_search_locations or ()) if found is not None else []
    if not places or find_spec("transformers") is None:
        raise DatasetError(f"the packages trl and transformers are missing: {CURE}")
    return Path(places[0]) / "chat_templates"
