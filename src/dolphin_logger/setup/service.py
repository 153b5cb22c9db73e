"""Services: the proxy and the watch, started with the user's session by systemd or launchd.

It writes files of the user and calls the user's own service manager; root is never needed. It knows
neither what the services do nor how they log.
Invariant: a rendered file is complete: whoever prefers to can copy it by hand.

Source: systemd.service(5), systemd.unit(5); launchd.plist(5).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from dolphin_logger.errors import ConfigError

NAMES = ("proxy", "watch")
_ARGUMENTS = {"proxy": ("serve",), "watch": ("watch",)}
_WHAT = {
    "proxy": "dolphin-logger: the recording proxy",
    "watch": "dolphin-logger: keeps the sessions of other programs",
}
_STEMS = {"proxy": "dolphin-logger", "watch": "dolphin-logger-watch"}
_UNIT = """\
[Unit]
Description={what}

[Service]
ExecStart={command}
{environment}Restart=on-failure
RestartSec=5
TimeoutStopSec=40
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""
_PLIST = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>{label}</string>
  <key>ProgramArguments</key>
  <array>
{command}
  </array>
{environment}  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ExitTimeOut</key><integer>40</integer>
  <key>Umask</key><integer>63</integer>
</dict>
</plist>
"""


@dataclass(frozen=True, slots=True)
class Service:
    """One service: the file that describes it, its text, and the commands that start, end and ask."""

    name: str
    path: Path
    text: str
    start: tuple[tuple[str, ...], ...]
    end: tuple[tuple[str, ...], ...]
    ask: tuple[str, ...]


def service(
    name: str, *, user: Path, env: Mapping[str, str], program: Sequence[str], platform: str
) -> Service:
    """Describe a service for a user; `program` is how dolphin-logger is started.

    Raises:
        ConfigError: this system has neither systemd nor launchd.
    """
    command = [*program, *_ARGUMENTS[name]]
    home = env.get("DOLPHIN_LOGGER_HOME")
    if platform == "darwin":
        return _launchd(name, user=user, command=command, home=home)
    if platform.startswith("linux"):
        return _systemd(name, user=user, env=env, command=command, home=home)
    raise ConfigError(
        f"no services on {platform}: start `{' '.join(command)}` with the session by other means"
    )


def _systemd(
    name: str, *, user: Path, env: Mapping[str, str], command: list[str], home: str | None
) -> Service:
    folder = Path(env.get("XDG_CONFIG_HOME") or user / ".config") / "systemd" / "user"
    unit = f"{_STEMS[name]}.service"
    environment = f"Environment={_quoted(f'DOLPHIN_LOGGER_HOME={home}')}\n" if home else ""
    manager = ("systemctl", "--user")
    return Service(
        name=name,
        path=folder / unit,
        text=_UNIT.format(
            what=_WHAT[name], command=" ".join(map(_quoted, command)), environment=environment
        ),
        start=((*manager, "daemon-reload"), (*manager, "enable", "--now", unit)),
        end=((*manager, "disable", "--now", unit), (*manager, "daemon-reload")),
        ask=(*manager, "is-active", unit),
    )


def _launchd(name: str, *, user: Path, command: list[str], home: str | None) -> Service:
    label = f"local.{_STEMS[name]}"
    path = user / "Library" / "LaunchAgents" / f"{label}.plist"
    words = "\n".join(f"    <string>{escape(word)}</string>" for word in command)
    environment = (
        "  <key>EnvironmentVariables</key>\n"
        f"  <dict><key>DOLPHIN_LOGGER_HOME</key><string>{escape(home)}</string></dict>\n"
        if home
        else ""
    )
    return Service(
        name=name,
        path=path,
        text=_PLIST.format(label=label, command=words, environment=environment),
        start=(("launchctl", "load", "-w", str(path)),),
        end=(("launchctl", "unload", "-w", str(path)),),
        ask=("launchctl", "list", label),
    )


def _quoted(word: str) -> str:
    """Quote a word of a unit: spaces, specifiers and variables mean nothing in it."""
    if any(ord(character) < 0x20 for character in word):
        raise ConfigError(
            f"{word!r}: control characters cannot stand in a unit: choose another path"
        )
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != word or " " in word or "'" in word else word


def install(one: Service) -> None:
    """Write the file and start the service.

    Raises:
        ConfigError: the file cannot be written, or the service manager refuses.
    """
    try:
        one.path.parent.mkdir(parents=True, exist_ok=True)
        one.path.write_text(one.text)
    except OSError as error:
        raise ConfigError(f"{one.path}: cannot be written: {error.strerror}") from error
    for command in one.start:
        _call(command)


def uninstall(one: Service) -> bool:
    """End the service and remove its file; say whether there was one."""
    if not one.path.exists():
        return False
    for command in one.end[:1]:
        _call(command)
    one.path.unlink()
    for command in one.end[1:]:
        _call(command)
    return True


def is_running(one: Service) -> bool:
    """Ask the service manager."""
    try:
        done = subprocess.run(  # noqa: S603  # words of ours
            one.ask, capture_output=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def own_program() -> list[str]:
    """Say how this very program is started again."""
    return [sys.executable, "-m", "dolphin_logger"]


def _call(command: tuple[str, ...]) -> None:
    try:
        done = subprocess.run(  # noqa: S603  # words of ours
            command, capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"`{' '.join(command)}` cannot be run: {error}") from error
    if done.returncode:
        raise ConfigError(
            f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}"
        )
