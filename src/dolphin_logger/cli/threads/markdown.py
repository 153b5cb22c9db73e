"""Markdown: a thread as a page of it (CommonMark).

Invariant: recorded text stands in fences that are longer than any run of backticks in it, or in code
spans of the same kind, so that it can neither leave them nor mean anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from dolphin_logger.cli.output import neutralise, shorten
from dolphin_logger.cli.threads.parts import Piece, pieces_of
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
from dolphin_logger.cli.transcript import calls_by_id
from dolphin_logger.conversation.thread import Fold, Step, Thread
from dolphin_logger.messages import Message, ToolCall

_RUN: Final = re.compile("`+")
_TEXT: Final = 80  # characters of a fold's text


def write_markdown(thread: Thread) -> Iterator[str]:
    """Write the lines of a thread."""
    yield f"# Conversation {thread.id[-8:]}"
    yield ""
    for name, text in facts_of(thread).items():
        yield f"- {name}: {span(text)}"
    yield from _folds(thread.early)
    calls: dict[str, ToolCall] = {}
    for step in thread.steps:
        calls.update(calls_by_id(messages_of(step)))
        yield from _step(step, calls)


def span(text: str) -> str:
    """Write a text as code within a line."""
    shown = neutralise(text)
    fence = "`" * (_longest_run(shown) + 1)
    return f"{fence} {shown} {fence}"


def block(text: str, *, language: str = "") -> Iterator[str]:
    """Write a text as code of its own."""
    shown = neutralise(text, keep_newlines=True)
    fence = "`" * max(3, _longest_run(shown) + 1)
    yield fence + (language or "text")
    yield from shown.split("\n")
    yield fence


def _longest_run(text: str) -> int:
    return max((len(run) for run in _RUN.findall(text)), default=0)


def _step(step: Step, calls: dict[str, ToolCall]) -> Iterator[str]:
    yield ""
    yield f"## Turn {step.number}"
    yield ""
    yield span(turn_facts(step))
    compaction, setting = compaction_of(step), setting_of(step)
    if compaction:
        yield f"\n> {span(compaction)}"
    if step.setting is not None and setting:
        yield f"\n> {span(setting)}"
        if step.number == 1:
            for message in step.setting.instructions:
                yield from _message(message, "", calls)
    for message in step.messages:
        yield from _message(message, "", calls)
    for number, answer in enumerate(step.answers):
        yield from _message(answer, choice_name(step, number), calls)
    failure = failure_of(step.entry)
    if failure:
        yield f"\n> **failed** {span(failure)}"
    yield from _folds(step.folds)


def _message(message: Message, note: str, calls: dict[str, ToolCall]) -> Iterator[str]:
    said = " ".join(part for part in (message.role or "?", message.name, note) if part)
    yield ""
    yield f"### {span(said)}"
    for piece in pieces_of(message, calls):
        yield from _piece(piece)


def _piece(piece: Piece) -> Iterator[str]:
    yield ""
    if piece.kind != "text":
        yield span(piece.title)
        yield ""
    if piece.text or piece.kind == "text":
        yield from block(piece.text, language="json" if piece.is_json else "")


def _folds(folds: Iterable[Fold]) -> Iterator[str]:
    for fold in folds:
        text = shorten(fold.text, limit=_TEXT)
        yield f"\n> {span(fold_line(fold))}" + (f" {span(text)}" if text else "")
