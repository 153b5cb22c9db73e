"""`upload`: what is shown is what is sent, only what is new goes up, and what was taken back stays out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from dolphin_logger.journal.home import Home
from dolphin_logger.publish.changes import Changes
from dolphin_logger.publish.review import holding
from dolphin_logger.publish.staging import Staged
from tests.support.datasets import conversation, row, write_dataset
from tests.support.hub import Hub, running_hub
from tests.support.uploading import at_terminal, log_in, new_home, run

NAME = "org/data"
IMAGE = "ab" * 32 + ".png"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a Hub; `ann`, an outsider, is logged in."""
    with running_hub(tmp_path / "hub") as hub:
        hub.repository(NAME, writers={"org"})
        log_in(hub, tmp_path, monkeypatch)
        yield hub


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a home whose configuration holds one key."""
    return new_home(tmp_path / "home", monkeypatch)


def upload(*arguments: str) -> str:
    """Review, confirm, send; give the pull request's URL."""
    reviewed = run("upload", "--repo", NAME, "--license", "cc-by-4.0", *arguments, code=6)
    digest = re.search(r"sha256:[0-9a-f]{64}", reviewed.stdout)
    assert digest is not None
    sent = run("upload", "--repo", NAME, "--confirm", digest[0], *arguments)
    return sent.stdout.splitlines()[-1]


def rows_of(hub: Hub, tmp_path: Path, revision: str, export: str = "messages") -> list[Any]:
    """Read the rows of an export as `datasets` does, at a revision."""
    api = HfApi(endpoint=hub.url, token="hf_orgtoken")
    folder = tmp_path / "read" / revision.replace("/", "-")
    hub.user("org")
    api.snapshot_download(NAME, repo_type="dataset", revision=revision, local_dir=folder)
    found = []
    for path in sorted((folder / "data" / export).glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return found


def pairs(*numbers: int, said: str = "hello") -> list[tuple[str, Any]]:
    """Make rows with their conversations."""
    return [(conversation(number), row(number, said)) for number in numbers]


def test_without_a_terminal_nothing_goes_up_before_its_hash_is_confirmed(
    hub: Hub, home: Home
) -> None:
    """The review is printed, the exit is 6, the command to confirm is shown, the Hub is untouched."""
    write_dataset(home, "sft", {"messages": pairs(1, 2)})
    result = run("upload", "--repo", NAME, "--license", "mit", code=6)
    for words in (
        NAME,
        "PUBLIC",
        "outsider",
        "2 conversations",
        "gpt-4.1",
        "email 2",
        "2026-11-20",
    ):
        assert words in result.stdout
    assert re.search(r"upload --repo org/data --confirm sha256:[0-9a-f]{64}", result.stderr)
    assert not hub.repositories[NAME].discussions
    run("upload", "--repo", NAME, "--confirm", "sha256:" + "0" * 64, code=6)
    assert not hub.repositories[NAME].discussions


def test_what_is_confirmed_is_what_is_there(hub: Hub, home: Home, tmp_path: Path) -> None:
    """One draft pull request, its URL the last line; rows, card and plots are there, nothing local."""
    write_dataset(home, "sft", {"messages": pairs(1, 2), "openai": pairs(1)})
    url = upload()
    assert url == f"{hub.url}/datasets/{NAME}/discussions/1"
    assert hub.repositories[NAME].discussions[1].status == "draft"
    tree = hub.repositories[NAME].tree("refs/pr/1")
    assert rows_of(hub, tmp_path, "refs/pr/1") == [row(1), row(2)]
    assert {path.split("/")[0] for path in tree} == {"README.md", "assets", "contributions", "data"}
    card = hub.content(NAME, "README.md", "refs/pr/1").decode()
    assert "license: cc-by-4.0" in card
    assert "`gpt-4.1`" in card


def test_again_nothing_new_and_then_only_what_is_new(hub: Hub, home: Home, tmp_path: Path) -> None:
    """What waits in a pull request or was merged is not sent again; new rows go into new files."""
    write_dataset(home, "sft", {"messages": pairs(1, 2)})
    url = upload()
    again = run("upload", "--repo", NAME)
    assert again.stdout.splitlines() == [url]
    write_dataset(home, "sft", {"messages": pairs(1, 2, 3)})
    second = upload()
    assert second.endswith("/2")
    hub.repositories[NAME].merge(1)
    hub.repositories[NAME].merge(2)
    assert sorted(map(str, rows_of(hub, tmp_path, "main"))) == sorted(
        str(row(number)) for number in (1, 2, 3)
    )
    assert "nothing new" in run("upload", "--repo", NAME).stderr


def test_a_conversation_that_went_on_takes_the_place_of_its_beginning(
    hub: Hub, home: Home, tmp_path: Path
) -> None:
    """The row that was published before is replaced, not doubled."""
    write_dataset(home, "sft", {"messages": pairs(1, 2)})
    upload()
    hub.repositories[NAME].merge(1)
    grown = [*pairs(1, said="hello, and more"), *pairs(2)]
    write_dataset(home, "sft", {"messages": grown})
    upload()
    hub.repositories[NAME].merge(2)
    assert rows_of(hub, tmp_path, "main") == [row(2), row(1, "hello, and more")] or rows_of(
        hub, tmp_path, "main"
    ) == [row(1, "hello, and more"), row(2)]


def test_two_contributors_never_conflict(
    hub: Hub, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pull requests of two machines over the same empty state are both merged, and hold all rows."""
    write_dataset(home, "sft", {"messages": pairs(1)})
    upload()
    write_dataset(home, "sft", {"messages": pairs(1, 2)})
    upload()
    other = new_home(tmp_path / "other", monkeypatch)
    monkeypatch.setenv("HF_TOKEN", hub.user("bob"))
    write_dataset(other, "sft", {"messages": pairs(7)})
    upload()
    for number in (1, 2, 3):
        hub.repositories[NAME].merge(number)
    asked = [one["messages"][0]["content"] for one in rows_of(hub, tmp_path, "main")]
    assert sorted(asked) == ["question 1", "question 2", "question 7"]


def test_withdrawn_conversations_go_and_stay_out(hub: Hub, home: Home, tmp_path: Path) -> None:
    """A pull request removes the rows, also such that do not name their conversation; they stay out."""
    plain = [(conversation(1), {"messages": row(1)["messages"], "tools": []})]
    write_dataset(home, "sft", {"messages": pairs(1, 2), "openai": plain})
    upload()
    hub.repositories[NAME].merge(1)
    asked = ("dataset", "withdraw", conversation(1), "--repo", NAME)
    reviewed = run(*asked, code=6)
    digest = re.search(r"sha256:[0-9a-f]{64}", reviewed.stdout)
    assert digest is not None
    run(*asked, "--confirm", digest[0])
    hub.repositories[NAME].merge(2)
    assert rows_of(hub, tmp_path, "main") == [row(2)]
    assert not [path for path in hub.repositories[NAME].tree("main") if "openai" in path]
    assert "nothing new" in run("upload", "--repo", NAME).stderr


def test_carried_rows_are_cleaned_under_todays_rules(
    hub: Hub, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that this machine knows today is taken out of rows that went up before."""
    secret = "correct-horse-battery-staple-9431"
    write_dataset(home, "sft", {"messages": pairs(1, said=f"use {secret} to log in")})
    upload()
    hub.repositories[NAME].merge(1)
    monkeypatch.setenv("STAGING_API_KEY", secret)
    url = upload()
    assert url.endswith("/2")
    found = rows_of(hub, tmp_path, "refs/pr/2")
    assert secret not in str(found)
    assert found[0]["messages"][0] == row(1)["messages"][0]
    assert secret.encode() not in hub.content(NAME, "README.md", "refs/pr/2")


def test_a_row_that_holds_a_secret_now_is_not_sent(
    hub: Hub, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataset that was built before a secret was known is refused until it is built again."""
    secret = "correct-horse-battery-staple-9431"
    write_dataset(home, "sft", {"messages": pairs(1, said=secret)})
    monkeypatch.setenv("STAGING_API_KEY", secret)
    result = run("upload", "--repo", NAME, "--license", "mit", code=6)
    assert "dataset build" in result.stderr
    assert secret not in result.output
    assert not hub.repositories[NAME].discussions


def test_findings_in_others_rows_are_reported_and_left(
    hub: Hub, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another contributor's rows are scanned, named, and never changed."""
    other = new_home(tmp_path / "other", monkeypatch)
    write_dataset(
        other, "sft", {"messages": pairs(9, said="ask correct-horse-battery-staple-9431")}
    )
    monkeypatch.setenv("HF_TOKEN", hub.user("bob"))
    upload()
    hub.repositories[NAME].merge(1)
    monkeypatch.setenv("STAGING_API_KEY", "correct-horse-battery-staple-9431")
    monkeypatch.setenv("HF_TOKEN", hub.user("ann"))
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(home.path))
    write_dataset(home, "sft", {"messages": pairs(1)})
    result = run("upload", "--repo", NAME, "--license", "mit", "--dry-run")
    assert "of others" in result.stdout
    assert not [
        path
        for path in hub.requests
        if "discussions" in path
        and path.startswith("POST")
        and hub.count("POST .*/discussions$") > 1
    ]


def test_our_own_repository(hub: Hub, home: Home) -> None:
    """--create makes it, private; --public has to be said; an existing one is taken as it is."""
    write_dataset(home, "sft", {"messages": pairs(1)})
    missing = run("upload", "--repo", "ann/chats", "--license", "mit", code=1)
    assert "--create" in missing.stderr
    dry = run("upload", "--repo", "ann/chats", "--license", "mit", "--create", "--dry-run")
    assert "private, will be created" in dry.stdout
    assert "ann/chats" not in hub.repositories
    digest = re.search(r"sha256:[0-9a-f]{64}", dry.stdout)
    assert digest is not None
    run("upload", "--repo", "ann/chats", "--create", "--confirm", digest[0])
    assert hub.repositories["ann/chats"].private
    assert hub.repositories["ann/chats"].discussions[1].status == "draft"


def test_demo_rows_never_leave(hub: Hub, home: Home) -> None:
    """A dataset with answers of the built-in model is refused."""
    write_dataset(home, "demo", {"messages": pairs(1)}, publishable=False)
    result = run("upload", "--repo", NAME, "--license", "mit", "--dataset", "demo", code=6)
    assert "must not leave" in result.stderr
    del hub


def test_a_file_that_changed_since_it_was_built(hub: Hub, home: Home) -> None:
    """Bytes that are not those that were built, and so not those that were scanned, do not go up."""
    folder = write_dataset(home, "sft", {"messages": pairs(1)})
    path = next((folder / "data" / "messages").iterdir())
    path.write_bytes(path.read_bytes() + b"{}\n")
    result = run("upload", "--repo", NAME, "--license", "mit", code=1)
    assert "changed since it was built" in result.stderr
    del hub


def test_parquet_traces_and_images(hub: Hub, home: Home, tmp_path: Path) -> None:
    """Parquet shards, sessions in files of their own and the pictures that rows name go up too."""
    picture = row(1)
    picture["messages"][0]["content"] = [{"type": "image", "image": f"images/{IMAGE}"}]
    session = [{"type": "session", "version": 3, "id": "s"}, {"type": "message", "id": "m"}]
    exports = {"messages": [(conversation(1), picture)], "traces": [(conversation(1), session)]}
    write_dataset(home, "sft", exports, form="parquet", images={IMAGE: b"\x89PNG"})
    upload()
    tree = hub.repositories[NAME].tree("refs/pr/1")
    assert f"images/{IMAGE}" in tree
    assert (
        len(
            [
                path
                for path in tree
                if path.startswith("data/messages/train-") and path.endswith(".parquet")
            ]
        )
        == 1
    )
    assert rows_of(hub, tmp_path, "refs/pr/1", "traces") == session
    assert "agent-traces" in hub.content(NAME, "README.md", "refs/pr/1").decode()


def test_pull_compares_what_is_there_with_what_is_here(hub: Hub, home: Home) -> None:
    """`dataset pull` reads a revision back and counts rows in both, only there, only here."""
    write_dataset(home, "sft", {"messages": pairs(1, 2)})
    upload()
    write_dataset(home, "sft", {"messages": pairs(2, 3)})
    write_dataset(home, "the-same-again", {"messages": pairs(2, 3)})
    result = run("dataset", "pull", "--repo", NAME, "--revision", "refs/pr/1", "--json")
    assert json.loads(result.stdout)["exports"] == {"messages": {"both": 1, "there": 1, "here": 1}}
    del hub


def test_no_token_and_a_bad_one(hub: Hub, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are 4, say what to set, and show no token."""
    write_dataset(home, "sft", {"messages": pairs(1)})
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    result = run("upload", "--repo", NAME, "--license", "mit", code=4)
    assert "HF_TOKEN" in result.stderr
    assert "hf_wrong" not in result.output
    monkeypatch.delenv("HF_TOKEN")
    assert "HF_TOKEN" in run("upload", "--repo", NAME, "--license", "mit", code=4).stderr
    del hub


def test_at_a_terminal_a_person_types_the_digits(hub: Hub, home: Home) -> None:
    """The license is asked once; the first digits of the hash are the yes; anything else is a no."""
    write_dataset(home, "sft", {"messages": pairs(1, 2)})
    code, screen = at_terminal(home, ["upload", "--repo", NAME], ["mit", "no"])
    assert code == 6, screen
    assert not hub.repositories[NAME].discussions
    code, screen = at_terminal(home, ["upload", "--repo", NAME], ["DIGITS"])
    assert code == 0, screen
    assert screen.rstrip().endswith("/discussions/1")


def test_a_text_is_found_in_rows_that_do_not_name_their_conversation(home: Home) -> None:
    """`redact TEXT` marks the conversation of a pair or a plain row too."""
    files = {}
    for name, said in (("openai", "alpha"), ("preference", "beta")):
        path = home.path / f"{name}.jsonl"
        path.write_text(json.dumps({"prompt": said}) + "\n" + json.dumps({"prompt": "x"}) + "\n")
        files[path] = (f"{name}-1", f"{name}-2")
    session = home.path / "session.jsonl"
    session.write_text('{"a": "x"}\n{"a": "beta"}\n')
    staged = Staged(Changes(()), "", whose={**files, session: ("session",)})
    assert list(holding(staged, "beta")) == ["preference-1", "session"]
    assert list(holding(staged, "x")) == ["openai-2", "preference-2", "session"]
