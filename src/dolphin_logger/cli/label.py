"""The commands that label a record: `rate`, `tag`, `note`, `edit`, `keep`, `drop`, `prefer`, `redact`, `undo`.

Each writes one label, says what it did, and prints the label's id for `undo`. No record changes.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.message import text_of_message
from dolphin_logger.cli.output import neutralise, say, say_json
from dolphin_logger.cli.targets import record_named
from dolphin_logger.errors import LabelError
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter, read_labels
from dolphin_logger.journal.reader import SHORTEST_ID
from dolphin_logger.label import Label

_WORDS = {"good": 5, "bad": 1}
_SHOWN = 60  # characters of a value

_record = click.argument("record_id", metavar="ID")
_json = click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
_message = click.option(
    "--message",
    type=click.IntRange(min=0),
    metavar="N",
    help="Of one message: its index in the list that was sent, from 0; the answer is the next.",
)


@click.command(help="Rate a record (or a message of it) from 1 to 5; bad is 1, good is 5.")
@_record
@click.argument("rating")
@_message
@_json
def rate(*, record_id: str, rating: str, message: int | None, json_: bool) -> None:
    """Write a rating."""
    number = _WORDS.get(rating) or (int(rating) if rating.isdecimal() else 0)
    if not 1 <= number <= 5:
        raise click.BadParameter(f"{rating!r}: expected 1 to 5, good or bad")
    _write(record_id, "rating", number, message, json_=json_)


@click.command(
    help="Add tags (`+a` or `a`) to a record, take them off (`-b`).",
    context_settings={"ignore_unknown_options": True},
)
@_record
@click.argument("tags", nargs=-1, required=True)
@_message
@_json
def tag(*, record_id: str, tags: tuple[str, ...], message: int | None, json_: bool) -> None:
    """Write what is added and taken off."""
    value = {
        "add": [each.removeprefix("+") for each in tags if not each.startswith("-")],
        "remove": [each.removeprefix("-") for each in tags if each.startswith("-")],
    }
    given = {key: each for key, each in value.items() if each}
    _write(record_id, "tag", given, message, json_=json_)


@click.command(
    help="Write a note about a record; TEXT `-` reads it from stdin, an empty one ends it."
)
@_record
@click.argument("text")
@_message
@_json
def note(*, record_id: str, text: str, message: int | None, json_: bool) -> None:
    """Write a note."""
    _write(record_id, "note", _given(text), message, json_=json_)


@click.command(help="Write a better version of a message: in $EDITOR, or with --text.")
@_record
@click.option(
    "--message",
    type=click.IntRange(min=0),
    metavar="N",
    required=True,
    help="Its index in the list that was sent, from 0; the answer is the next.",
)
@click.option("--text", help="The new text; `-` reads it from stdin.")
@_json
def edit(*, record_id: str, message: int, text: str | None, json_: bool) -> None:
    """Write an edit."""
    home = home_to_read()
    new = _given(text) if text is not None else _from_editor(home, record_id, message)
    _write(record_id, "edit", {"text": new}, message, json_=json_)


@click.command(help="Mark a record (or a message) as worth keeping.")
@_record
@_message
@_json
def keep(*, record_id: str, message: int | None, json_: bool) -> None:
    """Write the verdict."""
    _write(record_id, "keep", None, message, json_=json_)


@click.command(help="Mark a record (or a message) as not for a dataset.")
@_record
@_message
@_json
def drop(*, record_id: str, message: int | None, json_: bool) -> None:
    """Write the verdict."""
    _write(record_id, "drop", None, message, json_=json_)


@click.command(help="Say that a record's answer is better than another's to the same question.")
@_record
@click.option("--over", metavar="ID", required=True, help="The record with the worse answer.")
@_json
def prefer(*, record_id: str, over: str, json_: bool) -> None:
    """Write a preference."""
    home = home_to_read()
    better, worse = record_named(home, record_id), record_named(home, over)
    if better.id == worse.id:
        raise click.BadParameter(f"{over!r} is the same record", param_hint="--over")
    _say(_written(home, better.id, "prefer", {"over": worse.id}, None), json_=json_)


@click.command(help="Mark text that must not leave: --text, or --start and --end of a --message.")
@_record
@click.option("--text", help="The text itself, wherever it stands; `-` reads it from stdin.")
@click.option("--start", type=click.IntRange(min=0), help="First character, from 0.")
@click.option("--end", type=click.IntRange(min=0), help="The character behind the last.")
@_message
@_json
def redact(
    *,
    record_id: str,
    text: str | None,
    start: int | None,
    end: int | None,
    message: int | None,
    json_: bool,
) -> None:
    """Write a redaction."""
    if (text is None) == (start is None) or (start is None) != (end is None):
        raise click.UsageError("give either --text, or --start and --end")
    value = {"start": start, "end": end} if text is None else {"text": _given(text)}
    _write(record_id, "redact", value, message, json_=json_)


@click.command(help="Take back a label: its id or the last 8 characters; an undo can be undone.")
@click.argument("label_id", metavar="LABEL")
@_json
def undo(*, label_id: str, json_: bool) -> None:
    """Write an undo that names the label."""
    home = home_to_read()
    suffix = label_id.strip().lower()
    if len(suffix) < SHORTEST_ID:
        raise LabelError(
            f"label {label_id!r} is too short: give at least its last {SHORTEST_ID} characters"
        )
    found = read_labels(home).find(suffix)
    if len({label.id for label in found}) != 1:
        problem = "is ambiguous, give more of it" if found else "is unknown"
        raise LabelError(f"label {label_id!r} {problem}; `show ID` lists the labels of a record")
    label = found[0]
    _say(_written(home, label.record, "undo", label.id, label.message), json_=json_)


def describe(label: Label) -> str:
    """Say in a few words what a label says."""
    value = label.value
    where = "" if label.message is None else f" of message {label.message}"
    match label.kind:
        case "rating":
            words = f"rating{where} {value}"
        case "tag":
            marks = [*(f"+{each}" for each in value.get("add", ()))]
            marks += [f"-{each}" for each in value.get("remove", ())]
            words = f"tag{where} {' '.join(marks)}"
        case "prefer":
            words = f"preferred over {value['over'][-SHORTEST_ID:]}"
        case "redact" if "start" in value:
            words = f"redact{where} {value['start']} to {value['end']}"
        case "redact":
            words = f"redact{where} a text of {len(value['text'])} characters"
        case "edit":
            words = f"edit{where} {_shortened(value.get('text', 'in parts'))}"
        case "undo":
            words = f"undo of label {value[-SHORTEST_ID:]}"
        case _:
            words = f"{label.kind}{where} {_shortened(value or '')}".rstrip()
    return neutralise(words)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _given(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _from_editor(home: Home, record_id: str, message: int) -> str:
    """Let the person change what holds now: the last edit, else the recorded text."""
    record = record_named(home, record_id)
    marks = read_labels(home).marks(record.id, message=message)
    edited = (marks.edit or {}).get("text")
    new = click.edit(edited if edited is not None else text_of_message(record, message))
    if new is None:
        raise click.Abort
    return new


def _write(record_id: str, kind: str, value: Any, message: int | None, *, json_: bool) -> None:
    home = home_to_read()
    record = record_named(home, record_id)
    _say(_written(home, record.id, kind, value, message), json_=json_)


def _written(home: Home, record: str, kind: str, value: Any, message: int | None) -> Label:
    writer = LabelWriter(home)
    try:
        return writer.write(record, kind, value, message)
    finally:
        writer.close()


def _say(label: Label, *, json_: bool) -> None:
    if json_:
        say_json({"label": label.to_json()})
    else:
        short = label.id[-SHORTEST_ID:]
        say(f"{label.record[-SHORTEST_ID:]}: {describe(label)}  (label {short})")
