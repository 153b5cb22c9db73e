"""What strangers put into a repository on the Hub: nothing of it changes what we do, or stops it."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dolphin_logger import cli
from dolphin_logger.curate.manifest import read_manifest
from dolphin_logger.curate.site import Site
from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home
from dolphin_logger.publish.contributions import contributor_of
from dolphin_logger.publish.hub import is_sane
from tests.support.datasets import conversation, row, write_dataset
from tests.support.hub import Hub, running_hub
from tests.support.hub.repository import Blob
from tests.support.uploading import log_in, new_home

NAME = "org/data"
MARKUP = "</code><script>alert(1)</script>\n\n# owned [x](javascript:1)"
Stranger = Callable[[str, bytes], None]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a Hub on which `ann` is logged in, an outsider."""
    with running_hub(tmp_path / "hub") as hub:
        hub.repository(NAME, writers={"org"})
        log_in(hub, tmp_path, monkeypatch)
        yield hub


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Make a home with one dataset."""
    made = new_home(tmp_path / "home", monkeypatch)
    write_dataset(made, "sft", {"messages": [(conversation(1), row(1))]})
    return made


@pytest.fixture
def stranger(hub: Hub) -> Stranger:
    """Give what puts a file into the main branch, as somebody whose pull request was merged."""

    def put(path: str, data: bytes) -> None:
        repository = hub.repositories[NAME]
        tree = {**repository.commits[repository.main].tree, path: Blob(data)}
        repository.main = repository._commit(repository.main, tree, "theirs", "stranger")

    return put


def run(*arguments: str, code: int = 0) -> Result:
    """Run a command to its end."""
    result = CliRunner().invoke(cli.main, list(arguments), catch_exceptions=False)
    assert result.exit_code == code, result.output + result.stderr
    return result


def review() -> Any:
    """Stage everything; give the review."""
    done = run("upload", "--repo", NAME, "--license", "mit", "--dry-run", "--json")
    return json.loads(done.stdout)["review"]


def staged(home: Home, path: str) -> str:
    """Read a staged file."""
    return (home.datasets / ".publications" / "org--data" / "files" / path).read_text()


def given(who: str = "0badc0de", **fields: Any) -> dict[str, Any]:
    """Make a contribution as this program writes it, with fields of a stranger's."""
    return {
        "v": 1,
        "contributor": who,
        "batch": "12345678",
        "tool": "dolphin-logger 1",
        "rules": {"email": "1"},
        "first": "2026-11-20T10:00:00Z",
        "last": "2026-11-20T10:00:00Z",
        "shapes": [
            {
                "name": "messages",
                "unit": "leaf",
                "splits": ["train"],
                "suffix": "jsonl",
                "columns": [["messages", "list<json>"]],
                "is_file_each": False,
            }
        ],
        "summary": {"conversations": 1, "rows": {"messages": 1}},
        "files": [],
    } | fields


SHAPE = given()["shapes"][0]
HOSTILE: dict[str, Any] = {
    "a number for a time": {"first": 5},
    "markup for a time": {"last": MARKUP},
    "markup for a unit": {"shapes": [SHAPE | {"unit": MARKUP}]},
    "code for a name": {"shapes": [SHAPE | {"name": 'x"); import os; ("'}]},
    "a way out for a name": {"shapes": [SHAPE | {"name": "../../x"}]},
    "markup for a version": {"rules": {"email": MARKUP}},
    "markup for a rule": {"rules": {MARKUP: "1"}},
    "numbers without end": {"summary": {"rows": {"messages": 10**4000}, "conversations": 10**4000}},
    "edges that are none": {"summary": {"turns": {"²": 1, "9" * 150: 1}, "tokens": {"x": 1}}},
    "months that are none": {"summary": {"months": {f"{n}": 1 for n in range(50_000)}}},
    "words for counts": {"summary": {"rows": {"messages": "many"}, "turns": {"1": True}}},
    "lists for objects": {"summary": [], "rules": [], "shapes": {}, "files": {}},
    "a name of no contributor": {"contributor": "../../etc"},
}


@pytest.mark.parametrize("fields", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_contribution_neither_stops_nor_enters_what_we_write(
    hub: Hub, home: Home, stranger: Stranger, fields: dict[str, Any]
) -> None:
    """The review comes, and the card has no markup, no code and no giant of theirs."""
    stranger("contributions/0badc0de-12345678.json", json.dumps(given(**fields)).encode())
    assert review()["new"]["conversations"] == 1
    card = staged(home, "README.md")
    assert "script" not in card
    assert "import os" not in card
    assert "../" not in card
    assert "000000000000" not in card
    pictures = list((home.datasets / ".publications" / "org--data" / "files").glob("assets/*"))
    assert sum(one.stat().st_size for one in pictures) < 20_000
    del hub


@pytest.mark.parametrize(
    "data", [b"", b"\xff\x00", b"[" * 100_000, b"null", b"[]", b'{"v":1}', b'"x"']
)
def test_what_is_no_contribution_is_passed_over(
    hub: Hub, home: Home, stranger: Stranger, data: bytes
) -> None:
    """It may be anything."""
    stranger("contributions/0badc0de-12345678.json", data)
    assert review()["new"]["conversations"] == 1
    del hub, home


def test_who_claims_our_name_cannot_have_us_change_others_files(
    hub: Hub, home: Home, stranger: Stranger
) -> None:
    """A contribution under our name lists somebody else's rows and the card: both stay as they are."""
    who = contributor_of(home)
    theirs = json.dumps(row(7, "mail ada@lovelace-analytics.org")).encode() + b"\n"
    stranger("data/messages/train-0badc0de-12345678-00000.jsonl", theirs)
    stranger("README.md", b"# theirs\n")
    files = [
        {"path": path, "export": "messages", "split": "train", "origins": [[conversation(7), "0"]]}
        for path in ("data/messages/train-0badc0de-12345678-00000.jsonl", "README.md")
    ]
    stranger(f"contributions/{who}-12345678.json", json.dumps(given(who, files=files)).encode())
    seen = review()
    assert not seen["deletions"]
    assert not seen["cleaned"]
    assert {one["path"].split("/")[0] for one in seen["files"]} == {"contributions", "data"}
    del hub


def test_rows_that_cannot_be_read_are_named(hub: Hub, home: Home, stranger: Stranger) -> None:
    """Another contributor's broken file stops nobody."""
    path = "data/messages/train-0badc0de-12345678-00000.jsonl"
    files = [{"path": path, "export": "messages", "split": "train", "origins": []}]
    stranger("contributions/0badc0de-12345678.json", json.dumps(given(files=files)).encode())
    for data in (b"<html>\n", b'{"a":' * 5000 + b"\n"):
        stranger(path, data)
        assert review()["unreadable"] == [path]
    told = run("upload", "--repo", NAME, "--license", "mit", "--dry-run").stdout
    assert f"unreadable  {path}" in told
    del hub, home


@pytest.mark.parametrize("card", [b"\xff\xfe\x00", b"x" * (5 << 20)], ids=["no text", "huge"])
def test_a_card_that_nobody_could_mend_is_left(
    hub: Hub, home: Home, stranger: Stranger, card: bytes
) -> None:
    """Rows go up without it."""
    stranger("README.md", card)
    assert "README.md" not in {one["path"] for one in review()["files"]}
    del hub, home


def test_a_strangers_pull_request_does_not_hold_up_what_is_taken_back(hub: Hub, home: Home) -> None:
    """Who proposes to change our file cannot keep us from cleaning it."""
    done = run("upload", "--repo", NAME, "--license", "mit", "--dry-run", "--json")
    digest = json.loads(done.stdout)["review"]["digest"]
    run("upload", "--repo", NAME, "--confirm", digest)
    repository = hub.repositories[NAME]
    repository.merge(1)
    path = next(one for one in repository.tree("main") if one.startswith("data/"))
    pull = repository.discuss(
        "stranger", "Add [000000000000] (dolphin-logger)", "", pull_request=True
    )
    tree = {**repository.commits[pull.head].tree, path: Blob(b"{}\n")}
    pull.head = repository._commit(pull.head, tree, "theirs", "stranger")
    done = run("dataset", "withdraw", conversation(1), "--repo", NAME, code=6)
    assert f"delete {path}" in done.stdout
    (line,) = re.findall(r"exactly this: dolphin-logger (.*)", done.stderr)
    assert line.startswith("dataset withdraw ")
    assert "/discussions/3" in run(*shlex.split(line)).stdout
    del home


def test_paths_that_lead_elsewhere_are_no_files() -> None:
    """Only what stays below a folder is brought here."""
    for path in ("../x", "a/../../x", "/etc/x", "a//b", "./x", "a\\..\\b", "a\x1b[31m", "a\n", ""):
        assert not is_sane(path), path
    assert is_sane("data/messages/train-0badc0de-12345678-00000.jsonl")


def test_what_is_not_the_hub(hub: Hub, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login page of HTML is told in one line, with 5."""

    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", "13")
            self.end_headers()
            self.wfile.write(b"<html></html>")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Portal) as portal:
        thread = Thread(target=portal.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{portal.server_port}")
        result = run("upload", "--repo", NAME, "--license", "mit", code=5)
        portal.shutdown()
        thread.join()
    assert "is not the Hub" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    del hub, home


@pytest.mark.parametrize(
    "token", ["hf_secret\nret", "hf_secretäö€", "hf_secret ret", "hf_secret\x1b"]
)
def test_a_broken_token_is_never_shown(
    hub: Hub, home: Home, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """What no header can carry is refused before anybody prints it."""
    monkeypatch.setenv("HF_TOKEN", token)
    result = run("upload", "--repo", NAME, "--license", "mit", code=4)
    assert "HF_TOKEN" in result.stderr
    assert "secret" not in result.output + result.stderr
    del hub, home


def test_the_line_that_confirms_is_the_line_to_run(hub: Hub, home: Home) -> None:
    """It has every option that decides what goes up."""
    write_dataset(home, "other", {"messages": [(conversation(2), row(2))]})
    asked = ["upload", "--repo", NAME, "--license", "mit", "--dataset", "other", "--language", "en"]
    (line,) = re.findall(r"exactly this: dolphin-logger (.*)", run(*asked, code=6).stderr)
    assert "/discussions/1" in run(*shlex.split(line)).stdout
    del hub


def test_whatever_publishing_leaves_here_is_ours_alone(
    hub: Hub, home: Home, stranger: Stranger
) -> None:
    """Staged, fetched and pulled files are 0600, their folders 0700."""
    stranger("README.md", b"# theirs\n")
    mask = os.umask(0o022)
    try:
        review()
        run("dataset", "pull", "--repo", NAME)
    finally:
        os.umask(mask)
    for path in (home.datasets / ".publications").rglob("*"):
        if path.suffix == ".lock":  # empty; its package gives it a mode of its own
            continue
        assert path.stat().st_mode & 0o077 == 0, path
    del hub


@pytest.mark.parametrize(
    "fields",
    [
        {"v": 1},
        {
            "v": 1,
            "name": "x",
            "publishable": True,
            "counts": {"rows": 1},
            "exports": [{"files": 5}],
        },
        {
            "v": 1,
            "name": "x",
            "publishable": True,
            "counts": {"rows": 1},
            "exports": [{"files": [{"path": "../../config.json"}]}],
        },
    ],
)
def test_a_damaged_manifest_is_no_dataset(home: Home, fields: dict[str, Any]) -> None:
    """It is passed over in lists; no file outside its folder is one of its files."""
    folder = home.datasets / "x"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(fields))
    assert [
        one["name"] for one in json.loads(run("dataset", "ls", "--json").stdout)["datasets"]
    ] == ["sft"]
    with pytest.raises(DatasetError, match="damaged"):
        read_manifest(folder)


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_build_replaces_nothing_but_datasets(home: Home, tmp_path: Path, kind: str) -> None:
    """A name that a file or a link has is refused, and it stays."""
    taken = tmp_path / "taken"
    taken.write_text("x") if kind == "file" else taken.symlink_to(home.datasets / "sft")
    with pytest.raises(DatasetError, match="is no folder"), Site(taken).held():
        raise AssertionError("held")
    assert taken.is_symlink() or taken.read_text() == "x"
