"""Page: a thread as one HTML file that needs nothing else: no script, no other file, no network.

Folded turns are in it too, behind `<details>`. Invariants: recorded text is escaped wherever it stands
and is never an address; the policy in the head forbids everything but the one style that is written
here, so that even a mistake loads nothing and runs nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from html import escape
from importlib import resources
from typing import Final

from dolphin_logger.cli.blocks import pretty
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
from dolphin_logger.conversation.canonical import clean
from dolphin_logger.conversation.thread import Fold, Step, Thread
from dolphin_logger.messages import Message, ToolCall, ToolDefinition

OpenFold = Callable[[Fold], Thread | None]
_TEXT: Final = 120  # characters of a fold's text
_TITLE: Final = 80
_OPENED: Final = 200  # folds whose turns are in the page; of others there is the line alone


def write_page(thread: Thread, *, open_fold: OpenFold) -> Iterator[str]:
    """Write the lines of a page; `open_fold` draws what a fold holds."""
    style = resources.files(__package__).joinpath("page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = _title(thread)
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{_text(title)}</title>"
    yield f"<style>{style}</style>\n</head>\n<body>\n<header>"
    yield f"<h1>{_text(title)}</h1>\n<dl>"
    for name, text in facts_of(thread).items():
        yield f"<div><dt>{name}</dt><dd>{_text(text)}</dd></div>"
    yield "</dl>\n</header>\n<main>"
    yield from _Writer(open_fold).thread(thread)
    yield "</main>\n<footer>Written by dolphin-logger. Loads nothing and runs nothing.</footer>"
    yield "</body>\n</html>"


class _Writer:
    """Writes threads into a page, those of folds inside it."""

    def __init__(self, open_fold: OpenFold) -> None:
        self._open_fold = open_fold
        self._opened = 0
        self._settings: set[int | None] = set()  # that stand in the page

    def thread(self, thread: Thread) -> Iterator[str]:
        """Write every turn."""
        yield from self._folds(thread.early)
        calls: dict[str, ToolCall] = {}
        for step in thread.steps:
            calls.update(calls_by_id(messages_of(step)))
            yield from self._step(step, calls)

    def _step(self, step: Step, calls: dict[str, ToolCall]) -> Iterator[str]:
        failure = failure_of(step.entry)
        yield f'<section class="turn{" failed" if failure else ""}">'
        yield f"<h2>{_text(turn_facts(step))}</h2>"
        compaction = compaction_of(step)
        if compaction:
            yield from _details("note", compaction, _messages(step.rewritten, calls))
        if step.setting is not None and step.entry.setting not in self._settings:
            self._settings.add(step.entry.setting)
            inside = [*_messages(step.setting.instructions, calls), *_tools(step.setting.tools)]
            changed = "changed: " if step.number > 1 else ""
            yield from _details("note", changed + setting_of(step), inside)
        yield from _messages(step.messages, calls)
        for number, answer in enumerate(step.answers):
            yield from _message(answer, calls, note=choice_name(step, number))
        if failure:
            yield f'<p class="failure">{_text(failure)}</p>'
        yield from self._folds(step.folds)
        yield "</section>"

    def _folds(self, folds: Iterable[Fold]) -> Iterator[str]:
        for fold in folds:
            text = shorten(fold.text, limit=_TEXT)
            line = fold_line(fold) + (f" “{text}”" if text else "")
            thread = self._open_fold(fold) if self._opened < _OPENED else None
            if thread is None:
                yield f'<p class="note fold">{_text(line)}</p>'
                continue
            self._opened += 1
            yield from _details("note fold", line, self.thread(thread))


def _messages(messages: Iterable[Message], calls: dict[str, ToolCall]) -> Iterator[str]:
    for message in messages:
        yield from _message(message, calls, note="")


def _message(message: Message, calls: dict[str, ToolCall], *, note: str) -> Iterator[str]:
    roles = ("user", "assistant", "system", "developer", "tool")
    known = message.role if message.role in roles else "other"
    said = " ".join(part for part in (message.role or "?", message.name, note) if part)
    yield f'<article class="{known}"><h3>{_text(said)}</h3>'
    for piece in pieces_of(message, calls):
        yield from _piece(piece)
    yield "</article>"


def _piece(piece: Piece) -> Iterator[str]:
    if piece.kind == "text":
        yield f'<div class="text">{_text(piece.text, lines=True)}</div>'
    elif piece.kind == "refusal":
        yield f'<div class="text refusal">{_text(piece.text, lines=True)}</div>'
    elif not piece.text:
        yield f'<p class="bare">{_text(piece.title)}</p>'
    else:
        begins = f": {shorten(piece.text, limit=_TITLE)}" if piece.kind != "reasoning" else ""
        inside = [f"<pre>{_text(piece.text, lines=True)}</pre>"]
        yield from _details(piece.kind, piece.title + begins, inside)


def _tools(tools: Iterable[ToolDefinition]) -> Iterator[str]:
    for tool in tools:
        schema = None if tool.schema is None else pretty(tool.schema)
        written = [text for text in (tool.description, schema) if text]
        inside = [f"<pre>{_text(text, lines=True)}</pre>" for text in written]
        yield from _details("tool", tool.name or "?", inside)


def _details(kind: str, summary: str, inside: Iterable[str]) -> Iterator[str]:
    yield f'<details class="{kind}"><summary>{_text(summary)}</summary>'
    yield from inside
    yield "</details>"


def _title(thread: Thread) -> str:
    """Take the first words that somebody said for a title."""
    for step in thread.steps[:1]:
        for message in step.messages:
            for piece in pieces_of(message, {}):
                said = clean(piece.text) if piece.kind == "text" else ""
                if message.role == "user" and said:
                    return shorten(said, limit=_TITLE)
    return f"Conversation {thread.id[-8:]}"


def _text(text: str, *, lines: bool = False) -> str:
    """Write recorded text, or ours, so that it is text and nothing else."""
    return escape(neutralise(text, keep_newlines=lines), quote=True)
