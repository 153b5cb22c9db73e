"""The Hub that tests publish to keeps the rules of the real one, as its own client meets them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.support.hub import Hub, running_hub

NAME = "org/data"
BIG = bytes(range(256)) * 1200


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a Hub with one repository, of `org`."""
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    with running_hub(tmp_path / "hub") as hub:
        hub.repository(NAME, writers={"org"})
        yield hub


def client(hub: Hub, name: str) -> HfApi:
    """Log a new user in."""
    return HfApi(endpoint=hub.url, token=hub.user(name))


def commit(api: HfApi, revision: str, files: dict[str, bytes], **more: str) -> str:
    """Commit files; give the commit."""
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    made = api.create_commit(
        NAME, operations, commit_message="add", repo_type="dataset", revision=revision, **more
    )
    return str(made.oid)


def status_of(call: object) -> int:
    """Give the status with which the Hub refuses."""
    with pytest.raises(HfHubHTTPError) as caught:
        call()  # type: ignore[operator]
    return int(caught.value.response.status_code)


def test_an_outsider_proposes_and_cannot_push(hub: Hub, tmp_path: Path) -> None:
    """An outsider's pull request is a draft that takes commits; main does not."""
    ann = client(hub, "ann")
    pull = ann.create_pull_request(NAME, "Add things", repo_type="dataset")
    assert (pull.status, pull.git_reference) == ("draft", "refs/pr/1")
    commit(ann, "refs/pr/1", {"README.md": b"hello", "data/big.bin": BIG})
    read = ann.hf_hub_download(
        NAME, "data/big.bin", repo_type="dataset", revision="refs/pr/1", local_dir=tmp_path / "read"
    )
    assert Path(read).read_bytes() == BIG
    assert hub.count("xet-write-token") == 1
    assert status_of(lambda: commit(ann, "main", {"a": b"x"})) == 403
    bob = client(hub, "bob")
    assert status_of(lambda: commit(bob, "refs/pr/1", {"a": b"x"})) == 403


def test_a_stale_parent_is_refused(hub: Hub) -> None:
    """A commit that names another parent than the head is refused with 409 and changes nothing."""
    org = client(hub, "org")
    first = hub.repositories[NAME].main
    commit(org, "main", {"a": b"1"}, parent_commit=first)
    assert status_of(lambda: commit(org, "main", {"a": b"2"}, parent_commit=first)) == 409
    assert hub.content(NAME, "a") == b"1"


def test_bad_tokens_and_hidden_repositories(hub: Hub) -> None:
    """An unknown token is 401; what one may not see is not there; a token to read cannot write."""
    hub.repository("org/secret", private=True)
    with pytest.raises(RepositoryNotFoundError):
        client(hub, "ann").dataset_info("org/secret")
    assert status_of(HfApi(endpoint=hub.url, token="hf_nobody").whoami) == 401
    reader = HfApi(endpoint=hub.url, token=hub.user("org", read_only=True))
    call = lambda: reader.create_pull_request(NAME, "Add things", repo_type="dataset")  # noqa: E731
    assert status_of(call) == 403


def test_a_card_with_a_bad_head_is_refused(hub: Hub) -> None:
    """The client's own check of the card meets the Hub's rules."""
    org = client(hub, "org")
    with pytest.raises(ValueError, match="license"):
        commit(org, "main", {"README.md": b"---\nlicense: nope\n---\n"})
    commit(org, "main", {"README.md": b"---\nlicense: mit\n---\n"})


def test_deleting_and_merging(hub: Hub) -> None:
    """A merge takes in what the pull request changed, and refuses what was changed on both sides."""
    org = client(hub, "org")
    commit(org, "main", {"a": b"1", "b": b"1"})
    for title in ("one", "two"):
        org.create_pull_request(NAME, f"pull {title}", repo_type="dataset")
    delete = [CommitOperationDelete("a")]
    org.create_commit(
        NAME, delete, commit_message="delete", repo_type="dataset", revision="refs/pr/1"
    )
    commit(org, "refs/pr/2", {"a": b"2"})
    hub.repositories[NAME].merge(1)
    assert sorted(hub.repositories[NAME].tree("main")) == ["b"]
    with pytest.raises(Exception, match="conflict in a"):
        hub.repositories[NAME].merge(2)


def test_faults_come_when_told(hub: Hub) -> None:
    """A late failure answers 504 though the commit is there; rate limits name their end."""
    org = client(hub, "org")
    hub.fail("POST .*/commit/", 504, after=True)
    assert status_of(lambda: commit(org, "main", {"a": b"1"})) == 504
    assert hub.content(NAME, "a") == b"1"
    hub.fail("POST .*/discussions", 429, headers={"RateLimit": '"api";r=0;t=7'})
    call = lambda: org.create_pull_request(NAME, "Add things", repo_type="dataset")  # noqa: E731
    assert status_of(call) == 429


def test_large_files_of_outsiders_may_be_refused(hub: Hub) -> None:
    """The Hub may refuse the large files of an outsider with 403, the small ones not."""
    hub.takes_outsiders_files = False
    ann = client(hub, "ann")
    ann.create_pull_request(NAME, "Add things", repo_type="dataset")
    commit(ann, "refs/pr/1", {"small": b"x"})
    with pytest.raises(Exception, match=r"403|Forbidden|Unauthorized|unauthorized"):
        commit(ann, "refs/pr/1", {"big": BIG})


def test_without_xet_large_files_go_through_lfs(hub: Hub, tmp_path: Path) -> None:
    """A client without Xet stores objects by LFS; one that was never stored cannot be committed."""
    import subprocess
    import sys

    hub.xet = False
    token = hub.user("org")
    program = (
        "import sys;from huggingface_hub import HfApi,CommitOperationAdd as Add;"
        "HfApi(endpoint=sys.argv[1],token=sys.argv[2]).create_commit("
        "'org/data',[Add('big.bin',bytes(range(256))*1200)],commit_message='add',repo_type='dataset')"
    )
    env = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program, hub.url, token], env=env, check=True)
    assert hub.content(NAME, "big.bin") == BIG
    assert hub.count("PUT /lfs-store/") == 1
