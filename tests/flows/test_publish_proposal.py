"""Confirmed files become exactly one draft pull request, whatever goes wrong on the way."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from dolphin_logger.errors import HubError
from dolphin_logger.publish import proposal as proposals
from tests.support.hub import Hub, running_hub
from tests.support.proposer import propose

NAME = "org/data"
FILES = {
    "README.md": b"---\nlicense: mit\n---\nA card.\n",
    "data/messages/train-1.jsonl": b'{"messages":[]}\n' * 5000,
    "data/messages/train-2.jsonl": b'{"messages":[1]}\n' * 5000,
    "contributions/1.json": b"{}",
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a Hub with a repository of `org` and an outsider, `ann`; waits are short."""
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(proposals.Proposal, "_waits", lambda _: [0.05] * 3)
    with running_hub(tmp_path / "hub") as hub:
        hub.repository(NAME, writers={"org"})
        hub.user("ann")
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the files that are to go up."""
    root = tmp_path / "files"
    for path, data in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def holds_exactly(hub: Hub, tmp_path: Path, revision: str = "refs/pr/1") -> bool:
    """Read a revision back with the Hub's own client and compare every byte."""
    api = HfApi(endpoint=hub.url, token="hf_anntoken")
    where = Path(
        api.snapshot_download(
            NAME, repo_type="dataset", revision=revision, local_dir=tmp_path / "back"
        )
    )
    found = {
        path.relative_to(where).as_posix(): path.read_bytes()
        for path in where.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }
    return found == FILES


def run(hub: Hub, folder: Path, tmp_path: Path, **more: object) -> str:
    """Propose; give the pull request's URL."""
    pull = propose(hub.url, "hf_anntoken", NAME, folder, tmp_path / "state.json", **more)  # type: ignore[arg-type]
    return pull.url


def test_an_outsider_proposes(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """One draft pull request holds every byte; all of them were told as progress; again is nothing new."""
    sent: list[int] = []
    url = run(hub, folder, tmp_path, sent=sent)
    assert url == f"{hub.url}/datasets/{NAME}/discussions/1"
    assert hub.repositories[NAME].discussions[1].status == "draft"
    assert sum(sent) == sum(map(len, FILES.values()))
    assert holds_exactly(hub, tmp_path)
    commits = hub.count("POST .*/commit/")
    assert run(hub, folder, tmp_path) == url
    assert hub.count("POST .*/commit/") == commits
    assert len(hub.repositories[NAME].discussions) == 1


@pytest.mark.parametrize(
    ("where", "how"),
    [
        ("POST .*/discussions$", {"status": 504, "after": True}),
        ("POST .*/discussions$", {"status": 0, "after": True}),
        ("POST .*/discussions$", {"status": 502}),
        ("POST .*/commit/", {"status": 504, "after": True}),
        ("POST .*/commit/", {"status": 0, "after": True}),
        ("POST .*/commit/", {"status": 500}),
        ("POST .*/commit/", {"status": 429, "headers": {"Retry-After": "0"}}),
        ("POST .*/commit/", {"status": 413}),
    ],
)
def test_what_fails_is_looked_after(
    hub: Hub, folder: Path, tmp_path: Path, where: str, how: dict[str, object]
) -> None:
    """Late and early failures end in one pull request with exactly the confirmed bytes."""
    hub.fail(where, **how)  # type: ignore[arg-type]
    run(hub, folder, tmp_path, said=[])
    assert len(hub.repositories[NAME].discussions) == 1
    assert holds_exactly(hub, tmp_path)


STEPS = [
    "POST .*/discussions$",
    "GET .*/discussions/1",
    "GET .*/tree/",
    "POST .*/preupload/",
    "GET .*/xet-write-token/",
    "POST .*/validate-yaml",
    "POST .*/commit/",
    "GET .*/commits/",
]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("where", STEPS)
def test_a_kill_at_any_step_resumes(
    hub: Hub, folder: Path, tmp_path: Path, where: str, after: bool
) -> None:
    """Kill -9 before or behind any step, then the same command: the same single pull request."""
    hub.fail(where, 500, after=after, hang=600.0)
    program = [sys.executable, "-m", "tests.support.proposer", hub.url, "hf_anntoken", NAME]
    process = subprocess.Popen(
        [*program, str(folder), str(tmp_path / "state.json")],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "HF_HOME": str(tmp_path / "hf")},
        start_new_session=True,
    )
    while not hub.count(where):
        assert process.poll() is None, "it ended before it came there"
        time.sleep(0.02)
    os.killpg(process.pid, 9)
    process.wait()
    hub.release()
    run(hub, folder, tmp_path)
    assert len(hub.repositories[NAME].discussions) == 1
    assert holds_exactly(hub, tmp_path)


def test_a_stall_of_xet_is_given_up(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """When nothing moves with Xet, the sender is ended and LFS is used."""
    hub.fail("GET .*/xet-write-token/", 500, hang=600.0)
    run(hub, folder, tmp_path, patience=4.0)
    assert hub.count("PUT /lfs-store/") == 2
    assert holds_exactly(hub, tmp_path)


def test_a_hub_without_xet_gets_lfs(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """Where the Hub has no Xet, large files go through LFS without being told to."""
    hub.xet = False
    run(hub, folder, tmp_path)
    assert hub.count("PUT /lfs-store/") == 2
    assert holds_exactly(hub, tmp_path)


def test_outsiders_large_files(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """Where the Hub refuses an outsider's large files, the message offers the user's own repository."""
    hub.takes_outsiders_files = False
    with pytest.raises(HubError, match=r"403.*--repo <you>/<name> --create"):
        run(hub, folder, tmp_path)
    assert len(hub.repositories[NAME].discussions) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "HF_TOKEN"),
        (403, "write access"),
        (404, "--create"),
        (409, "run `dolphin-logger upload`"),
    ],
)
def test_refusals_say_what_to_do(
    hub: Hub, folder: Path, tmp_path: Path, status: int, words: str
) -> None:
    """A refusal names the status, the repository and the cure, and no token."""
    hub.fail("POST .*/discussions$", status)
    with pytest.raises(HubError) as caught:
        run(hub, folder, tmp_path)
    assert caught.value.status == status
    assert words in str(caught.value)
    assert NAME in str(caught.value)
    assert "hf_ann" not in str(caught.value)


def test_a_long_limit_is_left_to_the_person(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """A limit of an hour ends the run with the time in the message; running again goes on."""
    hub.fail("POST .*/commit/", 429, headers={"RateLimit": '"api";r=0;t=3000'})
    with pytest.raises(HubError, match="3000 seconds"):
        run(hub, folder, tmp_path)
    run(hub, folder, tmp_path)
    assert len(hub.repositories[NAME].discussions) == 1


def test_a_repository_that_changed_since_the_review(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """What was reviewed over another state of the repository does not go up."""
    base = hub.repositories[NAME].main
    HfApi(endpoint=hub.url, token=hub.user("org")).upload_file(
        path_or_fileobj=b"x", path_in_repo="other", repo_id=NAME, repo_type="dataset"
    )
    with pytest.raises(HubError, match="changed since the review"):
        run(hub, folder, tmp_path, base=base)
    assert not hub.repositories[NAME].discussions


def test_somebody_else_in_our_pull_request(hub: Hub, folder: Path, tmp_path: Path) -> None:
    """A file that was not confirmed makes the run fail, though all of ours is there."""
    run(hub, folder, tmp_path)
    HfApi(endpoint=hub.url, token=hub.user("org")).upload_file(
        path_or_fileobj=b"x",
        path_in_repo="other",
        repo_id=NAME,
        repo_type="dataset",
        revision="refs/pr/1",
        commit_message="slipped in",
    )
    with pytest.raises(HubError):
        run(hub, folder, tmp_path)


def test_the_digest_covers_every_byte_and_path(folder: Path) -> None:
    """The hash changes with a byte, a name and a deletion; it is that of the sorted list."""
    from dolphin_logger.publish.changes import read_changes

    first = read_changes(folder)
    lines = "".join(
        f"{path}\t{len(data)}\t{hashlib.sha256(data).hexdigest()}\n"
        for path, data in sorted(FILES.items())
    )
    assert first.digest == "sha256:" + hashlib.sha256(lines.encode()).hexdigest()
    assert read_changes(folder, deletions=["a"]).digest != first.digest
    (folder / "README.md").write_bytes(FILES["README.md"].replace(b"A", b"B"))
    assert read_changes(folder).digest != first.digest
