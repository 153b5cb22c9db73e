"""The index under kill -9: a process that dies while it indexes loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from dolphin_logger.index.freshness import behind, catch_up, rebuild
from dolphin_logger.index.schema import index_path
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter
from tests.support.homes import write_segment
from tests.support.indexed import rows, session

ROUNDS = 40 if os.environ.get("DOLPHIN_LONG") else 8
PROGRAM = """
import sys
from pathlib import Path
from dolphin_logger.index import ingest
from dolphin_logger.index.freshness import catch_up
from dolphin_logger.journal.home import Home
ingest._MOST_RECORDS = 7
print("ready", flush=True)
catch_up(Home(Path(sys.argv[1])), seconds=60)
"""


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """After kill -9 in the middle of many transactions the rows are those of a fresh rebuild."""
    home = Home(tmp_path)
    sessions = [session(f"s{n}", turns=12, start=n * 7) for n in range(20)]
    lines = [line for one in sessions for _, line in one]
    write_segment(home, 1, *lines[:120])
    write_segment(home, 2, *lines[120:])
    writer = LabelWriter(home)
    for name, _ in session("s0", turns=3):
        writer.write(name, "rating", 4)
    writer.close()
    chance = random.Random(7)
    killed = 0
    for _ in range(ROUNDS):
        killed += _index_and_kill(tmp_path, after=chance.uniform(0.0, 0.25))
    assert killed
    while catch_up(home, seconds=60).behind_bytes:
        pass
    kept = rows(home)
    assert len(kept["records"]) == 240
    rebuild(home, progress=lambda _: None)
    assert rows(home) == kept


def test_killed_while_it_is_made_anew_the_old_one_answers(tmp_path: Path) -> None:
    """A rebuild that dies leaves the index as it was; the next one removes what it left."""
    home = Home(tmp_path)
    write_segment(home, 1, *[line for _, line in session("a", turns=5)])
    catch_up(home)
    kept = rows(home)
    left = index_path(home).with_name("index.new.sqlite")
    left.write_bytes(b"half of an index")
    assert rows(home) == kept
    rebuild(home, progress=lambda _: None)
    assert rows(home) == kept
    assert not left.exists()
    assert behind(home).behind_bytes == 0


def _index_and_kill(home: Path, *, after: float) -> bool:
    """Index in a process of its own, and kill it some time after it has begun; say whether it was at it."""
    command = [sys.executable, "-c", PROGRAM, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + after
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return process.returncode == -signal.SIGKILL
