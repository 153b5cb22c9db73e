"""The selection: which files an import is to read, and with which importer.

It knows names of sources, paths and folders, not what stands in files.
Invariant: nothing below our own home is imported, and no link is followed into another folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dolphin_logger.errors import SourceError
from dolphin_logger.importers import IMPORTERS, detect, find
from dolphin_logger.importers._api import Importer

_SUFFIXES = frozenset({".jsonl", ".json", ".zip", ".db"})


@dataclass(frozen=True, slots=True)
class Selected:
    """One file, and the source that it is of; None: its content tells."""

    path: Path
    source: Importer | None

    def choose(self, head: bytes, name: str) -> Importer | None:
        """Choose the importer by a file's first bytes."""
        return self.source or detect(head, name)


def of_sources(
    sources: Sequence[Importer], *, user: Path, env: Mapping[str, str], home: Path
) -> Iterator[Selected]:
    """Give the files that programs keep by themselves."""
    for source in sources:
        for path in source.find(user, env):
            if not path.is_symlink() and path.is_file() and not _is_ours(path, home):
                yield Selected(path, source)


def of_arguments(
    arguments: Sequence[str], *, user: Path, env: Mapping[str, str], home: Path
) -> list[Selected]:
    """Give the files that a command line names: sources, paths, or one source for some paths.

    Raises:
        SourceError: a name is neither, or several sources stand before paths.
    """
    sources = [find(name) for name in arguments if _is_source(name)]
    paths = [Path(name) for name in arguments if not _is_source(name)]
    if not paths:
        return list(of_sources(sources, user=user, env=env, home=home))
    if len(sources) > 1:
        raise SourceError("several sources and paths: name one source for the paths, or none")
    source = sources[0] if sources else None
    selected = []
    for path in paths:
        if not path.exists():
            raise SourceError(
                f"{str(path)!r} is neither a file nor a source; sources: {', '.join(IMPORTERS)}"
            )
        selected += [Selected(one, source) for one in _files(path.resolve(), home)]
    return selected


def _is_source(name: str) -> bool:
    """Say whether an argument names a source: `./codex` is always the path."""
    return name in IMPORTERS or (os.sep not in name and not Path(name).exists())


def _files(path: Path, home: Path) -> Iterator[Path]:
    if _is_ours(path, home):
        raise SourceError(f"{path}: lies in our own home, which is read in place")
    if not path.is_dir():
        yield path
        return
    for folder, _, names in sorted(os.walk(path)):
        for name in sorted(names):
            one = Path(folder) / name
            if one.suffix.lower() in _SUFFIXES and not one.is_symlink() and not _is_ours(one, home):
                yield one


def _is_ours(path: Path, home: Path) -> bool:
    return path.is_relative_to(home)
