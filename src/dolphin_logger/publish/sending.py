"""Sending: watches over a sender, and ends one that no longer moves.

The Hub's client tells how far it is on its stderr; when nothing changes there for a while, the sender
is killed and started again without Xet, whose transfers are known to stall. It knows processes, not
what is sent. Invariant: no sender outlives this call.
"""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any, Final

from dolphin_logger._version import __version__
from dolphin_logger.errors import HubError
from dolphin_logger.publish.changes import Changes
from dolphin_logger.publish.hub import Hub, explain, wait_of

PATIENCE: Final = 120.0  # seconds without any progress after which a sender is given up
_STARTING: Final = 60.0  # seconds that it may take, at least, before there can be any
_SHOWN: Final = re.compile(r"([\d.]+)([kMGT]?)B?\s*/\s*[\d.]+[kMGT]?B")
_UNITS: Final = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}

Advance = Callable[[int], object]


class RefusedError(HubError):
    """The Hub refused a commit; `wait` seconds if it said so. `is_xet`: without Xet it may go."""

    def __init__(
        self, message: str, *, status: int | None, wait: float | None, is_xet: bool
    ) -> None:
        super().__init__(message, status=status)
        self.wait = wait
        self.is_xet = is_xet


class StalledError(HubError):
    """Nothing moved for longer than patience lasts."""


@dataclass(slots=True)
class Sending:
    """How commits are sent: with Xet until it fails once."""

    hub: Hub
    patience: float = PATIENCE
    with_xet: bool = True
    _lines: queue.Queue[tuple[str, str | None]] = field(default_factory=queue.Queue)

    def commit(
        self, changes: Changes, *, revision: str, parent: str, message: str, advance: Advance
    ) -> str:
        """Commit all changes at once; give the commit.

        Raises:
            RefusedError: the Hub did not take them. StalledError: it never answered.
        """
        try:
            return self._run(changes, revision, parent, message, advance)
        except StalledError:
            if not self.with_xet:
                raise
        except RefusedError as refusal:
            if not (self.with_xet and refusal.is_xet and refusal.status != 403):
                raise
        self.with_xet = False
        return self._run(changes, revision, parent, message, advance)

    def _run(
        self, changes: Changes, revision: str, parent: str, message: str, advance: Advance
    ) -> str:
        files = [{"path": one.path, "source": str(one.source)} for one in changes.additions]
        asked = {
            "endpoint": self.hub.endpoint,
            "token": self.hub.token,
            "version": __version__,
            "name": self.hub.name,
            "revision": revision,
            "parent": parent,
            "message": message,
            "files": files,
            "deletions": list(changes.deletions),
        }
        switches = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "0"}
        if not self.with_xet:
            switches["HF_HUB_DISABLE_XET"] = "1"
        process = subprocess.Popen(  # our own module
            [sys.executable, "-m", "dolphin_logger.publish.sender"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **switches},
        )
        with process:
            return self._guard(process, asked, changes, advance)

    def _guard(
        self,
        process: subprocess.Popen[bytes],
        asked: dict[str, Any],
        changes: Changes,
        advance: Advance,
    ) -> str:
        """Follow a sender to its end, and be its end."""
        readers: list[threading.Thread] = []
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(asked).encode())
            process.stdin.close()
            sizes = {one.path: one.size for one in changes.additions}
            self._lines = queue.Queue()
            for name in ("stdout", "stderr"):
                arguments = (name, getattr(process, name))
                readers.append(threading.Thread(target=self._read, args=arguments, daemon=True))
                readers[-1].start()
            return self._follow(sizes, advance)
        finally:
            process.kill()
            for reader in readers:
                reader.join()

    def _follow(self, sizes: dict[str, int], advance: Advance) -> str:
        whole, partly, told = 0, 0, 0
        seen: set[str] = set()
        patience = max(self.patience, _STARTING)
        while True:
            name, text = self._next(seen, patience)
            if name == "stdout":
                if text is None:
                    raise RefusedError(
                        "the sender ended without a word",
                        status=None,
                        wait=None,
                        is_xet=self.with_xet,
                    )
                fields = json.loads(text)
                if fields["event"] == "committed":
                    advance(max(0, sum(sizes.values()) - told))
                    return str(fields["oid"])
                if fields["event"] == "failed":
                    raise self._refused(fields)
                if fields["event"] == "begun":
                    patience = self.patience
                    continue
                whole, partly = whole + sizes[fields["path"]], 0
            elif text is not None:
                partly = max(partly, _shown(text))
            now = min(whole + partly, sum(sizes.values()))
            if now > told:
                advance(now - told)
                told = now

    def _next(self, seen: set[str], patience: float) -> tuple[str, str | None]:
        """Wait for a line; lines of stderr that were there before are no sign of life."""
        while True:
            try:
                name, text = self._lines.get(timeout=patience)
            except queue.Empty:
                raise StalledError(
                    f"nothing moved for {patience:.0f} seconds while sending to {self.hub.name}"
                ) from None
            if name == "stdout" or (text is not None and text not in seen):
                seen.add(text or "")
                return name, text

    def _read(self, name: str, stream: IO[bytes]) -> None:
        """Hand on lines; of bars, which write over themselves, what they show."""
        rest = b""
        while block := stream.read1(65536):  # type: ignore[attr-defined]
            *lines, rest = re.split(rb"[\r\n]", rest + block)
            for line in lines:
                if line.strip():
                    self._lines.put((name, line.decode("utf-8", "replace")))
        self._lines.put((name, None))

    def _refused(self, fields: dict[str, Any]) -> RefusedError:
        status, headers = fields["status"], fields["headers"]
        message = explain(self.hub.name, status, fields["text"], headers)
        return RefusedError(message, status=status, wait=wait_of(headers), is_xet=fields["xet"])


def _shown(text: str) -> int:
    """Read from a bar how many bytes are through."""
    found = [float(number) * _UNITS[unit] for number, unit in _SHOWN.findall(text)]
    return int(max(found, default=0))
