"""Home: the folder that holds everything, and who may read it.

    config.json        the user's configuration
    logs/              segments of records, YYYY-MM-DD_<uuid>.jsonl
    blobs/             bodies too large for a line, named by their sha256
    labels/            what people and rules said of records, YYYY-MM-DD_<uuid>.jsonl
    tombstones/        which records were removed for ever, in files of the same form
    archive/           untouched copies of other programs' session files, <source>/<sha256>.zst
    imports/           the turns decoded from them, segments like those of logs/
    datasets/          what was built from them, one folder each
    run/               one small file per running proxy, and the pause switch
    cache/             what can be made again, or be missed

It knows names and modes, not contents. Invariant: what it makes is 0700 (folders) or 0600 (files),
whatever the umask.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from dolphin_logger.errors import JournalError

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below the home folder; nothing is created before `prepare`."""

    path: Path

    @property
    def config(self) -> Path:
        """The user's configuration."""
        return self.path / "config.json"

    @property
    def logs(self) -> Path:
        """The folder of segments."""
        return self.path / "logs"

    @property
    def blobs(self) -> Path:
        """The folder of large bodies."""
        return self.path / "blobs"

    @property
    def labels(self) -> Path:
        """The folder of labels."""
        return self.path / "labels"

    @property
    def tombstones(self) -> Path:
        """The folder of what was removed for ever."""
        return self.path / "tombstones"

    @property
    def archive(self) -> Path:
        """The folder of untouched session files."""
        return self.path / "archive"

    @property
    def imports(self) -> Path:
        """The folder of segments of imported turns."""
        return self.path / "imports"

    @property
    def datasets(self) -> Path:
        """The folder of datasets that were built."""
        return self.path / "datasets"

    @property
    def cache(self) -> Path:
        """The folder of what can be made again."""
        return self.path / "cache"

    @property
    def vault(self) -> Path:
        """The folder of what answers said that their clients' language cannot carry."""
        return self.cache / "vault"

    @property
    def run(self) -> Path:
        """The folder of what is running now."""
        return self.path / "run"

    @property
    def pause_switch(self) -> Path:
        """The file whose presence stops recording."""
        return self.run / "paused"

    def prepare(self) -> None:
        """Create the folders that are missing, private to their owner.

        A home that exists keeps its mode (it may be somebody's /tmp); what is ours in it does not.

        Raises:
            JournalError: a folder cannot be made or written to.
        """
        if not self.path.is_dir():
            make_private_folder(self.path)
        make_private_folder(self.logs)
        make_private_folder(self.run)


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents with mode 0700; take group and world off an existing one."""
    try:
        # pathlib would make the parents with the umask's mode: after `rm -r` of the home, a public one
        for missing in reversed([path for path in folder.parents if not path.exists()]):
            missing.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(_PRIVATE_FOLDER)
    except OSError as error:
        cure = "choose another folder with DOLPHIN_LOGGER_HOME"
        raise JournalError(f"{folder}: cannot be used: {error.strerror}; {cure}") from error


def open_private_file(path: Path, *, append: bool = False) -> int:
    """Create a new file, mode 0600, never through a link; return its descriptor.

    Raises:
        OSError: the file exists, or cannot be made.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_CLOEXEC", 0) | (os.O_APPEND if append else 0)
    descriptor = os.open(path, flags, _PRIVATE_FILE)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, _PRIVATE_FILE)
    return descriptor


def sync_folder(folder: Path) -> None:
    """Make new and changed names durable; not possible on every platform."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
