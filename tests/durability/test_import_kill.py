"""Kill -9 during an import: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import BadLine, StoredRecord, import_segments, read_segment
from tests.support import session_files as sessions
from tests.support.imported import answers
from tests.support.session_files import Sample, jsonl, write

KILLS = 200 if os.environ.get("DOLPHIN_LONG") else 12
FILES, TURNS = 12, 60


def _session(number: int) -> Sample:
    entries: list[Any] = []
    for turn in range(TURNS):
        block = {"type": "text", "text": f"answer {number}.{turn}"}
        answer = sessions.claude_answer(f"m{number}.{turn}", block, "end_turn")
        asked = sessions.claude_words(f"question {turn}")
        line = sessions.claude_line(0, None, "user", asked)
        before = f"a{number}.{turn - 1}" if turn else None
        name = f"q{number}.{turn}"
        entries.append(line | {"uuid": name, "parentUuid": before})
        line = sessions.claude_line(0, None, "assistant", answer)
        entries.append(line | {"uuid": f"a{number}.{turn}", "parentUuid": name})
    return Sample("claude-code", f"projects/{number}.jsonl", jsonl(entries), ())


def _start(home: Path, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dolphin_logger", "import", str(folder)],
        env=os.environ | {"DOLPHIN_LOGGER_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _written(home: Path) -> list[dict[str, Any]]:
    """Give what lies in the segments; the end of a killed import's last line may be missing."""
    found = []
    for path in import_segments(Home(home)):
        for item in read_segment(path):
            if isinstance(item, StoredRecord):
                found.append(item.fields)
            else:
                assert isinstance(item, BadLine)
                assert item.incomplete, item
    return found


def test_kill_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Killed again and again while it writes, the last import leaves each turn exactly once."""
    home, chance = tmp_path / "home", random.Random(7)
    for number in range(FILES):
        write(tmp_path, _session(number))
    cut = 0
    for _ in range(KILLS):
        process = _start(home, tmp_path / "projects")
        before, wanted = len(_written(home)), chance.randint(1, FILES * TURNS // KILLS)
        while process.poll() is None and len(_written(home)) < before + wanted:
            time.sleep(0.001)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            cut += 1
        process.communicate(timeout=30)
    last = _start(home, tmp_path / "projects")
    errors = last.communicate(timeout=60)[1]
    assert last.returncode == 0, errors
    found = _written(home)
    assert sorted(answers(found)) == sorted(
        f"answer {number}.{turn}" for number in range(FILES) for turn in range(TURNS)
    )
    assert cut >= 3
    assert len(list((home / "archive").rglob("*.zst"))) == FILES
