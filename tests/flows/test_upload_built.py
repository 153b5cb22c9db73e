"""From records to a pull request in one command: it builds, shows, cleans by hand, and survives kills."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.cli.publishing import DEFAULT_REPOSITORY
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import read_labels
from tests.support.hub import Hub, running_hub
from tests.support.uploading import (
    at_terminal,
    digest_of,
    kill_when,
    log_in,
    new_home,
    run,
    write_records,
)

MAIL = "ada@lovelace-analytics.org"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a Hub that has the original's repository; `ann`, an outsider, is logged in."""
    with running_hub(tmp_path / "hub") as hub:
        hub.repository(DEFAULT_REPOSITORY)
        log_in(hub, tmp_path, monkeypatch)
        yield hub


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a home with three chats."""
    made = new_home(tmp_path / "home", monkeypatch)
    write_records(made, "What is Project Nightingale?", f"Write to {MAIL}", "Why is the sky blue?")
    return made


def rows(hub: Hub, export: str, number: int = 1) -> list[Any]:
    """Read the rows of a pull request."""
    revision = f"refs/pr/{number}"
    found = []
    for path in hub.repositories[DEFAULT_REPOSITORY].tree(revision):
        if path.startswith(f"data/{export}/"):
            lines = hub.content(DEFAULT_REPOSITORY, path, revision).decode().splitlines()
            found += [json.loads(line) for line in lines]
    return found


def test_the_originals_command_builds_shows_and_sends(hub: Hub, home: Home) -> None:
    """`--upload` alone: the default dataset is built, the default repository is named and public."""
    reviewed = run("--upload", "--license", "mit", code=6)
    assert f"{DEFAULT_REPOSITORY} (PUBLIC" in reviewed.stdout
    assert "the default of the original" in reviewed.stdout
    assert "3 conversations" in reviewed.stdout
    sent = run("--upload", "--confirm", digest_of(reviewed))
    assert sent.stdout.splitlines()[-1].endswith("/discussions/1")
    assert len(rows(hub, "messages")) == 3
    assert MAIL not in str(rows(hub, "messages"))
    assert (home.datasets / "sft" / "manifest.json").exists()


def test_the_originals_form_is_cleaned_too(hub: Hub, home: Home) -> None:
    """`--format log` sends lines of request and response, without what must not leave."""
    reviewed = run("upload", "--format", "log", "--license", "mit", code=6)
    run("upload", "--format", "log", "--confirm", digest_of(reviewed))
    found = rows(hub, "log")
    assert len(found) == 3
    assert all(set(row) == {"request", "response"} for row in found)
    assert MAIL not in str(found)
    assert "<EMAIL_1>" in str(found)
    del home


def test_a_text_is_taken_out_by_hand_in_the_review(hub: Hub, home: Home) -> None:
    """`redact TEXT` marks the conversations, builds again, and shows another hash."""
    answers = ["mit", "redact Project Nightingale", "DIGITS"]
    code, screen = at_terminal(home, ["upload"], answers)
    assert code == 0, screen
    assert "Nightingale" not in str(rows(hub, "messages"))
    assert len(rows(hub, "messages")) == 3
    labels = read_labels(home)
    kinds = [label.kind for one in labels.records() for label in labels.in_force(one)]
    assert kinds == ["redact"]


MOMENTS = {
    "reading what is there": "GET .*/tree/",
    "looking for pull requests": "GET .*/discussions",
    "opening one": "POST .*/discussions$",
    "sending files": "POST .*/preupload/",
    "committing": "POST .*/commit/",
    "reading back": "GET .*/commits/",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_anywhere_ends_in_the_same_pull_request(hub: Hub, home: Home, moment: str) -> None:
    """Kill -9 of `upload` behind each step; the same command again: one pull request, all rows."""
    digest = digest_of(run("upload", "--license", "mit", code=6))
    before = hub.count(MOMENTS[moment])
    hub.fail(MOMENTS[moment], 500, after=True, hang=600.0)
    arguments = ["upload", "--confirm", digest]
    kill_when(arguments, home.path, lambda: hub.count(MOMENTS[moment]) > before)
    hub.release()
    sent = run(*arguments)
    assert sent.stdout.splitlines()[-1].endswith("/discussions/1")
    assert len(hub.repositories[DEFAULT_REPOSITORY].discussions) == 1
    assert len(rows(hub, "messages")) == 3


def test_a_kill_while_it_builds_changes_nothing(hub: Hub, home: Home) -> None:
    """Kill -9 of `upload` while it builds what is to go up; again, and the hash is the same."""
    first = digest_of(run("upload", "--license", "mit", "--dry-run"))
    import shutil

    shutil.rmtree(home.datasets / "sft")
    building = home.datasets / ".sft.building"
    kill_when(["upload"], home.path, building.exists)
    assert digest_of(run("upload", code=6)) == first
    assert not hub.repositories[DEFAULT_REPOSITORY].discussions
