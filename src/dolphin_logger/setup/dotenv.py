"""Files of variables (`NAME=value`): changed in place, text to text.

Every line that is not ours stays as it is. It knows neither files nor clients.
Invariant: of two lines of one name the last counts, and that one is changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dolphin_logger.setup.jsonc import MalformedError

_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*?)[ \t\r]*$")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+-]*")


def parse(text: str) -> dict[str, str]:
    """Read the variables."""
    found = {}
    for line in text.split("\n"):
        if match := _LINE.match(line):
            value = match[2]
            if len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]:
                value = value[1:-1]
            found[match[1]] = value
    return found


def set_value(text: str, path: Sequence[str], value: str) -> str:
    """Set a variable: its last line is replaced, or one is added at the end.

    Raises:
        MalformedError: the value cannot be written so that every reader takes it alike.
    """
    (name,) = path
    if not _PLAIN.fullmatch(value):
        raise MalformedError(f"{name}: {value!r} cannot be written there; nothing is changed")
    lines = text.split("\n")
    end = "\r" if "\r\n" in text else ""
    place = _last(lines, name)
    if place is not None:
        lines[place] = f"{name}={value}{end}"
        return "\n".join(lines)
    separator = "" if not text or text.endswith("\n") else f"{end}\n"
    return f"{text}{separator}{name}={value}{end}\n"


def remove_value(text: str, path: Sequence[str]) -> str:
    """Take a variable's last line out."""
    lines = text.split("\n")
    place = _last(lines, path[0])
    if place is not None:
        del lines[place]
    return "\n".join(lines)


def _last(lines: list[str], name: str) -> int | None:
    found = None
    for place, line in enumerate(lines):
        if (match := _LINE.match(line)) and match[1] == name:
            found = place
    return found
