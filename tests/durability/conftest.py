"""Small disks for tests of durability."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk() -> Iterator[Callable[[Path, int], Path]]:
    """Mount small disks of memory, where that is allowed; returns a file that fills one to the last 64 KiB."""
    mounted: list[Path] = []

    def mount(folder: Path, size: int) -> Path:
        folder.mkdir(parents=True, mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
        if os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip("needs root to mount a small disk")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"needs the right to mount a small disk: {done.stderr.strip()}")
        mounted.append(folder)
        ballast = folder / "ballast"
        ballast.write_bytes(b"x" * (size - 64 * 1024))
        return ballast

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
