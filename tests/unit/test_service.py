"""Services: files that a manager takes as they are, calls without root, nothing left behind."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from dolphin_logger import cli
from dolphin_logger.errors import ConfigError
from dolphin_logger.setup.service import NAMES, install, is_running, service, uninstall

DEPLOY = Path(__file__).parents[2] / "deploy"
PROGRAM = ["dolphin-logger"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_the_files_in_deploy_are_what_is_installed(name: str, platform: str) -> None:
    """The templates for doing it by hand are exactly what the command writes."""
    one = service(name, user=Path("/home/me"), env={}, program=PROGRAM, platform=platform)
    assert (DEPLOY / one.path.name).read_text() == one.text


def test_a_unit_keeps_strange_paths() -> None:
    """Spaces, quotes, percent and dollar signs in paths mean nothing to systemd; a newline is refused."""
    env = {"DOLPHIN_LOGGER_HOME": '/h me/"%n"/$X'}
    program = ["/my python/bin/python", "-m", "dolphin_logger"]
    one = service("watch", user=Path("/u"), env=env, program=program, platform="linux")
    assert 'ExecStart="/my python/bin/python" -m dolphin_logger watch\n' in one.text
    assert 'Environment="DOLPHIN_LOGGER_HOME=/h me/\\"%%n\\"/$$X"\n' in one.text
    with pytest.raises(ConfigError, match="control characters"):
        service(
            "watch",
            user=Path("/u"),
            env={"DOLPHIN_LOGGER_HOME": "/a\nExecStartPre=/evil"},
            program=PROGRAM,
            platform="linux",
        )


def test_a_plist_is_one(tmp_path: Path) -> None:
    """Launchd's file parses, and names the program, its arguments and the home."""
    env = {"DOLPHIN_LOGGER_HOME": "/a&b <c>"}
    one = service("proxy", user=tmp_path, env=env, program=PROGRAM, platform="darwin")
    read = plistlib.loads(one.text.encode())
    assert read["ProgramArguments"] == ["dolphin-logger", "serve"]
    assert read["EnvironmentVariables"] == {"DOLPHIN_LOGGER_HOME": "/a&b <c>"}
    assert one.path.stem == read["Label"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.debian
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Systemd's own checker finds nothing wrong."""
    for name in NAMES:
        one = service(name, user=tmp_path, env={}, program=["/bin/true"], platform="linux")
        path = tmp_path / one.path.name
        path.write_text(one.text)
        command = ["systemd-analyze", "verify", "--user", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert path.name not in done.stderr


def _manager(folder: Path, *, code: int = 0) -> Path:
    """Put a systemctl in front that notes how it is called."""
    folder.mkdir(exist_ok=True)
    log = folder / "calls.txt"
    program = folder / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexit {code}\n')
    program.chmod(0o755)
    return log


def test_install_and_uninstall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing writes a unit of the user and starts it; uninstalling ends it and removes the unit."""
    log = _manager(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    one = service("watch", user=tmp_path, env={}, program=PROGRAM, platform="linux")
    install(one)
    assert one.path == tmp_path / ".config" / "systemd" / "user" / "dolphin-logger-watch.service"
    assert one.path.read_text() == one.text
    assert is_running(one)
    assert uninstall(one)
    assert not one.path.exists()
    assert not uninstall(one)
    assert log.read_text().splitlines() == [
        "--user daemon-reload",
        "--user enable --now dolphin-logger-watch.service",
        "--user is-active dolphin-logger-watch.service",
        "--user disable --now dolphin-logger-watch.service",
        "--user daemon-reload",
    ]


def test_a_manager_that_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the manager refuses, the error says which call failed."""
    _manager(tmp_path / "bin", code=1)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    one = service("watch", user=tmp_path, env={}, program=PROGRAM, platform="linux")
    with pytest.raises(ConfigError, match="systemctl --user daemon-reload` failed"):
        install(one)


def test_dry_run_prints_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--dry-run` prints the files; nothing is written and nothing called."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    done = CliRunner().invoke(cli.main, ["service", "install", "--dry-run"])
    assert done.exit_code == 0
    assert done.stdout.count("[Service]") == 2
    assert list(tmp_path.iterdir()) == []


def test_other_systems_are_told(tmp_path: Path) -> None:
    """Where there is neither systemd nor launchd, the error says what to do instead."""
    with pytest.raises(ConfigError, match="by other means"):
        service("proxy", user=tmp_path, env={}, program=PROGRAM, platform="win32")
