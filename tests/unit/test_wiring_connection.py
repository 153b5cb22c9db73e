"""Connecting and disconnecting: files on a disk, their backups, modes, links and accidents."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from dolphin_logger.errors import DolphinError
from dolphin_logger.journal.home import Home
from dolphin_logger.setup import connection
from dolphin_logger.setup._api import Circumstances
from dolphin_logger.setup.jsonc import MalformedError
from dolphin_logger.setup.table import find_client

CLAUDE = find_client("claude")
MINE = b'{\n  "model": "opus",\n  "env": {"A": "sk-mine"}\n}\n'


class Desk:
    """A user's home with Claude Code's settings, and our home."""

    def __init__(self, tmp_path: Path) -> None:
        self.user = tmp_path / "user"
        self.home = Home(tmp_path / "home")
        self.settings = self.user / ".claude/settings.json"
        self.settings.parent.mkdir(parents=True)
        self.given = Circumstances("http://127.0.0.1:5001", {"HOME": str(self.user)})

    def connect(self, name: str = "claude") -> None:
        client = find_client(name)
        changes = connection.plan_connect(client, self.given)
        connection.connect(client, self.home, self.given, changes)

    def disconnect(self, name: str = "claude") -> list[str]:
        client = find_client(name)
        receipt = connection.read_receipt(self.home, client)
        assert receipt is not None
        changes = connection.plan_disconnect(client, receipt, self.given.environ)
        connection.disconnect(client, self.home, changes)
        return [change.note for change in changes if change.note]

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Every file of the user's, with bytes and mode."""
        return {
            str(path): (path.read_bytes(), stat.S_IMODE(path.lstat().st_mode))
            for path in sorted(self.user.rglob("*"))
            if path.is_file()
        }

    def receipt(self) -> Path:
        return connection.receipt_path(self.home, CLAUDE)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with nothing on it."""
    return Desk(tmp_path)


@pytest.mark.parametrize("content", [MINE, b"", b"\xef\xbb\xbf{}", b'{"x": 1}', b"{ // c\r\n}\r\n"])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_there_and_back(desk: Desk, content: bytes, mode: int) -> None:
    """What disconnect leaves is what connect found: bytes, mode, and no file more."""
    desk.settings.write_bytes(content)
    desk.settings.chmod(mode)
    before = desk.files()
    desk.connect()
    backup = desk.settings.with_name("settings.json.before-dolphin-logger")
    assert backup.read_bytes() == content
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.settings.stat().st_mode) == mode
    assert b"127.0.0.1:5001" in desk.settings.read_bytes()
    assert desk.disconnect() == []
    assert desk.files() == before
    assert not desk.receipt().exists()


@pytest.mark.parametrize("name", ["claude", "codex", "gemini", "opencode", "aider"])
def test_files_that_were_not_there_go(desk: Desk, name: str) -> None:
    """A file that connect made is private, and gone afterwards."""
    desk.connect(name)
    assert desk.files()
    assert {mode for _, mode in desk.files().values()} == {0o600}
    assert desk.disconnect(name) == []
    assert desk.files() == {}


def test_the_receipt_holds_no_text(desk: Desk) -> None:
    """The receipt is private and knows files by name and digest only."""
    desk.settings.write_bytes(MINE)
    desk.connect()
    assert b"sk-mine" not in desk.receipt().read_bytes()
    assert stat.S_IMODE(desk.receipt().stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.receipt().parent.stat().st_mode) == 0o700


def test_changed_since(desk: Desk) -> None:
    """A file that changed since loses our keys alone; the backup stays and is named."""
    desk.settings.write_bytes(MINE)
    desk.connect()
    changed = json.loads(desk.settings.read_bytes()) | {"new": 1}
    desk.settings.write_text(json.dumps(changed))
    assert desk.disconnect() == ["changed since: only our keys are taken out"]
    left = {"model": "opus", "env": {"A": "sk-mine"}, "new": 1}
    assert json.loads(desk.settings.read_bytes()) == left
    backup = desk.settings.with_name("settings.json.before-dolphin-logger")
    assert backup.read_bytes() == MINE


def test_changed_and_backup_lost(desk: Desk) -> None:
    """Without its backup a file still loses our keys, and nothing else."""
    desk.settings.write_bytes(MINE)
    desk.connect()
    desk.settings.with_name("settings.json.before-dolphin-logger").unlink()
    assert len(desk.disconnect()) == 1
    assert json.loads(desk.settings.read_bytes()) == json.loads(MINE)


def test_removed_or_restored_by_hand(desk: Desk) -> None:
    """A file that the user removed or restored stays so."""
    desk.settings.write_bytes(MINE)
    desk.connect()
    desk.settings.write_bytes(MINE)
    assert desk.disconnect() == []
    assert desk.settings.read_bytes() == MINE
    desk.connect()
    desk.settings.unlink()
    desk.disconnect()
    assert not desk.settings.exists()


def test_our_own_file_that_the_user_made_his(desk: Desk) -> None:
    """A changed profile is not thrown away."""
    desk.connect("codex")
    profile = desk.user / ".codex/dolphin.config.toml"
    profile.write_text(profile.read_text() + 'model = "x"\n')
    assert desk.disconnect("codex") == ["changed since; it stays as it is"]
    assert profile.exists()


def test_a_profile_of_somebody_else(desk: Desk) -> None:
    """A file of the user's under our name is not replaced."""
    profile = desk.user / ".codex/dolphin.config.toml"
    profile.parent.mkdir()
    profile.write_text("mine = 1\n")
    with pytest.raises(DolphinError, match="is not ours"):
        desk.connect("codex")
    assert profile.read_text() == "mine = 1\n"


def test_links_stay(desk: Desk) -> None:
    """Behind a link the target is changed; the link stays."""
    target = desk.user / "dotfiles/claude.json"
    target.parent.mkdir()
    target.write_bytes(MINE)
    desk.settings.symlink_to(target)
    desk.connect()
    assert desk.settings.is_symlink()
    assert b"127.0.0.1:5001" in target.read_bytes()
    desk.disconnect()
    assert desk.settings.is_symlink()
    assert target.read_bytes() == MINE


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{'a': 1}", "line 1: a key"), (b"\xff{}", "not UTF-8"), (b"[1]", "no object")],
)
def test_malformed(desk: Desk, content: bytes, message: str) -> None:
    """A file that cannot be read safely stays, and the message names it."""
    desk.settings.write_bytes(content)
    before = desk.files()
    with pytest.raises(MalformedError, match=message) as caught:
        desk.connect()
    assert str(desk.settings) in str(caught.value)
    assert desk.files() == before
    assert not desk.receipt().exists()


def test_no_regular_file(desk: Desk) -> None:
    """A device or pipe is not read to its end."""
    os.mkfifo(desk.settings)
    keeps_open = os.open(desk.settings, os.O_RDWR)
    try:
        with pytest.raises(DolphinError, match="no regular file"):
            desk.connect()
    finally:
        os.close(keeps_open)


def test_changed_between_showing_and_writing(desk: Desk) -> None:
    """What was not shown is not overwritten."""
    desk.settings.write_bytes(MINE)
    changes = connection.plan_connect(CLAUDE, desk.given)
    desk.settings.write_bytes(b"{}")
    with pytest.raises(DolphinError, match="changed by somebody else"):
        connection.connect(CLAUDE, desk.home, desk.given, changes)
    assert desk.settings.read_bytes() == b"{}"


def test_interrupted_before_writing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses, the old bytes stay, no draft is left, and disconnect works."""
    desk.settings.write_bytes(MINE)
    replace = Path.replace

    def refuse(path: Path, to: Path) -> Path:
        if to == desk.settings:
            raise OSError(28, "No space left on device")
        return replace(path, to)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(DolphinError, match="No space left"):
        desk.connect()
    monkeypatch.undo()
    assert desk.settings.read_bytes() == MINE
    assert desk.disconnect() == []
    assert [path.name for path in desk.settings.parent.iterdir()] == ["settings.json"]


def test_backups_are_never_overwritten(desk: Desk) -> None:
    """A backup that is there already keeps its bytes."""
    first = desk.settings.with_name("settings.json.before-dolphin-logger")
    first.write_bytes(b"older")
    desk.settings.write_bytes(MINE)
    desk.connect()
    assert first.read_bytes() == b"older"
    assert first.with_name(first.name + "-2").read_bytes() == MINE


def test_connected_already(desk: Desk) -> None:
    """Where everything is set, nothing changes."""
    desk.connect()
    assert connection.plan_connect(CLAUDE, desk.given) == []


def test_a_broken_receipt(desk: Desk) -> None:
    """The cure is named."""
    desk.connect()
    desk.receipt().write_text("{")
    with pytest.raises(DolphinError, match="before-dolphin-logger"):
        connection.read_receipt(desk.home, CLAUDE)
