"""Templates: rows rendered with the chat templates of real models, through TRL's own way of doing it.

The templates come with TRL's wheel; models, weights and PyTorch are not needed. That a family cannot
show tools or system messages is that family's limit, so it is told in a table and fails nothing; that no
template at all can show a row does. It knows rows of messages, no files.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset, Export
from dolphin_logger.curate.check.report import Result
from dolphin_logger.errors import DatasetError

_CURE: Final = "pip install 'dolphin-logger[check]' && pip install --no-deps trl"
TYPES: Final[Mapping[str, frozenset[str]]] = {
    "messages": frozenset({"messages"}),
    "turns": frozenset({"prompt", "completion"}),
    "preference": frozenset({"prompt", "chosen", "rejected"}),
    "kto": frozenset({"prompt", "completion", "label"}),
}
"""TRL's types of rows, by the name of the export: the keys that decide which one a row is."""
THREADS: Final = ("messages", "prompt", "completion", "chosen", "rejected")
TRAINING: Final = "_training"
_SAMPLE: Final = 50
_GENERATION: Final = re.compile(r"\{%-?\s*generation\s*-?%\}")


@dataclass(slots=True)
class Share:
    """Of so many rows that have something, those in whose text all of it is."""

    kept: int = 0
    of: int = 0

    def count(self, said: list[str], text: str) -> None:
        """Take note of one row."""
        if said:
            self.of += 1
            self.kept += all(one in text for one in said)

    def __str__(self) -> str:
        return f"{self.kept}/{self.of}" if self.of else "-"


class Seen:
    """What one template made of the rows."""

    def __init__(self) -> None:
        self.rendered, self.calls, self.thoughts, self.fault = Share(), Share(), Share(), ""


def check_templates(dataset: Dataset, result: Result) -> None:
    """Render a sample of rows with every template; say by family what works."""
    shapes = [export for export in dataset.exports if export.name in TYPES]
    if not shapes:
        result.skip("no shape that is rendered")
        return
    known = template_names()
    rows = [found for export in shapes for found in _sample(dataset, export)]
    seen = {name: Seen() for name in known if not name.endswith(TRAINING)}
    shown: set[str] = set()
    for name, sight in seen.items():
        shown |= {place for place, row in rows if _is_rendered(row, name, sight)}
    faults = (sight.fault for sight in seen.values() if sight.fault)
    first = next(faults, "")
    for place, _ in rows:
        if place not in shown:
            result.fail(f"{place}: no template can render it: {first}")
    result.table = [
        ("family", "rendered", "calls shown", "thoughts shown", "loss", "first refusal")
    ]
    result.table += [
        (
            name,
            str(sight.rendered),
            str(sight.calls),
            str(sight.thoughts),
            "marked" if has_marks(name) else "-",
            sight.fault,
        )
        for name, sight in seen.items()
    ]
    works = sum(sight.rendered.kept == len(rows) for sight in seen.values())
    result.said = f"{len(rows)} rows; {works} of {len(seen)} families render all of them"


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
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        near = [one for one in known if plain and plain in one.replace("_", "")]
        raise DatasetError(
            f"template {name!r}: unknown; known: {', '.join(near or known)}, or the path of a .jinja file"
        )
    return (_folder() / f"{name}.jinja").read_text(encoding="utf-8")


def has_marks(name: str) -> bool:
    """Say whether a template, or TRL's own of it for training, marks what the model wrote."""
    return marked_template(name) is not None


def marked_template(name: str) -> str | None:
    """Name the template that TRL trains a family with where only the model's words get loss, if any."""
    trained = f"{name}{TRAINING}"
    known = [trained] if trained in template_names() else []
    return next((one for one in (name, *known) if _GENERATION.search(find_template(one))), None)


def render(row: dict[str, Any], template: str) -> dict[str, Any]:
    """Render a row as TRL's trainers do: `text`, or `prompt` with `completion` or both answers."""
    from trl.data_utils import apply_chat_template  # noqa: PLC0415  # an extra

    said = {key: row[key] for key in (*THREADS, "label") if key in row}
    return dict(apply_chat_template(said, _tokenizer(template), tools=row.get("tools") or None))


def render_marked(row: dict[str, Any], template: str) -> tuple[str, list[tuple[int, int]]]:
    """Render a whole conversation; give the text, and where the model's own words begin and end."""
    from transformers.utils.chat_template_utils import (  # noqa: PLC0415  # an extra
        render_jinja_template,
    )

    texts, spans = render_jinja_template(
        [row["messages"]],
        tools=row.get("tools") or None,
        chat_template=find_template(template),
        return_assistant_tokens_mask=True,
        **_tokenizer(template).special_tokens_map,
    )
    return texts[0], [(start, end) for start, end in spans[0]]


@cache
def _tokenizer(template: str) -> Any:
    """Make a tokenizer that has a template, and no words."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    from tokenizers import Tokenizer, models  # noqa: PLC0415  # an extra
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415  # an extra

    words = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))  # noqa: S106  # no password
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    text = find_template(template)
    return PreTrainedTokenizerFast(tokenizer_object=words, chat_template=text, **special)


def _sample(dataset: Dataset, export: Export) -> list[tuple[str, dict[str, Any]]]:
    """Draw rows, without columns that would make them rows of another type."""
    wanted = TYPES[export.name] | {"tools"}
    drawn = dataset.sample(export, _SAMPLE)
    return [
        (place, {key: value for key, value in row.items() if key in wanted}) for place, row in drawn
    ]


def _is_rendered(row: dict[str, Any], template: str, seen: Seen) -> bool:
    seen.rendered.of += 1
    try:
        render(row, template)
    except Exception as error:  # noqa: BLE001  # a template may raise whatever it likes
        seen.fault = seen.fault or f"{type(error).__name__}: {' '.join(str(error).split())[:60]}"
        return False
    seen.rendered.kept += 1
    probed = deepcopy(row)
    calls, thoughts = list(_probe_calls(probed)), list(_probe_thoughts(probed))
    if calls or thoughts:
        text = _text_of(probed, template) or ""
        seen.calls.count(calls, text)
        seen.thoughts.count(thoughts, text)
    return True


def _text_of(row: dict[str, Any], template: str) -> str | None:
    try:
        return "".join(str(one) for one in render(row, template).values())
    except Exception:  # noqa: BLE001  # a template may raise whatever it likes
        return None


def _probe_calls(row: dict[str, Any]) -> Iterator[str]:
    """Rename every call to what stands nowhere else, and give the names."""
    for at, message in enumerate(_messages(row)):
        for place, call in enumerate(message.get("tool_calls") or ()):
            call["function"]["name"] = f"probed_call_{at}_{place}_"
            yield call["function"]["name"]


def _probe_thoughts(row: dict[str, Any]) -> Iterator[str]:
    """Replace every thought by what stands nowhere else, and give them."""
    for at, message in enumerate(_messages(row)):
        if message.get("reasoning_content"):
            message["reasoning_content"] = f"probed thought {at}."
            yield message["reasoning_content"]


def _messages(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in THREADS:
        yield from row.get(name) or ()


def require_trl() -> None:
    """Hold that TRL is here, and what its own functions for rows need.

    Raises:
        DatasetError: something is missing.
    """
    for name in ("trl", "transformers", "datasets", "jinja2"):
        if find_spec(name) is None:
            raise DatasetError(f"the package {name} is missing: {_CURE}")


def _folder() -> Path:
    require_trl()
    found = find_spec("trl")
    places = list(found.submodule_search_locations or ()) if found is not None else []
    return Path(places[0]) / "chat_templates"
