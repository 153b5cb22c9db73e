"""Text: a thread for a person at a terminal, or for a pipe.

It writes messages as `show` writes those of a record. Invariant: what was recorded is neutralised and
stands deeper than every word of ours, so that it can fake none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dolphin_logger.cli.blocks import heading
from dolphin_logger.cli.output import neutralise, paint, shorten
from dolphin_logger.cli.threads.words import (
    choice_name,
    compaction_of,
    facts_of,
    failure_of,
    fold_line,
    messages_of,
    setting_of,
    turn_facts,
)
from dolphin_logger.cli.transcript import calls_by_id, join, write_message
from dolphin_logger.conversation.thread import Fold, Step, Thread
from dolphin_logger.messages import ToolCall

_TEXT = 60  # characters of a fold's text
_NAMES = 300  # characters of the names of tools


def write_text(thread: Thread) -> Iterator[str]:
    """Write the lines of a thread."""
    for name, text in facts_of(thread).items():
        yield f"{paint(f'{name:<14}', bold=True)}{neutralise(text)}"
    yield from _folds(thread.early)
    calls: dict[str, ToolCall] = {}
    for step in thread.steps:
        calls.update(calls_by_id(messages_of(step)))
        yield from _step(step, calls)


def _step(step: Step, calls: dict[str, ToolCall]) -> Iterator[str]:
    yield heading(neutralise(turn_facts(step))).rstrip()
    compaction = compaction_of(step)
    if compaction:
        yield paint(f"~ {compaction}", "yellow")
    yield from _setting(step)
    label = f"[{step.number}]"
    for message in step.messages:
        yield from write_message(label, message, calls=calls)
    for number, answer in enumerate(step.answers):
        yield from write_message(join(" ", label, choice_name(step, number)), answer, calls=calls)
    failure = failure_of(step.entry)
    if failure:
        yield paint(f"! {neutralise(failure)}", "red", bold=True)
    yield from _folds(step.folds)


def _setting(step: Step) -> Iterator[str]:
    """Write the first instructions whole, of later ones that they are others."""
    if step.setting is None:
        return
    if step.number > 1:
        yield paint(f"~ changed: {setting_of(step)}", "yellow")
        return
    for message in step.setting.instructions:
        yield from write_message(f"[{step.number}]", message, calls={})
    if step.setting.tools:
        names = ", ".join(tool.name for tool in step.setting.tools)
        shown = shorten(neutralise(names), limit=_NAMES)
        yield paint(f"tools offered ({len(step.setting.tools)}): ", "cyan") + shown


def _folds(folds: Iterable[Fold]) -> Iterator[str]:
    for fold in folds:
        text = neutralise(shorten(fold.text, limit=_TEXT))
        yield paint(f"> {neutralise(fold_line(fold))}", "magenta") + (f'  "{text}"' if text else "")
