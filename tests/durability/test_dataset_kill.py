"""Kill -9 and Ctrl-C during a build: no half of a dataset, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.built import command, tree
from tests.support.chats import Chats, assistant, user
from tests.support.proxy import wait_for

CONVERSATIONS = 64
BUCKETS = 64
MARK = b"made by an earlier run"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Record conversations with much to search in."""
    chats = Chats(tmp_path / "home")
    for number in range(CONVERSATIONS):
        text = " ".join(f"word{number}x{place} 10.{place % 250}.3.4" for place in range(120))
        question = user(f"question {number} {text}")
        answer = assistant(f"answer {number} {text}")
        chats.ask(question, answer=answer)
        chats.ask(question, answer, user("and then?"), answer=assistant(f"the end {number}"))
    chats.journal.close()
    return tmp_path / "home"


def _start(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dolphin_logger", "dataset", "build", *arguments],
        env=os.environ | {"DOLPHIN_LOGGER_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _parts(home: Path) -> list[Path]:
    return sorted((home / "datasets" / ".sft.building" / "parts").glob("bucket-*"))


def _children(pid: int) -> set[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(one) for one in found.read_text().split()} if found.exists() else set()


def _is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def _stop_within(process: subprocess.Popen[bytes], home: Path, kill: signal.Signals) -> set[int]:
    """Send a signal once some parts are there, but not all; give the processes that it had."""
    while process.poll() is None and not _parts(home):
        time.sleep(0.001)
    children = _children(process.pid)
    process.send_signal(kill)
    return children


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_build_goes_on(home: Path, workers: str) -> None:
    """Nothing of a dataset is there; what was finished is kept, and the bytes are those of one run."""
    assert command(home, "build", "--name", "whole").returncode == 0
    process = _start(home, "--workers", workers)
    children = _stop_within(process, home, signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert not (home / "datasets" / "sft").exists()
    wait_for(lambda: not any(map(_is_alive, children)), what="the end of its processes")
    kept = {path.name: path.stat().st_ino for path in _parts(home)}
    assert 0 < len(kept) < BUCKETS
    marked = _parts(home)[0]
    marked.write_bytes(marked.read_bytes().replace(b"the end", MARK))
    done = command(home, "build", "--workers", workers)
    assert done.returncode == 0, done.stderr
    built, whole = tree(home / "datasets" / "sft"), tree(home / "datasets" / "whole")
    data = built.pop("data/messages/train-00000-of-00001.jsonl")
    assert data.count(MARK) >= 1  # the part of the killed run was taken as it was
    assert data.replace(MARK, b"the end") == whole.pop("data/messages/train-00000-of-00001.jsonl")
    del built["manifest.json"], whole["manifest.json"]  # name and sums differ
    assert built == whole
    assert not (home / "datasets" / ".sft.building").exists()


@pytest.mark.parametrize("change", ["recipe", "label", "fresh"])
def test_work_of_another_build_is_not_taken(home: Path, tmp_path: Path, change: str) -> None:
    """With another recipe or a new label, or when told so, nothing of a killed build is used."""
    process = _start(home, "--workers", "1")
    _stop_within(process, home, signal.SIGKILL)
    process.communicate(timeout=30)
    marked = _parts(home)[0]
    marked.write_bytes(marked.read_bytes().replace(b"the end", MARK))
    again = ["build"]
    if change == "recipe":
        path = tmp_path / "sft.toml"
        path.write_text('extends = "sft"\nreasoning = false\n')
        again += [str(path)]
    elif change == "label":
        first = next((home / "logs").glob("*.jsonl")).read_bytes().split(b'"id":"')[1][:36]
        argv = [sys.executable, "-m", "dolphin_logger", "note", first.decode(), "read"]
        env = os.environ | {"DOLPHIN_LOGGER_HOME": str(home)}
        subprocess.run(argv, env=env, check=True, capture_output=True)
    else:
        again += ["--fresh"]
    done = command(home, *again)
    assert done.returncode == 0, done.stderr
    data = tree(home / "datasets" / "sft")["data/messages/train-00000-of-00001.jsonl"]
    assert MARK not in data
    assert data.count(b"the end") == CONVERSATIONS


def test_ctrl_c_leaves_no_dataset_and_no_process(home: Path) -> None:
    """Interrupted, the command exits with 130 and says no traceback; an older dataset stays."""
    assert command(home, "build").returncode == 0
    before = tree(home / "datasets" / "sft")
    shutil.rmtree(home / "datasets" / ".sft.building", ignore_errors=True)
    process = _start(home, "--workers", "2")
    children = _stop_within(process, home, signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    wait_for(lambda: not any(map(_is_alive, children)), what="the end of its processes")
    assert tree(home / "datasets" / "sft") == before
