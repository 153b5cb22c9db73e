"""Shapes: every row against the rules of its shape, and TRL itself asked whether it knows it.

It knows which rules are whose; they stand in `chats`, `openai`, `atif` and `sessions`, what LLaMA-Factory
and Axolotl read in `trainers`. Invariant: an export without rules is counted as such, never as good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dolphin_logger.curate.check import atif, chats, openai, sessions
from dolphin_logger.curate.check.dataset import Dataset, Export
from dolphin_logger.curate.check.report import Result
from dolphin_logger.curate.check.templates import TYPES, require_trl

Row = dict[str, Any]
Rule = Callable[[Row], Iterator[str]]

_TRL_KEYS: Final = frozenset[str]().union(*TYPES.values())
_ELSEWHERE: Final = ("sharegpt", "alpaca")  # read by `trainers`


def check_shapes(dataset: Dataset, result: Result) -> None:
    """Hold every row against the rules of its shape."""
    count, unknown = 0, []
    for export in dataset.exports:
        rule = RULES.get(export.name)
        if export.is_file_each:
            count += _check_sessions(dataset, export, result)
        elif rule is not None:
            for place, row in dataset.rows(export):
                count += 1
                wrongs = rule(row) if isinstance(row, dict) else ["the row is no object"]
                for wrong in wrongs:
                    result.fail(f"{place}: {wrong}")
        elif export.name not in _ELSEWHERE:
            unknown.append(export.name)
    result.said = f"{count:,} rows against the rules of TRL, OpenAI, ATIF and Pi"
    if unknown:
        result.said += f"; nobody has rules for {', '.join(unknown)}"


def check_types(dataset: Dataset, result: Result) -> None:
    """Ask TRL itself whether it knows every row as a conversation, and in which of its types."""
    wanted = [export for export in dataset.exports if export.name in TYPES]
    if not wanted:
        result.skip("no shape of TRL's")
        return
    require_trl()
    from trl.data_utils import is_conversational  # noqa: PLC0415  # an extra

    count = 0
    for export in wanted:
        keys = TYPES[export.name]
        for place, row in dataset.rows(export):
            count += 1
            known = _TRL_KEYS & row.keys()
            if known != keys:
                result.fail(f"{place}: TRL wants {sorted(keys)}, the row has {sorted(known)}")
            elif not is_conversational({key: row[key] for key in keys if key != "label"}):
                result.fail(f"{place}: TRL does not know it as a conversation")
    result.said = f"{count:,} rows"


def _check_sessions(dataset: Dataset, export: Export, result: Result) -> int:
    flavour = dataset.recipe.get("flavour") or "pi"
    count = 0
    for file in export.files:
        places, lines = [], []
        for place, line in dataset.rows_of(file["path"]):
            places.append(place)
            lines.append(line)
        count += len(lines)
        for at, wrong in sessions.faults(lines, flavour=flavour):
            result.fail(f"{places[at] if places else file['path']}: {wrong}")
    return count


def _chatml(row: Row) -> Iterator[str]:
    text = row.get("text")
    if not isinstance(text, str) or not text.startswith("<|im_start|>"):
        yield "text does not begin with <|im_start|>"
    elif text.count("<|im_start|>") != text.count("<|im_end|>"):
        yield "a message is not closed"
    elif "<|im_start|>assistant\n" not in text:
        yield "no message of the model"


def _log(row: Row) -> Iterator[str]:
    if row.get("request") is None and row.get("response") is None:
        yield "neither a request nor a response"


RULES: Final[Mapping[str, Rule]] = {
    "messages": chats.messages,
    "vision": chats.vision,
    "turns": chats.turns,
    "preference": chats.preference,
    "kto": chats.kto,
    "openai": openai.chats,
    "openai-dpo": openai.pairs,
    "chatml": _chatml,
    "log": _log,
    "atif": atif.faults,
}
