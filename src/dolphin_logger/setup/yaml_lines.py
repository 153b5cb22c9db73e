"""YAML of the plain kind that people write by hand: changed by whole lines, text to text.

It does not understand YAML; it knows top-level keys, and lists written as `- item` lines. Whatever
looks different is refused, so that nothing is broken by a guess. Strings are written as JSON, which
YAML contains. Invariant: only lines of ours are added or taken out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dolphin_logger.setup.jsonc import MalformedError

_KEY = re.compile(r"([A-Za-z_][\w.-]*)[ ]*:(?:[ ]+(.*?))?[ \r]*$")
_QUIET = re.compile(r"[ \t\r]*(?:#.*)?$")
_BLOCK = re.compile(r"[|>&*!?{\[]")


def parse(text: str) -> dict[str, str]:
    """Read the top-level keys and what stands beside them on their lines, without quotes.

    Raises:
        MalformedError: there is a line at the top level that is neither key nor list item.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        if _QUIET.match(line) or line.startswith((" ", "- ", "---")) or line.strip() == "-":
            continue
        match = _KEY.match(line)
        if match is None or match[1] in found:
            raise MalformedError(
                f"line {number}: not the simple kind of YAML that can be changed safely;"
                " nothing is changed"
            )
        found[match[1]] = _word(match[2] or "")
    return found


def set_value(text: str, path: Sequence[str], value: str) -> str:
    """Set a top-level key to a string.

    Raises:
        MalformedError: the file is not simple, or the key holds more than a word.
    """
    (key,) = path
    line = f"{key}: {json.dumps(value)}"
    present = parse(text)
    if key not in present:
        return _append(text, [line])
    lines = text.split("\n")
    place = _line_of(lines, key)
    old = present[key]
    following = next((after for after in lines[place + 1 :] if not _QUIET.match(after)), "")
    if not old or _BLOCK.match(old) or following.startswith((" ", "-")):
        raise MalformedError(f"{key} holds more than a word; nothing is changed")
    lines[place] = line + ("\r" if lines[place].endswith("\r") else "")
    return "\n".join(lines)


def remove_value(text: str, path: Sequence[str]) -> str:
    """Take a top-level key out that stands on one line."""
    lines = text.split("\n")
    if path[0] in parse(text):
        del lines[_line_of(lines, path[0])]
    return "\n".join(lines)


def add_item(text: str, path: Sequence[str], item: Mapping[str, Any] | str) -> str:
    """Add an element at the end of a top-level list, making the list where there is none.

    Raises:
        MalformedError: the file is not simple, or the key holds something else than such a list.
    """
    (key,) = path
    present = parse(text)
    if key not in present:
        return _append(text, [f"{key}:", *_item(item, "  ")])
    lines = text.split("\n")
    place = _line_of(lines, key)
    if present[key] == "[]":
        lines[place : place + 1] = _ended([f"{key}:", *_item(item, "  ")], text)
        return "\n".join(lines)
    end, indent = _list_end(lines, place)
    if present[key] or indent is None:
        raise MalformedError(f"{key} is no list of `- item` lines; nothing is changed")
    new = _ended(_item(item, indent), text)
    if end == len(lines):  # the last line has no end of its own
        lines[-1] += "\r" if "\r\n" in text else ""
    lines[end:end] = new
    return "\n".join(lines)


def remove_item(text: str, path: Sequence[str], item: Mapping[str, Any] | str) -> str:
    """Take an element out that stands there as it was written; the list goes when it was the last."""
    lines = text.split("\n")
    if path[0] not in parse(text):
        return text
    key = _line_of(lines, path[0])
    end, indent = _list_end(lines, key)
    if indent is None:
        return text
    wanted = _ended(_item(item, indent), text)
    for place in range(key + 1, end):
        if [line.rstrip("\r") for line in lines[place : place + len(wanted)]] == [
            line.rstrip("\r") for line in wanted
        ]:
            del lines[place : place + len(wanted)]
            return "\n".join(lines)
    return text


def list_is_empty(text: str, path: Sequence[str]) -> bool:
    """Whether nothing is left below a key that stood over a list."""
    lines = text.split("\n")
    if path[0] not in parse(text):
        return False
    place = _line_of(lines, path[0])
    return _list_end(lines, place) == (place + 1, None)


def _word(beside: str) -> str:
    """Read what stands beside a key: without a comment and simple quotes."""
    word = re.sub(r"(^|[ ]+)#.*", "", beside) if beside[:1] not in "'\"" else beside
    try:
        return str(json.loads(word)) if word.startswith('"') else word.strip("'")
    except ValueError:
        return word


def _item(item: Mapping[str, Any] | str, indent: str) -> list[str]:
    if isinstance(item, str):
        return [f"{indent}- {json.dumps(item)}"]
    pairs = [f"{key}: {json.dumps(value)}" for key, value in item.items()]
    return [f"{indent}- {pairs[0]}", *(f"{indent}  {pair}" for pair in pairs[1:])]


def _list_end(lines: list[str], place: int) -> tuple[int, str | None]:
    """Find where the list below a key ends, and how far its items are indented (None: no list)."""
    indent = None
    end = place + 1
    for number in range(place + 1, len(lines)):
        line = lines[number]
        if _QUIET.match(line):
            continue
        if not line.startswith((" ", "-")):
            break
        if indent is None:
            found = re.match(r"( *)- ", line)
            if found is None:
                return end, None
            indent = found[1]
        end = number + 1
    return end, indent


def _line_of(lines: list[str], key: str) -> int:
    return next(
        place
        for place, line in enumerate(lines)
        if (match := _KEY.match(line.lstrip("\ufeff"))) and match[1] == key
    )


def _append(text: str, new: list[str]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    separator = "" if not text or text.endswith("\n") else end
    return text + separator + end.join(new) + end


def _ended(lines: list[str], text: str) -> list[str]:
    return [line + "\r" for line in lines] if "\r\n" in text else lines
