"""Card: the README.md of a dataset on the Hub, from the sum of its contributions.

Its head is what the Hub reads (license, configurations, features, tags), its body what people read.
It knows counts and names, never rows. Invariants: the same facts give the same bytes; every name that
comes from traffic is shown as code, so that none of it can be markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dolphin_logger.exporters import Column
from dolphin_logger.publish.plots import bars
from dolphin_logger.publish.summary import EDGES, Summary, in_order, most

MARK: Final = "<!-- this card is written by dolphin-logger; edit above this line only -->"
PATH: Final = "README.md"
_TASK: Final = "text-generation"
_SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)
_TERMS: Final = {
    "openai": "OpenAI's terms restrict using outputs to develop competing models.",
    "anthropic": "Anthropic's terms restrict using outputs to train competing models.",
    "google": "Google's terms for the Gemini API restrict using outputs to develop competing models.",
    "mistral": "Mistral's terms differ by model and plan.",
    "xai": "xAI's terms restrict using outputs to train competing models.",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A configuration of the dataset: one export, its splits, its columns in our words."""

    name: str
    unit: str
    splits: tuple[str, ...]
    suffix: str  # of its files: jsonl, parquet
    columns: tuple[tuple[str, str], ...] = ()
    is_file_each: bool = False

    @property
    def typed(self) -> tuple[Column, ...]:
        """Its columns as those of an exporter."""
        return tuple([Column(name, kind) for name, kind in self.columns])


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a card is written from.

    `rules`: versions of the redactors by name. `contributors`: how many machines gave something.
    """

    repository: str
    license: str
    summary: Summary
    shapes: tuple[Shape, ...]
    first: str | None = None
    last: str | None = None
    languages: tuple[str, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)
    contributors: int = 1
    tool: str = ""


def write_card(facts: Facts, *, above: str = "") -> str:
    """Write the card; `above` is what people wrote over the mark, kept as it is."""
    intro = above.strip() or f"# {facts.repository.partition('/')[2]}"
    parts = [
        _head(facts),
        intro,
        MARK,
        _inside(facts),
        _collected(facts),
        _cleaned(facts),
        _models(facts),
        _loading(facts),
        _removal(facts),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def written_above(card: str) -> str | None:
    """Give what people wrote over the mark of a card; None when the card is not ours."""
    if MARK not in card:
        return None
    body = card.partition(MARK)[0]
    if body.startswith("---"):
        body = body.split("\n---", 1)[-1]
    return body.strip()


def plots_of(summary: Summary) -> dict[str, str]:
    """Draw the plots, by the path at which the card shows them."""
    return {_place(name): bars(*one) for name, one in _drawn(summary).items()}


def _place(name: str) -> str:
    return f"assets/{name}.svg"


def _drawn(summary: Summary) -> dict[str, tuple[str, list[tuple[str, int]]]]:
    """Give title and bars of each plot that has any."""
    every = {
        "turns": ("rows by number of the model's answers", _ranged(summary.turns, _answers)),
        "tokens": ("rows by number of tokens", _ranged(summary.tokens, _thousands)),
        "models": ("rows by model", most(summary.models)[:15]),
        "tools": ("rows by tool that was called", most(summary.tools)[:15]),
        "months": ("rows by month", in_order(summary.months)),
    }
    return {name: one for name, one in every.items() if one[1]}


def _ranged(counts: Counter[str], write: Callable[[int], str]) -> list[tuple[str, int]]:
    return [(write(int(edge)), count) for edge, count in in_order(counts)]


def _answers(edge: int) -> str:
    if edge >= EDGES[-1]:
        return f"{edge:,} or more"
    return "1" if edge == 1 else f"{edge} to {2 * edge - 1}"


def _thousands(edge: int) -> str:
    if edge >= EDGES[-1]:
        return f"{edge:,}k or more"
    return "below 2k" if edge == 1 else f"{edge}k to {2 * edge}k"


def _head(facts: Facts) -> str:
    import yaml  # noqa: PLC0415  # comes with huggingface_hub

    rows = sum(facts.summary.rows.values())
    tags = ["dolphin-logger", "conversations"]
    if facts.summary.tools:
        tags += ["tool-use"]
    if any(shape.is_file_each for shape in facts.shapes):
        tags += ["agent-traces", "format:agent-traces", "traces"]
    head: dict[str, Any] = {
        "license": facts.license,
        **({"language": sorted(facts.languages)} if facts.languages else {}),
        "pretty_name": facts.repository.partition("/")[2],
        "task_categories": [_TASK],
        "size_categories": [size_of(rows)],
        "tags": tags,
        "configs": [_config(shape, first=at == 0) for at, shape in enumerate(facts.shapes)],
        "dataset_info": [
            {"config_name": shape.name, "features": [_feature(*one) for one in shape.columns]}
            for shape in facts.shapes
            if shape.columns
        ],
    }
    if not head["dataset_info"]:
        del head["dataset_info"]
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{text}---"


def size_of(rows: int) -> str:
    """Give the Hub's size category for a number of rows."""
    return next((name for most_, name in _SIZES if rows < most_), "n>1T")


def _config(shape: Shape, *, first: bool) -> dict[str, Any]:
    found = f"data/{shape.name}/"
    files = [
        {
            "split": split,
            "path": f"{found}*.{shape.suffix}"
            if shape.is_file_each
            else f"{found}{split}-*.{shape.suffix}",
        }
        for split in shape.splits
    ]
    return {"config_name": shape.name, **({"default": True} if first else {}), "data_files": files}


def _feature(name: str, kind: str) -> dict[str, str]:
    if kind.startswith("list<"):
        return {"name": name, "list": kind[5:-1]}
    return {"name": name, "dtype": {"int": "int64", "float": "float64"}.get(kind, kind)}


def _inside(facts: Facts) -> str:
    summary = facts.summary
    lines = [
        "## What is inside",
        "",
        (
            f"{_number(summary.conversations, 'conversation')} with language models, "
            f"{_span(facts)}recorded by {_number(facts.contributors, 'contributor')}."
        ),
        "",
        "| configuration | a row is | rows |",
        "|---|---|---|",
        *(
            f"| `{shape.name}` | {_UNITS.get(shape.unit, shape.unit)} | {summary.rows[shape.name]:,} |"
            for shape in facts.shapes
        ),
    ]
    for name, (title, _) in _drawn(summary).items():
        lines += ["", f"![{title}]({_place(name)})"]
    lines += _table("model", most(summary.models)) + _table("tool", most(summary.tools)[:15])
    return "\n".join(lines)


_UNITS: Final = {
    "leaf": "a conversation to the end of one branch",
    "turn": "one call: its history as the prompt, its answer as the completion",
    "pair": "two answers to one prompt, one of them better",
    "session": "a session with branches and sub-agents",
    "exchange": "a request and its answer as they were sent",
}


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _span(facts: Facts) -> str:
    if not facts.first or not facts.last:
        return ""
    return f"from {facts.first[:10]} to {facts.last[:10]}, "


def _table(what: str, counts: Sequence[tuple[str, int]]) -> list[str]:
    if not counts:
        return []
    rows = [f"| {_code(name)} | {number:,} |" for name, number in counts]
    return ["", f"| {what} | rows |", "|---|---|", *rows]


def _collected(facts: Facts) -> str:
    clients = ", ".join(_code(name) for name, _ in most(facts.summary.clients)) or "several clients"
    return (
        "## How it was collected\n\n"
        "The contributors recorded their own traffic with [dolphin-logger](https://github.com/QuixiAI/dolphin-logger), "
        "a proxy on their own machine, or imported their own session files. "
        f"Clients: {clients}. Requests that repeat a history were joined to conversations; answers that failed "
        "or were cut, and the clients' own side tasks, are left out."
    )


def _cleaned(facts: Facts) -> str:
    rules = ", ".join(
        f"{_code(name)} {_code(version)}" for name, version in sorted(facts.rules.items())
    )
    lines = [
        "## How it was cleaned",
        "",
        (
            "Every string was searched for secrets and personal data before it left the contributor's machine; what was "
            "found is replaced by placeholders such as `<EMAIL_1>`, numbered in each conversation. The result was searched "
            "again, and a person confirmed the exact files. No method finds everything: names, addresses and secrets in "
            "prose may be left."
        ),
    ]
    if rules:
        lines += ["", f"Redactors: {rules}."]
    counts = most(facts.summary.findings)
    if counts:
        rows = [f"| {_code(name)} | {number:,} |" for name, number in counts]
        lines += ["", "| rule | replaced |", "|---|---|", *rows]
    return "\n".join(lines)


def _models(facts: Facts) -> str:
    seen = [name for name, _ in most(facts.summary.providers)]
    notes = [f"- {_code(name)}: {_TERMS[name]}" for name in sorted(seen) if name in _TERMS]
    lines = [
        "## The models, and their terms",
        "",
        (
            "The license above covers what the contributors may license. Answers were written by models whose providers "
            "have terms of their own for the use of outputs; check them for your purpose."
        ),
    ]
    return "\n".join([*lines, *([""] if notes else []), *notes])


_TRAINERS: Final = {
    "messages": "SFTTrainer",
    "turns": "SFTTrainer",
    "preference": "DPOTrainer",
    "kto": "KTOTrainer",
}


def _loading(facts: Facts) -> str:
    shapes = {shape.name: shape for shape in facts.shapes}
    first = next((name for name in (*_TRAINERS, *shapes) if name in shapes), "messages")
    trainer = _TRAINERS.get(first)
    splits = shapes[first].splits if first in shapes else ()
    split = "train" if "train" in splits or not splits else splits[0]
    lines = [
        "## How to use it",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        f'rows = load_dataset("{facts.repository}", "{first}", split="{split}")',
    ]
    if trainer:
        lines += [
            "",
            f"from trl import {trainer}",
            "",
            f'{trainer}(model="Qwen/Qwen3-0.6B", train_dataset=rows).train()',
        ]
    return "\n".join([*lines, "```"])


def _removal(facts: Facts) -> str:
    return (
        "## Removal\n\n"
        "Is something of yours in here? Open a discussion on this page and name the row (its `metadata.conversation`), "
        "not its content. Contributors take a conversation back with `dolphin-logger dataset withdraw ID"
        f" --repo {facts.repository}`; it then stays out for ever."
    )


def _code(text: str) -> str:
    """Show a name as code, on one line, in a table."""
    shown = (
        "".join(one if one.isprintable() else " " for one in text)
        .replace("`", "'")
        .replace("|", "¦")
    )
    return f"`{shown}`"
