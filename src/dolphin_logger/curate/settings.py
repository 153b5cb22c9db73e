"""Settings: a table of TOML as a frozen dataclass, read, explained and written.

Each field has its default, its reader and one line that says what it means, in its metadata; a class
that has none of these is read by the types of its fields. It knows values and dataclasses, not
recipes. Invariants: an unknown key, a wrong type or a value out of range is an error that names path,
value and cure; what is written reads back as the same value.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, field, fields
from typing import Any, Final, TypeVar

from dolphin_logger.config.findings import offer, show
from dolphin_logger.config.values import UnfitError, read_boolean, read_choice, read_text
from dolphin_logger.curate.licenses import LICENSES

Kind = TypeVar("Kind")
Reader = Callable[[object], Any]
MANY: Final = 1_000_000_000
_WIDE: Final = 96  # characters of a line that explains


def setting(default: Any, read: Reader, meaning: str) -> Any:
    """Declare a setting."""
    return field(default=default, metadata={"read": read, "meaning": meaning})


def table(made: type[Kind], meaning: str, *, check: Callable[[Kind], object] | None = None) -> Any:
    """Declare a table below this one; `check` may refuse what was read."""
    metadata = {"table": made, "meaning": meaning, "check": check}
    return field(default_factory=made, metadata=metadata)


def read_texts(value: object) -> tuple[str, ...]:
    """Read an array of strings."""
    if not isinstance(value, list):
        raise UnfitError(f"expected an array of strings, got {show(value)}")
    for index, element in enumerate(value):
        if not isinstance(element, str) or not element:
            raise UnfitError(f"expected a non-empty string, got {show(element)}", index)
    return tuple(value)


def read_names(*known: str) -> Reader:
    """Make a reader of an array of known names."""

    def read(value: object) -> tuple[str, ...]:
        for index, element in enumerate(given := read_texts(value)):
            if element not in known:
                raise UnfitError(f"unknown name {show(element)}{offer(element, known)}", index)
        return given

    return read


def read_count(least: int, most: int) -> Reader:
    """Make a reader of whole numbers."""

    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise UnfitError(f"expected a whole number from {least} to {most}, got {show(value)}")
        return value

    return read


def read_word(*known: str) -> Reader:
    """Make a reader of one of some words."""
    return lambda value: read_choice(value, among=known)


def read_line(value: object) -> str:
    """Read a string without control characters, which may be empty."""
    return "" if value == "" else read_text(value)


def read_license(value: object) -> str:
    """Read the name of a license, which may be empty."""
    if value == "" or (isinstance(value, str) and value in LICENSES):
        return str(value)
    raise UnfitError(f"expected one of {', '.join(LICENSES)}, got {show(value)}")


def read_day(value: object) -> str:
    """Read a day, as a string or a date of TOML; empty is no day."""
    if value == "":
        return ""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    try:
        return datetime.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise UnfitError(f"expected a day such as '2026-11-22', got {show(value)}") from None


def _read_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MANY:
        raise UnfitError(f"expected a number from 0 to {MANY}, got {show(value)}")
    return float(value)


_BY_TYPE: Final[Mapping[str, Reader]] = {
    "bool": read_boolean,
    "int": read_count(0, MANY),
    "float": _read_number,
    "str": read_line,
    "tuple[str, ...]": read_texts,
}


def read_table(made: type[Kind], values: Mapping[str, Any]) -> Kind:
    """Read a table; what is missing has its default.

    Raises:
        UnfitError: something is unknown or unfit; `at` says where.
    """
    known = _fields(made)
    given: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise UnfitError(f"unknown key{_elsewhere(made, key) or offer(key, known)}", key)
        try:
            given[key] = _read_value(known[key], value)
        except UnfitError as fault:
            raise UnfitError(str(fault), key, *fault.at) from None
    return made(**given)


def _read_value(one: Field[Any], value: object) -> Any:
    below = one.metadata.get("table")
    if below is None:
        read: Reader = one.metadata.get("read") or _BY_TYPE[str(one.type)]
        return read(value)
    if not isinstance(value, dict):
        raise UnfitError(f"expected a table, [{one.name}], got {show(value)}")
    made = read_table(below, value)
    if check := one.metadata["check"]:
        check(made)
    return made


def _elsewhere(made: type[Any], key: str) -> str:
    """Say in which table below a key is known, if it is in one."""
    for one in fields(made):
        below = one.metadata.get("table")
        if below is not None and key in _fields(below):
            return f"; it belongs into the table [{one.name}]"
    return ""


def _fields(made: type[Any]) -> dict[str, Field[Any]]:
    return {one.name: one for one in fields(made)}


def write_table(value: Any, *, meanings: Mapping[str, str] | None = None) -> str:
    """Write every setting as TOML.

    With `meanings` each stands below the line that says what it means; they are for those that do
    not say it themselves, by path (`filters.turns.least`).
    """
    return "\n".join(_lines(value, (), meanings)) + "\n"


def _lines(value: Any, path: tuple[str, ...], meanings: Mapping[str, str] | None) -> Iterator[str]:
    below = [one for one in fields(value) if "table" in one.metadata]
    for one in fields(value):
        if one in below:
            continue
        if meanings is not None:
            where = ".".join((*path, one.name))
            yield f"# {one.metadata.get('meaning') or meanings[where]}"
        yield f"{one.name} = {_write_value(getattr(value, one.name))}"
    for one in below:
        yield ""
        if meanings is not None:
            yield f"# {one.metadata['meaning']}"
        yield f"[{'.'.join((*path, one.name))}]"
        yield from _lines(getattr(value, one.name), (*path, one.name), meanings)


def _write_value(value: Any) -> str:
    """Write a value; TOML's basic strings are JSON's, but for DEL (TOML 1.0)."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_write_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
