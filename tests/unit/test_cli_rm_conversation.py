"""`rm` of a whole conversation: every record of it, and none of another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.homes import write_segment
from tests.support.indexed import session

from dolphin_logger.cli import main
from dolphin_logger.journal.home import Home


@pytest.fixture
def ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Two sessions, over two segments."""
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path))
    home = Home(tmp_path)
    first, second = list(session("alpha", turns=4)), list(session("beta", turns=2, start=10))
    write_segment(home, 1, *[line for _, line in first[:2]], *[line for _, line in second])
    write_segment(home, 2, *[line for _, line in first[2:]])
    return {"alpha": [name for name, _ in first], "beta": [name for name, _ in second]}


def run(*arguments: str) -> str:
    """Run a command that succeeds."""
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


def conversations() -> list[str]:
    """List the conversations."""
    return [one["id"] for one in json.loads(run("ls", "--json"))["conversations"]]


def test_a_conversation_goes_with_all_of_its_records(ids: dict[str, list[str]], tmp_path: Path):
    """Text, search and list: nothing of it is left; the other one is whole."""
    alpha, beta = ids["alpha"][0], ids["beta"][0]
    assert sorted(conversations()) == sorted([alpha, beta])
    removed = json.loads(run("rm", alpha[-8:], "--yes", "--json"))["removed"]
    assert sorted(removed) == sorted(ids["alpha"])
    assert conversations() == [beta]
    assert json.loads(run("search", "alpha", "--json"))["hits"] == []
    assert len(json.loads(run("search", "beta", "--json"))["hits"]) > 1
    lines = b"".join(path.read_bytes() for path in (tmp_path / "logs").iterdir())
    assert b"Do the task alpha" not in lines
    assert lines.count(b"Do the task beta") == 2


def test_one_record_goes_alone(ids: dict[str, list[str]]):
    """By its own id, or with --record where its id is the conversation's, too."""
    first, second, *_ = ids["alpha"]
    assert json.loads(run("rm", second, "--yes", "--json"))["removed"] == [second]
    assert json.loads(run("rm", first, "--record", "--yes", "--json"))["removed"] == [first]
    assert len(conversations()) == 2
