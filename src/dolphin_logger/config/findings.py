"""What is wrong with a configuration, collected while it is read.

Each finding has the path of the value and its line. Invariant: no text in here contains the value
of a key, a token or a header; those readers say what they expected and nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from dolphin_logger.config.locate import Path, line_of

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of `config validate`.

    Attributes:
        where: `models[2].provider`, the name of an environment variable, or empty for the file.
        line: the line in the file, from 1; None when it is not in the file.
        fatal: an error (the value is not used) rather than a warning.
    """

    where: str
    line: int | None
    message: str
    fatal: bool

    def describe(self, file_name: str) -> str:
        """Write `config.json:14: models[2].provider: message`, without the parts there are not."""
        place = f"{file_name}:{self.line}" if self.line else file_name
        if self.line is None and self.where.isupper():
            place = "environment"
        return ": ".join(part for part in (place, self.where, self.message) if part)


@dataclass(slots=True)
class Findings:
    """Collects problems; looks for their lines only when there are any."""

    text: str
    problems: list[Problem] = field(default_factory=list)

    def error(self, path: Path, message: str) -> None:
        """Note a value that cannot be used."""
        self._add(path, message, fatal=True)

    def warn(self, path: Path, message: str, *, line: int | None = None) -> None:
        """Note a value that is used, or ignored without harm."""
        self._add(path, message, fatal=False, line=line)

    def environment(self, variable: str, message: str, *, fatal: bool = True) -> None:
        """Note something about an environment variable."""
        self.problems.append(Problem(variable, None, message, fatal))

    def _add(self, path: Path, message: str, *, fatal: bool, line: int | None = None) -> None:
        line = line or line_of(self.text, path)
        self.problems.append(Problem(write_path(path), line, message, fatal))


def write_path(path: Path) -> str:
    """Write a path as people do: `models[2].headers.x-tag`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def show(value: object) -> str:
    """Show a value that cannot be a secret, shortened."""
    text = repr(value) if isinstance(value, str | int | float | bool) else name_type(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def name_type(value: object) -> str:
    """Name a value's JSON type and nothing else of it."""
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "an array", dict: "an object"}
    return names.get(type(value), "a number")


def suggest(name: str, known: Iterable[str]) -> str:
    """Say `; did you mean 'x'?` when one of the known names is near, else nothing."""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


def offer(name: str, known: Iterable[str]) -> str:
    """Say which names there are, the nearest first: `; did you mean 'x'? known: x, y`."""
    names = sorted(known)
    return f"{suggest(name, names) or ';'} known: {', '.join(names)}"
