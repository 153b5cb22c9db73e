"""What tests of `upload` share: homes with records, commands in this process, at a terminal, or killed."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dolphin_logger import cli
from dolphin_logger.cli.output import _AGENTS as AGENTS
from dolphin_logger.journal.home import Home
from tests.support.curated import record
from tests.support.homes import write_segment
from tests.support.hub import Hub

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ASKING = re.compile(r"(License of what you publish.*: ?|\r\n> ?)$")


def log_in(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands speak to a Hub, as `ann`, an outsider."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", hub.user("ann"))
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def new_home(path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a home without a model, and let the commands use it."""
    made = Home(path)
    made.prepare()
    made.config.write_text('{"models": []}')
    made.config.chmod(0o600)
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(path))
    return made


def write_records(home: Home, *questions: str) -> None:
    """Record one chat for each question."""
    lines = []
    for number, question in enumerate(questions, 1):
        asked = {"model": "a", "messages": [{"role": "user", "content": question}]}
        message = {"role": "assistant", "content": f"The answer to: {question}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {"id": f"c{number}", "object": "chat.completion", "choices": [choice]}
        lines.append(record(number, asked, answer)[1])
    write_segment(home, 1, *lines)


def run(*arguments: str, code: int = 0) -> Result:
    """Run a command to its end."""
    result = CliRunner().invoke(cli.main, list(arguments), catch_exceptions=False)
    assert result.exit_code == code, result.output + result.stderr
    return result


def digest_of(result: Result) -> str:
    """Give the hash that a review shows."""
    found = DIGEST.search(result.stdout)
    assert found is not None, result.output
    return found[0]


def at_terminal(home: Home, arguments: list[str], answers: list[str]) -> tuple[int, str]:
    """Run a command at a terminal, and type an answer whenever it asks; give exit code and screen.

    `DIGITS` stands for the first digits of the hash that was shown last.
    """
    master, slave = pty.openpty()
    env = {key: value for key, value in os.environ.items() if key not in AGENTS}
    process = subprocess.Popen(
        [sys.executable, "-m", "dolphin_logger", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**env, "TERM": "dumb", "DOLPHIN_LOGGER_HOME": str(home.path)},
    )
    os.close(slave)
    screen, asked = "", 0
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not data:
            break
        screen += data.decode(errors="replace")
        if _ASKING.search(screen[asked:]) and answers:
            asked = len(screen)
            digits = re.findall(r"confirm     sha256:([0-9a-f]{6})", screen)
            typed = answers.pop(0).replace("DIGITS", digits[-1] if digits else "")
            os.write(master, typed.encode() + b"\n")
    os.close(master)
    return process.wait(60), screen


def kill_when(arguments: list[str], home: Path, is_there: Callable[[], Any]) -> None:
    """Start a command in a process group of its own, and kill -9 all of it when something is there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dolphin_logger", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "DOLPHIN_LOGGER_HOME": str(home)},
        start_new_session=True,
    )
    from tests.support.proxy import wait_for

    wait_for(lambda: is_there() or process.poll() is not None, what="the moment to kill")
    assert process.poll() is None, "it ended before it came there"
    os.killpg(process.pid, 9)
    process.wait()
