"""The vault: what is kept comes back, in this process, another one, and after a restart."""

from __future__ import annotations

import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.proxy import vault as module
from dolphin_logger.proxy.vault import DAYS, Vault

VALUE = [{"type": "thinking", "thinking": "hm \u2028 ü", "signature": "c2ln=="}, ["call", "a"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name a folder that does not exist yet."""
    return tmp_path / "cache" / "vault"


def files(folder: Path) -> list[Path]:
    """List the files of a vault."""
    return sorted(folder.glob("*.jsonl"))


def recall(vault: Vault, key: str) -> Any:
    """Ask for one key, as a new request does."""
    return vault.recall(key[:1])(key[1:])


def test_kept_comes_back(folder: Path):
    """By each of its keys; an unknown key is None."""
    vault = Vault(folder)
    vault.keep({"a": VALUE, "b": VALUE}, on_disk=True)
    assert recall(vault, "a") == VALUE
    assert recall(vault, "b") == VALUE
    assert recall(vault, "c") is None
    (file,) = files(folder)
    assert file.read_bytes().count(b"\n") == 1  # one answer, one line


def test_comes_back_after_a_restart(folder: Path):
    """Another process, later."""
    first = Vault(folder)
    first.keep({"a": VALUE}, on_disk=True)
    first.close()
    assert recall(Vault(folder), "a") == VALUE


def test_workers_share(folder: Path):
    """What one process keeps while the other runs is found by the other."""
    one, two = Vault(folder), Vault(folder)
    assert recall(two, "a") is None
    one.keep({"a": VALUE}, on_disk=True)
    two.keep({"b": "x"}, on_disk=True)
    assert recall(two, "a") == VALUE
    assert recall(one, "b") == "x"
    one.keep({"c": 1}, on_disk=True)  # in a file that two has read before
    assert recall(two, "c") == 1
    assert len(files(folder)) == 2


def test_the_newest_value_of_a_key_counts(folder: Path):
    """Also when another process kept it, and also after a restart."""
    vault = Vault(folder)
    vault.keep({"a": 1}, on_disk=True)
    vault.keep({"a": 2}, on_disk=True)
    assert recall(vault, "a") == 2
    assert recall(Vault(folder), "a") == 2


def test_unrecorded_touches_no_disk(folder: Path):
    """It is known to this process alone."""
    vault = Vault(folder)
    vault.keep({"a": VALUE}, on_disk=False)
    assert recall(vault, "a") == VALUE
    assert not folder.exists()


def test_files_are_private(folder: Path):
    """0600 in 0700, whatever the umask."""
    old = os.umask(0)
    try:
        Vault(folder).keep({"a": VALUE}, on_disk=True)
    finally:
        os.umask(old)
    (file,) = files(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_old_files_go(folder: Path):
    """A file of 31 days ago is removed, one of 29 is read."""
    folder.mkdir(parents=True)
    for days, key in ((DAYS + 1, "old"), (DAYS - 1, "new")):
        day = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d")
        (folder / f"{day}_x.jsonl").write_bytes(b'{"ids":["%s"],"kept":1}\n' % key.encode())
    vault = Vault(folder)
    vault.warm()
    assert recall(vault, "old") is None
    assert recall(vault, "new") == 1
    assert len(files(folder)) == 1


@pytest.mark.parametrize(
    "damage",
    [b"", b"\n", b"{}\n", b'{"ids":["a"],"kept":[1\n', b'{"ids":[,"kept":1}\n', b"\xff\x00\n"],
)
def test_damage_costs_nothing_else(folder: Path, damage: bytes):
    """A torn or foreign line is passed over; the next one is read."""
    folder.mkdir(parents=True)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    (folder / f"{day}_x.jsonl").write_bytes(damage + b'{"ids":["b"],"kept":2}\n{"ids":["c"],')
    vault = Vault(folder)
    assert recall(vault, "b") == 2
    assert recall(vault, "a") is None
    assert recall(vault, "c") is None


def test_a_line_that_is_being_written_is_read_when_it_is_complete(folder: Path):
    """The reader stops before it and goes on from there."""
    folder.mkdir(parents=True)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    path = folder / f"{day}_x.jsonl"
    path.write_bytes(b'{"ids":["a"],"ke')
    vault = Vault(folder)
    assert recall(vault, "a") is None
    with path.open("ab") as file:
        file.write(b'pt":1}\n')
    assert recall(vault, "a") == 1


def test_removed_folder(folder: Path):
    """What lay there is forgotten, and keeping goes on in a new file."""
    writer = Vault(folder)
    writer.keep({"a": 1}, on_disk=True)
    reader = Vault(folder)
    reader.warm()
    for file in files(folder):
        file.unlink()
    folder.rmdir()
    assert recall(reader, "a") is None
    writer.keep({"b": 2}, on_disk=True)
    assert recall(reader, "b") == 2


def test_a_disk_that_refuses_costs_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """The value stays in memory, and the log says so."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    vault = Vault(blocked / "vault")
    vault.keep({"a": VALUE}, on_disk=True)
    assert recall(vault, "a") == VALUE
    assert "the vault cannot be written" in caplog.text


def test_memory_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """What falls out of memory is read from disk."""
    monkeypatch.setattr(module, "_MEMORY", 1000)
    vault = Vault(folder)
    for number in range(50):
        vault.keep({f"k{number}": "x" * 100}, on_disk=True)
    assert vault._recent_bytes <= 1000
    assert recall(vault, "k0") == "x" * 100


def test_index_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """The oldest keys are forgotten first."""
    writer = Vault(folder)
    writer.keep({f"k{number}": number for number in range(9)}, on_disk=True)
    monkeypatch.setattr(module, "_MOST_KEYS", 5)
    reader = Vault(folder)
    assert recall(reader, "k8") == 8
    assert recall(reader, "k0") is None


def test_threads(folder: Path):
    """Many at once lose nothing."""
    vault = Vault(folder)

    def work(name: str) -> None:
        for number in range(50):
            vault.keep({f"{name}{number}": number}, on_disk=True)
            assert recall(vault, f"{name}{number}") == number

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh = Vault(folder)
    assert all(
        recall(fresh, f"{name}{number}") == number for name in "abcd" for number in range(50)
    )


def test_one_request_looks_at_the_files_once(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """However many calls its history holds."""
    vault = Vault(folder)
    looks = []
    monkeypatch.setattr(vault, "_catch_up", lambda: looks.append(1))
    ask = vault.recall("x ")
    assert [ask(str(number)) for number in range(9)] == [None] * 9
    assert len(looks) == 1


def test_a_value_that_no_json_holds_is_passed_over(folder: Path):
    """A lone surrogate would be refused by every provider."""
    vault = Vault(folder)
    vault.keep({"a": "\ud800", "b": 1}, on_disk=True)
    assert recall(vault, "a") is None
    assert recall(vault, "b") == 1
