"""Running: the proxies that run on a home, from the files that they keep in `run/`.

It asks over HTTP on loopback and sends signals; it knows nothing about what a proxy does.
Invariant: only a process that is certainly one of ours is ever signalled; what is left over from
one that died is removed.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dolphin_logger.journal.home import Home

_HEALTH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """One proxy; `health` is its own answer, None when it gives none (it may be ending)."""

    file: Path
    pid: int
    url: str
    started: str
    version: str
    health: dict[str, Any] | None


def running_proxies(home: Home) -> list[RunningProxy]:
    """Find what runs, and remove the files of what does not."""
    found = []
    for path in sorted(home.run.glob("proxy-*.json")):
        proxy = _read(path)
        if proxy is None:
            path.unlink(missing_ok=True)
        else:
            found.append(proxy)
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process exists and has not ended (one that waits for its parent has)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in {"Z", "X"}


def terminate(pid: int) -> None:
    """Ask a process to end; it may have done so already."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def health(url: str) -> dict[str, Any] | None:
    """Ask a proxy how it is; None without an answer that looks like one of ours."""
    address = urlsplit(url)
    port = address.port or 80
    connection = http.client.HTTPConnection(
        address.hostname or "127.0.0.1", port, timeout=_HEALTH_SECONDS
    )
    try:
        connection.request("GET", "/health", headers={"Host": f"127.0.0.1:{port}"})
        answer = json.loads(connection.getresponse().read(1 << 20))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and "status" in answer else None


def listens(host: str, port: int) -> bool:
    """Say whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=_HEALTH_SECONDS).close()
    except OSError:
        return False
    return True


def reachable(host: str) -> str:
    """Name an address at which a client on this machine reaches what listens on `host`."""
    if host in ("localhost", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _read(path: Path) -> RunningProxy | None:
    """Read one file; None when its process is gone or is none of ours."""
    try:
        facts = json.loads(path.read_bytes())
        pid, url = int(facts["pid"]), str(facts["url"])
        urlsplit(url).port  # noqa: B018 -- raises ValueError on a wrong one
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if pid <= 1 or not is_alive(pid):
        return None
    ours = _is_ours(pid)
    answer = health(url) if ours is not False else None
    if ours is False or (ours is None and answer is None):
        return None
    return RunningProxy(
        path, pid, url, str(facts.get("started")), str(facts.get("version")), answer
    )


def _is_ours(pid: int) -> bool | None:
    """Compare the process's command line; None where the system does not show it."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    return b"dolphin" in command.lower() if command else None
