"""Who may read what is written, and where a planted link leads: nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from dolphin_logger.journal import writer
from dolphin_logger.journal.blobs import LIMIT
from dolphin_logger.journal.home import Home, open_private_file
from dolphin_logger.journal.writer import Journal
from tests.durability.test_shutdown import make_exchange
from tests.support.provider import FakeProvider, answer, chat_answer
from tests.support.proxy import Proxy, one_model


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Run with another umask, which processes inherit."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_everything_written_is_private(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
) -> None:
    """Whatever the umask: files 0600, folders 0700, logs, blobs and run files alike."""
    provider.script = answer(chat_answer("x" * (LIMIT + 1)))
    proxy = start_proxy(one_model(provider.base))
    assert proxy.chat(user="u" * (LIMIT + 1)).status == 200
    record = proxy.record()
    assert {"blob"} == set(record["request"]) == set(record["response"])
    (proxy.home / "stderr.txt").unlink()  # the test's own
    assert {path.name for path in proxy.home.iterdir()} == {"config.json", "logs", "blobs", "run"}
    assert _modes(proxy.home) == {}


@pytest.mark.usefixtures("umask")
def test_a_new_home_is_private(tmp_path: Path) -> None:
    """A home that was missing is made with its parents, 0700, and its configuration 0600."""
    home = tmp_path / "deep" / "er" / "home"
    env = {**os.environ, "DOLPHIN_LOGGER_HOME": str(home)}
    subprocess.run(
        [sys.executable, "-m", "dolphin_logger", "init"], env=env, check=True, timeout=30
    )
    assert (home / "config.json").exists()
    assert _modes(tmp_path / "deep") == {}


def _modes(home: Path) -> dict[str, str]:
    """List what others could use: everything that is not exactly private."""
    found = {}
    for path in (home, *home.rglob("*")):
        mode = path.stat().st_mode & 0o7777
        if mode != (0o700 if path.is_dir() else 0o600):
            found[str(path)] = oct(mode)
    return found


def test_a_folder_that_others_could_read_is_closed(provider: FakeProvider, tmp_path: Path) -> None:
    """Folders of ours that were open to others are private after the start; the home itself is the user's."""
    home = tmp_path / "home"
    proxy = Proxy(home, one_model(provider.base))
    for folder in (home / "logs", home / "blobs", home / "run"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    provider.script = answer(chat_answer("x" * (LIMIT + 1)))
    with proxy.start():
        assert proxy.chat().status == 200
        for folder in (home / "logs", home / "blobs", home / "run"):
            assert folder.stat().st_mode & 0o777 == 0o700, folder


@pytest.mark.parametrize("leads_to", ["an existing file", "nothing yet"])
def test_a_planted_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leads_to: str
) -> None:
    """A link where the next segment would be is refused; the record waits and goes into another segment."""
    home = Home(tmp_path / "home")
    home.prepare()
    victim = tmp_path / "victim"
    if leads_to == "an existing file":
        victim.write_text("mine")
    planted = uuid.uuid4()
    names = iter([planted])
    monkeypatch.setattr(writer.uuid, "uuid4", lambda: next(names, uuid.UUID(bytes=os.urandom(16))))
    journal = Journal(home)
    day = make_exchange().time_ns
    link = (
        home.logs
        / f"{writer.time.strftime('%Y-%m-%d', writer.time.gmtime(day // 10**9))}_{planted}.jsonl"
    )
    link.symlink_to(victim)
    assert journal.append(make_exchange()) is False
    assert journal.trouble is not None
    assert (victim.read_text() if victim.exists() else None) == (
        "mine" if leads_to != "nothing yet" else None
    )
    journal.tend()
    assert (journal.trouble, journal.waiting()) == (None, 0)
    journal.close()
    (segment,) = [path for path in home.logs.iterdir() if not path.is_symlink()]
    assert len(segment.read_bytes().splitlines()) == 1
    assert not victim.exists() or victim.read_text() == "mine"


def test_a_private_file_is_always_new(tmp_path: Path) -> None:
    """An existing file, a link and a dangling link are all refused."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for name in ("file", "link", "dangling"):
        with pytest.raises(OSError, match=r"exists|levels"):
            open_private_file(tmp_path / name)
    assert not (tmp_path / "nothing").exists()
    descriptor = open_private_file(tmp_path / "new")
    os.close(descriptor)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_names_from_a_client_are_never_paths(
    provider: FakeProvider, proxy: Proxy, tmp_path: Path
) -> None:
    """Model names, users and ids that look like paths create nothing outside, and nothing named so."""
    provider.script = answer(chat_answer())
    before = {path for path in tmp_path.rglob("*") if "logs" not in path.parts}
    for name in ("../../evil", "/tmp/evil", "..\\evil", "evil\x00", "~/evil", "a/" * 200):
        body = orjson.dumps(
            {"model": name, "messages": [], "user": name, "metadata": {"session_id": name}}
        )
        fields = {
            "content-type": "application/json",
            "x-request-id": "../../evil",
            "user-agent": "../evil",
        }
        assert proxy.request("POST", "/v1/chat/completions", body, fields).status == 404
        assert proxy.request("GET", "/v1/models/..%2F..%2Fconfig.json").status == 404
    assert proxy.chat(user="../../evil").status == 200
    assert {path for path in tmp_path.rglob("*") if "logs" not in path.parts} == before
    assert [path.suffix for path in (proxy.home / "logs").iterdir()] == [".jsonl"]
