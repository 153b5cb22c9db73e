r"""Names of users: in the paths of their homes, and wherever else a known name stands.

`Paths` finds the name in `/home/NAME`, `/Users/NAME`, `C:\Users\NAME` and in the folder names that
coding agents make of them (`-Users-NAME-project`). `Names` finds names that are known already: the
machine's own, or those that a conversation's paths told. Accounts that everybody has say nothing.
Invariant: the path around a name stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from dolphin_logger.redactors._api import Finding

_UNIX: Final = re.compile(
    r"/(?:home|Users)/+([A-Za-z0-9_][A-Za-z0-9._-]{0,63})(?=[/\s\"'`:;,)\]}>|&\\]|$)"
)
_ROOTS: Final = ("/mnt/c", "/c", "/var", "/export", "/private", "/host", "/System/Volumes/Data")
_WINDOWS: Final = re.compile(
    r"\b[A-Za-z]:[\\/]{1,8}(?:Users|Documents and Settings)[\\/]{1,8}"
    r"(?:([^\\/:*?\"<>|\r\n\t]{1,40})(?=[\\/])|([A-Za-z0-9._-]{1,40}))"
)
_FOLDER: Final = re.compile(r"(?<![A-Za-z0-9])-(?:home|Users)-([A-Za-z0-9_]{2,32})-")
_EVERYBODYS_WORDS: Final = """
user users username user_name your_username yourusername your-username yourname your-name
your_name you me name root admin administrator ubuntu debian fedora centos ec2-user runner
runneradmin vscode node app app-user docker coder codespace gitpod jovyan vagrant pi linuxbrew git
deploy default public shared guest all nobody www-data someone somebody person example demo test
tester dev developer home dashboard index profile settings about login page pages xxx foo bar xyz
myuser my-user build builder jenkins circleci travis sandbox oai workspace postgres mysql redis
nginx steam lib bin src etc tmp var assets static templates components
"""
_EVERYBODYS: Final = frozenset(_EVERYBODYS_WORDS.split())
_LEAST: Final = 3  # shorter names are looked for in paths only


class Paths:
    """Finds the name in the path of a home."""

    name = "paths"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find names; the value's name does not matter."""
        del key
        if "home" not in text and "Users" not in text and "and Settings" not in text:
            return
        for match in _UNIX.finditer(text):
            if _is_root(text, match.start()):
                yield from _finding(match, 1)
        for match in _WINDOWS.finditer(text):
            yield from _finding(match, 1 if match.group(1) else 2)
        if "-home-" in text or "-Users-" in text:
            for match in _FOLDER.finditer(text):
                yield from _finding(match, 1)


class Names:
    """Finds known names of users and hosts, as words of their own."""

    name = "names"
    version = "1"

    def __init__(self, names: Iterable[str]) -> None:
        known = {name for name in names if len(name) >= _LEAST and not is_everybodys(name)}
        self._known = sorted(known, key=lambda name: (-len(name), name))
        self._lower = [name.lower() for name in self._known]
        forms = "|".join(re.escape(name) for name in self._known)
        self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{forms})(?![A-Za-z0-9])", re.IGNORECASE)

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find names; the value's name does not matter."""
        del key
        lower = text.lower()
        if any(name in lower for name in self._lower):
            for match in self._pattern.finditer(text):
                yield Finding(*match.span(), kind="USER", rule="user-name", priority=5)


def is_everybodys(name: str) -> bool:
    """Say whether a name is an account or a word that says nothing of a person."""
    return name.lower().strip("._-") in _EVERYBODYS or name.isdigit()


def _is_root(text: str, start: int) -> bool:
    """Say whether a path begins here, and no address (`https://host/home/…`) goes on."""
    before = text[start - 1] if start else " "
    if not (before.isalnum() or before in "._-)}%"):
        return True
    return text.endswith(_ROOTS, max(0, start - 20), start)


def _finding(match: re.Match[str], group: int) -> Iterator[Finding]:
    name = match.group(group).rstrip(".")
    if name and not is_everybodys(name) and not name.startswith("<"):
        start = match.start(group)
        yield Finding(start, start + len(name), "USER", "home-path", priority=15)
