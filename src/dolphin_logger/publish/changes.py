"""Changes: the exact files that a publication puts into a repository, and the hash that is confirmed.

Files lie in a folder of their own, complete, before anybody is asked. It knows neither the Hub nor
what the files hold. Invariant: whoever confirms the digest has confirmed every byte that goes up:
it covers path, size and SHA-256 of each file, the card included, and each path that goes away.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dolphin_logger.errors import DatasetError

_BLOCK: Final = 1 << 20
_DIGEST: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Addition:
    """A file to be written.

    Attributes:
        path: in the repository. source: where its bytes lie.
        sha256: of its bytes. oid: what git calls them (SHA-1 of a blob), as the Hub names small files.
    """

    path: str
    source: Path
    size: int
    sha256: str
    oid: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What one publication does to a repository, in the order of the paths."""

    additions: tuple[Addition, ...]
    deletions: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(addition.size for addition in self.additions)

    @property
    def digest(self) -> str:
        """What a person confirms: `sha256:` and 64 hexadecimal digits."""
        lines = [f"{one.path}\t{one.size}\t{one.sha256}\n" for one in self.additions]
        lines += [f"{path}\tdeleted\n" for path in self.deletions]
        return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.additions or self.deletions)


def read_changes(folder: Path, *, deletions: Iterable[str] = ()) -> Changes:
    """Read the files of a folder as what is to be written, and hash them.

    Raises:
        DatasetError: a file cannot be read.
    """
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        additions = [_addition(path, folder) for path in paths]
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read: {error.strerror}") from error
    return Changes(tuple(sorted(additions, key=lambda one: one.path)), tuple(sorted(deletions)))


def read_digest(text: str) -> str:
    """Read what somebody confirms.

    Raises:
        DatasetError: it is no SHA-256.
    """
    found = _DIGEST.fullmatch(text.strip().lower())
    if found is None:
        raise DatasetError(
            f"--confirm {text!r}: expected sha256: and 64 hexadecimal digits, as the review shows them"
        )
    return f"sha256:{found[1]}"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the Hub names it: `sha256` of a large one, `oid` of a small one."""

    size: int
    oid: str
    sha256: str | None


def missing(changes: Changes, tree: Mapping[str, RemoteFile]) -> Changes:
    """Give the part of the changes that a tree does not show yet."""
    return Changes(
        tuple([one for one in changes.additions if not _is_there(one, tree.get(one.path))]),
        tuple([path for path in changes.deletions if path in tree]),
    )


def _is_there(addition: Addition, found: RemoteFile | None) -> bool:
    if found is None or found.size != addition.size:
        return False
    if found.sha256 is not None:
        return found.sha256 == addition.sha256
    return found.oid == addition.oid


def _addition(path: Path, folder: Path) -> Addition:
    size = path.stat().st_size
    sha256 = hashlib.sha256()
    git = hashlib.sha1(b"blob %d\x00" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
            git.update(block)
    return Addition(
        path.relative_to(folder).as_posix(), path, size, sha256.hexdigest(), git.hexdigest()
    )
