"""Edits: what `connect` makes of a file's text, and how it is undone key by key.

Text in, text out; nothing is read or written here. A file of ours alone is TOML and made whole.
Invariant: undoing takes out only what still is as we wrote it; a key that was there before gets its
old value back.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from dolphin_logger.setup import dotenv, jsonc, yaml_lines
from dolphin_logger.setup._api import Circumstances, Edit
from dolphin_logger.setup.plan import fill

_MISSING = object()
_FORMATS: Mapping[str, Any] = {"json": jsonc, "dotenv": dotenv, "yaml": yaml_lines}
_HEADING = "# written by `dolphin-logger connect`; `dolphin-logger disconnect` removes this file\n"


def apply(edit: Edit, text: str, given: Circumstances) -> str:
    """Make the edit.

    Raises:
        MalformedError: the text cannot be changed safely.
    """
    if edit.whole:
        return _HEADING + _toml(values_of(edit, given))
    language = _FORMATS[edit.format]
    if text:
        language.parse(text)
    elif edit.beginning:
        text = edit.beginning
    for path, value in values_of(edit, given).items():
        if path in edit.only_absent and look_up(edit.format, text, path) is not _MISSING:
            continue
        text = language.set_value(text, path, value)
    for path, item in additions_of(edit, given):
        text = yaml_lines.add_item(text, path, item)
    return text


def undo(edit: Edit, text: str, given: Circumstances, *, before: str | None) -> str:
    """Take out what we wrote and what is still so; `before` is the text that we found.

    Raises:
        MalformedError: the text cannot be changed safely.
    """
    language = _FORMATS[edit.format]
    for path, value in values_of(edit, given).items():
        if look_up(edit.format, text, path) != value:
            continue
        old = look_up(edit.format, before, path) if before else _MISSING
        if old is not _MISSING:
            text = language.set_value(text, path, old)
            continue
        text = language.remove_value(text, path)
        for length in range(len(path) - 1, 0, -1):
            parent = path[:length]
            was_there = before and look_up(edit.format, before, parent) is not _MISSING
            if look_up(edit.format, text, parent) == {} and not was_there:
                text = language.remove_value(text, parent)
    for path, item in additions_of(edit, given):
        text = yaml_lines.remove_item(text, path, item)
        if yaml_lines.list_is_empty(text, path) and not (
            before and look_up("yaml", before, path) is not _MISSING
        ):
            text = yaml_lines.remove_value(text, path)
    return text


def values_of(edit: Edit, given: Circumstances) -> dict[tuple[str, ...], Any]:
    """Fill the values of an edit; those of a model only when there is one."""
    return {
        tuple(fill(step, given) for step in path): fill(value, given)
        for path, value in edit.values.items()
        if given.model is not None or path not in edit.with_model
    }


def additions_of(edit: Edit, given: Circumstances) -> list[tuple[tuple[str, ...], Any]]:
    """Fill the list elements of an edit."""
    return [(path, fill(item, given)) for path, item in edit.additions]


def compare(before: str, after: str, *, name: str) -> str:
    """Write the unified diff of a file."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=name if before else "/dev/null",
        tofile=name,
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def look_up(kind: str, text: str, path: tuple[str, ...]) -> Any:
    """Read the value at a path of a text; a marker of its own when there is none."""
    value = _FORMATS[kind].parse(text) if text else {}
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return _MISSING
        value = value[step]
    return value


def _toml(values: Mapping[tuple[str, ...], Any]) -> str:
    """Write keys, then one table for each path in front of them; JSON's words are TOML's too."""
    tables: dict[tuple[str, ...], list[str]] = {}
    for path, value in values.items():
        tables.setdefault(path[:-1], []).append(f"{path[-1]} = {json.dumps(value)}\n")
    return "".join(
        (f"\n[{'.'.join(table)}]\n" if table else "") + "".join(lines)
        for table, lines in sorted(tables.items(), key=lambda item: len(item[0]))
    )
