"""A dataset on a disk that is full: one line, no half of a dataset, and a build once there is space."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dolphin_logger.journal.home import Home
from tests.support.curated import record
from tests.support.homes import write_segment

pytestmark = pytest.mark.root


def build() -> subprocess.CompletedProcess[str]:
    """Build in a process of its own."""
    command = [sys.executable, "-m", "dolphin_logger", "dataset", "build", "--workers", "1"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_a_full_disk_ends_a_build_in_one_line(
    tmp_path: Path,
    small_disk: Callable[[Path, int], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It names the disk's fault; nothing is there before, and all of it afterwards."""
    home = Home(tmp_path / "home")
    home.prepare()
    home.config.write_text('{"models": []}')
    asked = {"messages": [{"role": "user", "content": "hi " * 100_000}]}
    said = {"choices": [{"message": {"role": "assistant", "content": "yes"}}]}
    write_segment(home, 1, record(1, asked, said)[1])
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(home.path))
    ballast = small_disk(home.datasets, 2 << 20)
    full = build()
    assert full.returncode == 1
    assert full.stderr.strip().splitlines()[-1].endswith("No space left on device")
    assert "Traceback" not in full.stderr
    assert not (home.datasets / "sft").exists()
    ballast.unlink()
    done = build()
    assert done.returncode == 0, done.stderr
    assert (home.datasets / "sft" / "manifest.json").exists()
