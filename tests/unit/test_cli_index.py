"""Asking the index from the command line: search, conversations, roll-ups, upkeep."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.homes import write_segment
from tests.support.indexed import session, turn

from dolphin_logger import cli
from dolphin_logger.index.freshness import catch_up
from dolphin_logger.index.schema import index_path, lock_path
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.locks import try_lock


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Two sessions, and the command line pointed at them, in UTC."""
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path))
    home = Home(tmp_path)
    write_segment(home, 1, *[line for _, line in session("alpha", turns=3)])
    write_segment(home, 2, *[line for _, line in session("beta", turns=2, start=20)])
    return home


def run(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.main, arguments)


def told(*arguments: str) -> dict[str, object]:
    """Run a command that prints JSON."""
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_search_prints_what_it_finds(home: Home) -> None:
    """One heading and a line a hit for programs, with the count and the way to the next page on stderr."""
    done = run("search", '"step"', "-n", "2")
    heading, first, second = done.stdout.splitlines()
    assert heading.split("\t")[:3] == ["conversation", "record", "time"]
    assert first.split("\t")[3:] == ["assistant", "claude", "Step 1 of beta."]
    assert second.endswith("Step 0 of beta.")
    assert "5 found; the next: --cursor" in done.stderr
    cursor = done.stderr.split()[-1]
    assert "Step 2 of alpha." in run("search", "step", "-n", "2", "--cursor", cursor).stdout


def test_search_as_json(home: Home) -> None:
    """Hits with their ids and spans, an exact count, and how far behind the index is."""
    found = told("search", "beta", "role:user")
    hits = found["hits"]
    assert isinstance(hits, list)
    assert hits[0]["snippet"] == "Do the task beta ."
    assert hits[0]["spans"] == [[12, 16]]
    assert (found["count"], found["partial"]) == ({"number": 1, "exact": True}, False)
    assert found["behind"] == {"bytes": 0, "segments": 0}
    facets = told("search", "--facets", "step")["facets"]
    assert isinstance(facets, dict)
    assert facets["tool"] == [{"value": "Bash", "number": 5, "exact": True}]


@pytest.mark.parametrize("command", ["search", "ls"])
def test_a_query_that_is_not_understood_is_one_line(home: Home, command: str) -> None:
    """The error names the term and what is known; the exit code is 1."""
    done = run(command, "modle:x")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: unknown term modle:x; did you mean model:?")
    assert run(command, "a", "--cursor", "rubbish").exit_code == 1


def test_conversations_are_listed(home: Home) -> None:
    """The latest first, with turns, tokens, cost and title; labels are there at once."""
    listed = told("ls")
    assert listed["schema_version"] == 2
    conversations = listed["conversations"]
    assert isinstance(conversations, list)
    assert [one["title"] for one in conversations] == ["Do the task beta .", "Do the task alpha ."]
    assert (conversations[0]["turns"], conversations[0]["cost_micro_dollars"]) == (2, 9000)
    assert run("rate", conversations[1]["id"], "5").exit_code == 0
    assert [one["rating"] for one in told("ls", "rating:5")["conversations"]] == [5]  # type: ignore[attr-defined]
    cells = run("ls", "beta").stdout.splitlines()[1].split("\t")
    assert cells[2:7] == ["2", "claude, claude-3-7-sonnet-latest", "2000", "200", "$0.0090"]


def test_stats_come_from_sums(home: Home) -> None:
    """Requests, cost and errors by day, model, client, provider and outcome."""
    counted = told("stats")
    assert counted["by"]["provider"] == {"anthropic": 5}  # type: ignore[index]
    assert counted["cost"] == {"micro_dollars": 22_500, "unknown": 0}
    assert "total\tcost_micro_dollars\t22500" in run("stats").stdout


def test_an_index_that_is_behind_says_so(home: Home) -> None:
    """While another process writes the index, questions are answered from what is there, with a note."""
    catch_up(home)
    write_segment(home, 3, turn(50, [{"role": "user", "content": "newer"}], {})[1])
    descriptor = os.open(lock_path(home), os.O_RDWR)
    assert try_lock(descriptor)
    done = run("search", "newer")
    assert len(done.stdout.splitlines()) == 1
    assert "MiB behind" in done.stderr
    assert run("index", "rebuild").exit_code == 1
    os.close(descriptor)
    assert len(run("search", "newer").stdout.splitlines()) == 2


def test_the_index_can_be_made_anew(home: Home) -> None:
    """A damaged index is an error with its cure, and the cure works."""
    assert told("index", "status")["records"] == 0
    assert "5 records" in run("index", "rebuild").stderr
    status = told("index", "status")
    assert (status["records"], status["conversations"]) == (5, 2)
    index_path(home).write_bytes(b"not a database, but long enough to be taken for one" * 100)
    done = run("search", "step")
    assert done.exit_code == 1
    assert "index rebuild" in done.stderr
    assert run("index", "rebuild").exit_code == 0
    assert len(run("search", "step").stdout.splitlines()) == 6
    assert index_path(home).stat().st_mode & 0o777 == 0o600
