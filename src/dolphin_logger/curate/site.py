"""Site: where a dataset is being built, and how it takes the place of an older one.

    .<name>.building/   lock   state    what was decided before; another state: nothing of it is kept
                        spool/ parts/ images/   work that a later run goes on with
                        made/   the dataset, which becomes the folder in one rename

It knows folders and names, not what is in them. Invariants: the folder of a dataset is whole or not
there; one process builds a dataset at a time; folders are 0700.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from dolphin_logger.curate.manifest import NAME
from dolphin_logger.curate.writers import create_file
from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home, make_private_folder, sync_folder
from dolphin_logger.journal.locks import try_lock

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class Site:
    """The place of one build; `out` is the folder that it will become."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out.with_name(f".{out.name}.building")
        self.spool = self.folder / "spool"
        self.parts = self.folder / "parts"
        self.images = self.folder / "images"
        self.made = self.folder / "made"
        self._old = out.with_name(f".{out.name}.old")
        self._state = self.folder / "state"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Be the only process that builds here.

        Raises:
            DatasetError: another one is at it, or the folder is somebody else's.
        """
        if self.out.is_symlink() or (self.out.exists() and not self.out.is_dir()):
            raise DatasetError(f"{self.out}: is no folder, and would be replaced; choose --name")
        if self.out.exists() and not (self.out / NAME).exists() and any(self.out.iterdir()):
            raise DatasetError(f"{self.out}: is not a dataset, and would be replaced; choose --out")
        make_private_folder(self.folder)
        descriptor = os.open(self.folder / "lock", _FLAGS, 0o600)
        try:
            if not try_lock(descriptor):
                raise DatasetError(f"{self.out.name}: another process is building it; wait for it")
            self._restore()
            yield
        finally:
            os.close(descriptor)

    def begin(self, state: str, *, fresh: bool) -> None:
        """Keep the work of an earlier run if it had the same state, else throw it away."""
        known = self._state.read_text() if self._state.exists() else None
        if fresh or known != state:
            for folder in (self.spool, self.parts, self.images):
                shutil.rmtree(folder, ignore_errors=True)
            self._state.unlink(missing_ok=True)
            with create_file(self._state) as file:
                file.write(state.encode())
        shutil.rmtree(self.made, ignore_errors=True)
        for folder in (self.spool, self.parts, self.images, self.made):
            make_private_folder(folder)

    def put_in_place(self) -> None:
        """Let what was made become the dataset, and forget the work."""
        if self.out.exists():
            shutil.rmtree(self._old, ignore_errors=True)
            self.out.rename(self._old)
        self.made.rename(self.out)
        sync_folder(self.out.parent)
        shutil.rmtree(self._old, ignore_errors=True)
        self.abandon()

    def abandon(self) -> None:
        """Leave nothing of the build."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _restore(self) -> None:
        """Undo half of a replacement, of a process that was killed in it."""
        if self._old.exists() and not self.out.exists():
            self._old.rename(self.out)
        shutil.rmtree(self._old, ignore_errors=True)


def forget_unfinished(home: Home) -> None:
    """Throw away the work of builds that never ended: records that are removed may lie in it."""
    for folder in home.datasets.glob(".*.building"):
        shutil.rmtree(folder, ignore_errors=True)
