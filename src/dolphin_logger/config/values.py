"""Readers of single values: each takes what JSON gave and returns it typed, or raises `UnfitError`.

They know types and grammars, not keys, files or the environment. The message of an `UnfitError` is an
expectation ("expected a whole number from 1 to 65535, got 70000"); `unseen` ones never show the
value, because it may be a key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dolphin_logger.config.findings import name_type, offer, show, suggest
from dolphin_logger.config.model import Retention, SuppressRule, Timeouts, Translate

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, section 5.6.2
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")
_HOST = re.compile(r"[A-Za-z0-9._:%*\[\]-]+")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._\[\]:-]+")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_OURS = frozenset(
    {"host", "connection", "content-length", "content-type", "transfer-encoding", "te", "upgrade"}
    | {"keep-alive", "trailer", "expect", "proxy-authorization", "proxy-connection"}
)
_VARIABLE = re.compile(r"[A-Za-z_]\w{0,31}|[A-Z_][A-Z0-9_]{0,63}", re.ASCII)
TIMEOUT_KEYS = {
    "connect": "connect",
    "firstByte": "first_byte",
    "idle": "idle",
    "writeStall": "write_stall",
}
_LONGEST = 7 * 24 * 3600


class UnfitError(ValueError):
    """A value that cannot be used; `at` is the path from the value to the part at fault."""

    def __init__(self, message: str, *at: str | int) -> None:
        super().__init__(message)
        self.at = at


def read_text(value: object) -> str:
    """Read a string with something in it that UTF-8 can carry."""
    if not isinstance(value, str) or not value.strip():
        raise UnfitError(f"expected a non-empty string, got {show(value)}")
    if not value.isprintable():
        raise UnfitError("expected a string without control characters")
    return value


def read_certificates(value: object) -> str:
    """Read the path of an existing file of PEM certificates."""
    path = Path(read_text(value)).expanduser()
    if not path.is_file():
        raise UnfitError(f"expected a file of PEM certificates, there is no {show(value)}")
    return str(path)


def read_boolean(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise UnfitError(f"expected true or false, got {show(value)}")
    return value


def read_port(value: object) -> int:
    """Read a TCP port; 0 lets the system choose."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise UnfitError(f"expected a whole number from 0 to 65535, got {show(value)}")
    return value


def read_share(value: object) -> float:
    """Read a share from 0 (none) to 1 (all)."""
    number = _as_number(value)
    if number is None or not 0 <= number <= 1:
        raise UnfitError(f"expected a number from 0 to 1, got {show(value)}")
    return number


def read_seconds(value: object) -> float:
    """Read a duration above zero, in seconds."""
    number = _as_number(value)
    if number is None or not 0 < number <= _LONGEST:
        raise UnfitError(f"expected seconds above 0 and up to {_LONGEST}, got {show(value)}")
    return number


def _as_number(value: object) -> float | None:
    """Convert a JSON number; None for anything else, for NaN and for infinity."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read_host(value: object) -> str:
    """Read an address or host name to listen on."""
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        raise UnfitError(f"expected an address or host name, got {show(value)}")
    return value


def read_hosts(value: object) -> tuple[str, ...]:
    """Read names, with or without a port, that `Host` may say."""
    return tuple(_read_each(value, read_host))


def read_origins(value: object) -> tuple[str, ...]:
    """Read origins (`https://chat.example`); the wildcard is refused."""
    return tuple(_read_each(value, _read_origin))


def _read_origin(value: object) -> str:
    if value == "*":
        raise UnfitError("'*' would let every web page use your keys; list the origins that may")
    if not isinstance(value, str) or not _ORIGIN.fullmatch(value.rstrip("/")):
        raise UnfitError(f"expected an origin such as 'http://localhost:3000', got {show(value)}")
    return value.rstrip("/")


def _read_each(value: object, read: Callable[[object], Any]) -> list[Any]:
    if not isinstance(value, list):
        raise UnfitError(f"expected an array, got {show(value)}")
    results = []
    for index, element in enumerate(value):
        try:
            results.append(read(element))
        except UnfitError as fault:
            raise UnfitError(str(fault), index, *fault.at) from None
    return results


def read_timeouts(value: object, *, base: Timeouts) -> Timeouts:
    """Read an object of deadlines in seconds over the given ones."""
    if not isinstance(value, dict):
        raise UnfitError(f"expected an object with {', '.join(TIMEOUT_KEYS)}, got {show(value)}")
    changes = {TIMEOUT_KEYS[key]: getattr(base, TIMEOUT_KEYS[key]) for key in TIMEOUT_KEYS}
    for key, seconds in value.items():
        if is_comment(key):
            continue
        if key not in TIMEOUT_KEYS:
            raise UnfitError(f"unknown key{offer(key, TIMEOUT_KEYS)}", key)
        try:
            changes[TIMEOUT_KEYS[key]] = read_seconds(seconds)
        except UnfitError as fault:
            raise UnfitError(str(fault), key) from None
    return Timeouts(**changes)


_TRANSLATE: Final = {
    "maxTokens": "max_tokens",
    "forwardUser": "forward_user",
    "systemInPlace": "system_in_place",
    "drop": "drop",
}


def read_translate(value: object) -> Translate:
    """Read how requests are translated for an entry."""
    if not isinstance(value, dict):
        raise UnfitError(f"expected an object with {', '.join(_TRANSLATE)}, got {show(value)}")
    read: dict[str, Any] = {}
    for key, given in value.items():
        if is_comment(key):
            continue
        if key not in _TRANSLATE:
            raise UnfitError(f"unknown key{offer(key, _TRANSLATE)}", key)
        try:
            read[_TRANSLATE[key]] = _read_translate_option(key, given)
        except UnfitError as fault:
            raise UnfitError(str(fault), key, *fault.at) from None
    return Translate(**read)


def _read_translate_option(key: str, value: object) -> Any:
    if key == "drop":
        return frozenset(_read_each(value, read_text))
    if key != "maxTokens":
        return read_boolean(value)
    if type(value) is not int or value < 1:
        raise UnfitError(f"expected a whole number above 0, got {show(value)}")
    return value


def read_retention(value: object) -> Retention:
    """Read when closed segments go: days, bytes, or both, whichever comes first."""
    if not isinstance(value, dict):
        raise UnfitError(f"expected an object with days, bytes or both, got {show(value)}")
    read: dict[str, Any] = {}
    for key, given in value.items():
        if is_comment(key) or given is None:
            continue
        if key not in ("days", "bytes"):
            raise UnfitError(f"unknown key{offer(key, ('days', 'bytes'))}", key)
        number = _as_number(given)
        if number is None or number <= 0:
            raise UnfitError(f"expected a number above 0, got {show(given)}", key)
        if key == "bytes" and not isinstance(given, int):
            raise UnfitError(f"expected a whole number of bytes, got {show(given)}", key)
        read[key] = given
    return Retention(**read)


def read_choice(value: object, *, among: tuple[str, ...]) -> str:
    """Read one of a few words."""
    if not isinstance(value, str) or value not in among:
        near = suggest(value, among) if isinstance(value, str) else ""
        raise UnfitError(f"expected {' or '.join(map(repr, among))}, got {show(value)}{near}")
    return value


def read_repository(value: object) -> str:
    """Read `owner/name` on the Hugging Face Hub."""
    if not isinstance(value, str) or not _REPOSITORY.fullmatch(value):
        raise UnfitError(f"expected 'owner/name', got {show(value)}")
    return value


def read_rule(value: object) -> SuppressRule:
    """Read one rule of `suppress`: at least one condition, all of them strings."""
    known = tuple(SuppressRule.__dataclass_fields__)
    if not isinstance(value, dict):
        raise UnfitError(f"expected an object with any of {', '.join(known)}, got {show(value)}")
    conditions = {key: given for key, given in value.items() if not is_comment(key)}
    if not conditions:
        raise UnfitError(f"a rule needs at least one of {', '.join(known)}")
    for key, given in conditions.items():
        if key not in known:
            raise UnfitError(f"unknown condition{offer(key, known)}", key)
        if not isinstance(given, str) or not given:
            raise UnfitError(f"expected a non-empty string, got {show(given)}", key)
    if "header" in conditions and ":" not in conditions["header"]:
        raise UnfitError("expected 'name: value'", "header")
    try:
        re.compile(conditions.get("pattern", ""))
    except re.error as fault:
        raise UnfitError(f"not a regular expression: {fault}", "pattern") from None
    return SuppressRule(**conditions)


def read_base(value: object) -> str:
    """Read the absolute http(s) address under which a provider's paths lie; shows nothing of it."""
    if not isinstance(value, str):
        raise UnfitError(f"expected an address, got {name_type(value)}")
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        raise UnfitError("expected an address without spaces, backslashes and non-ASCII characters")
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise UnfitError("expected an absolute address that begins with http:// or https://")
    if "@" in parts.netloc:
        raise UnfitError("must not contain a user name or password; put the key into apiKey")
    if "?" in value:
        raise UnfitError('must not contain "?"; put parameters into "query"')
    if "#" in value:
        raise UnfitError('must not contain "#"')
    return value


def read_query(value: object) -> tuple[tuple[str, str], ...]:
    """Read parameters for the address: an object of strings; shows no value."""
    if not isinstance(value, dict):
        raise UnfitError(f"expected an object of strings, got {name_type(value)}")
    pairs = [(key, given) for key, given in value.items() if not is_comment(key)]
    for key, given in pairs:
        if not isinstance(given, str) or not (key + given).isprintable():
            raise UnfitError(f"expected a printable string, got {name_type(given)}", key)
    return tuple(pairs)


def read_header_name(name: str) -> str:
    """Read the name of an additional header; those that frame a message are ours."""
    if not _TOKEN.fullmatch(name):
        raise UnfitError("not a header name (RFC 9110 allows letters, digits and !#$%&'*+-.^_`|~)")
    if name.lower() in _OURS:
        raise UnfitError("this header is set by the connection itself")
    return name


def read_unseen(value: object) -> str:
    """Read a string that may be secret and that a header can carry; shows nothing of it."""
    if not isinstance(value, str):
        raise UnfitError(f"expected a string, got {name_type(value)}")
    if value.strip() and not _HEADER_VALUE.fullmatch(value.strip()):
        raise UnfitError(
            "contains a character that a header cannot carry (a line break or non-ASCII)"
        )
    return value.strip()


def variable_of(reference: str) -> str:
    """Take the variable's name out of `ENV:NAME`."""
    return reference.removeprefix("ENV:").strip()


def name_variable(variable: str) -> str:
    """Name a variable, unless it looks like a key that was written after `ENV:` by mistake."""
    if _VARIABLE.fullmatch(variable):
        return f"environment variable {variable!r}"
    return "the environment variable after ENV: (not shown: it may be a key)"


def is_comment(key: str) -> bool:
    """Whether a key is there for people or editors only."""
    return key.startswith(("_", "//")) or key == "$schema"
