"""Kill -9 while sealing, at each step and at any moment: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import BadLine, StoredRecord, line_bytes, read_home
from tests.support.homes import line, write_segment

KILLS = 200 if os.environ.get("DOLPHIN_LONG") else 8
STEPS = ("os.open", "os.fsync", "os.utime", "pathlib.Path.replace", "pathlib.Path.unlink")

# Runs `seal --all` and kills itself before or after the n-th call of one function.
_KILLED = """
import os, pathlib, signal, sys
name, turn, when = sys.argv[1], int(sys.argv[2]), sys.argv[3]
owner, attribute = (os, name[3:]) if name.startswith("os.") else (pathlib.Path, name.rpartition(".")[2])
real = getattr(owner, attribute)
from dolphin_logger.cli import main
from dolphin_logger.cli import seal
count = 0
def call(*arguments, **named):
    global count
    watched = "2026-11-22_" in str(arguments[0]) or attribute == "fsync"
    count += watched
    if watched and count == turn and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*arguments, **named)
    if watched and count == turn and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, attribute, call)
sys.argv[1:] = ["seal", "--all"]
main()
"""


def write_home(path: Path, *, segments: int, size: int) -> Home:
    """Write some segments with damage in them."""
    home = Home(path)
    for number in range(segments):
        lines = [line(number * 10 + each, text="x" * size) for each in range(8)]
        lines.insert(3, b'{"damaged": \n')
        write_segment(home, number, *lines)
    return home


def seen(home: Home) -> list[object]:
    """Everything that a reader sees, in order, without the names of files."""
    return [
        (item.id, item.offset, line_bytes(item))
        if isinstance(item, StoredRecord)
        else (item.reason, item.offset)
        for item in read_home(home)
    ]


def seal(home: Home, *program: str) -> int:
    """Run the command, or a program that runs it, to its end."""
    command = [sys.executable, *(program or ("-m", "dolphin_logger", "seal", "--all"))]
    environment = {**os.environ, "DOLPHIN_LOGGER_HOME": str(home.path)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def assert_sealed(home: Home, before: list[object]) -> None:
    """All is sealed, reads the same, and nothing else is left."""
    assert seen(home) == before
    names = {path.name for path in home.logs.iterdir()}
    assert all(name.endswith((".jsonl.zst", ".manifest.json")) for name in names), names


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_each_step(tmp_path: Path, step: str, when: str) -> None:
    """Whatever the last thing was that sealing did, the home reads the same and the next run finishes."""
    killed = 0
    for turn in range(1, 5):
        home = write_home(tmp_path / f"{turn}", segments=1, size=100)
        before = seen(home)
        killed += seal(home, "-c", _KILLED, step, str(turn), when) != 0
        assert seen(home) == before
        assert seal(home) == 0
        assert_sealed(home, before)
    assert killed


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Through many kills at random moments, under a reader, every line is there once at every look."""
    home = write_home(tmp_path / "home", segments=6, size=100_000)
    before = sorted(map(str, seen(home)))
    chance = random.Random(5)
    environment = {**os.environ, "DOLPHIN_LOGGER_HOME": str(home.path)}
    command = [sys.executable, "-m", "dolphin_logger", "seal", "--all"]
    for _ in range(KILLS):
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + chance.uniform(0.05, 0.6)
        while time.monotonic() < end and process.poll() is None:
            assert sorted(map(str, seen(home))) == before
        process.kill()
        process.wait(10)
        assert sorted(map(str, seen(home))) == before
    assert seal(home) == 0
    assert sorted(map(str, seen(home))) == before
    assert not [item for item in home.logs.iterdir() if item.suffix == ".jsonl"]


def test_the_check_notices_what_it_is_for(tmp_path: Path) -> None:
    """A text file that goes too early, or both files counted, would be seen by these tests."""
    home = write_home(tmp_path / "home", segments=1, size=10)
    before = seen(home)
    (path,) = home.logs.iterdir()
    text = path.read_bytes()
    path.unlink()
    assert seen(home) != before
    path.write_bytes(text + text)
    assert seen(home) != before
    assert any(isinstance(item, BadLine) for item in read_home(home))
