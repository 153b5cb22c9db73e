"""One play: a scripted provider, the real proxy, and a real client in an empty home of its own.

The client is started as a user would, by `dolphin-logger run`. It knows no client and no wire language.
Invariant: nothing of the machine's own settings reaches the client, and nothing of it leaves the folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy
from tests.support.scripted.model import ScriptedModel, Speech, Step

KEY = "sk-of-the-provider-90d2"
KEYED = {
    "provider": "openai",
    "model": "local-model",
    "dialect": "openai.chat",
    "apiKey": "ENV:KEY_OF_THE_PLAY",
}
CLIENTS = Path(os.environ.get("CLIENTS_DIR") or Path(__file__).parents[2] / "build" / "clients")
LIMIT_S = 100.0
PASSED = ("PATH", "LANG", "TERM", "TMPDIR")


@dataclass
class Done:
    """What a client did: exit code, output, seconds."""

    code: int
    output: str
    errors: str
    seconds: float

    def check(self) -> Done:
        """Fail unless it ended well."""
        assert self.code == 0, f"{self.code}\n{self.output[-4000:]}\n{self.errors[-4000:]}"
        return self


@dataclass
class Stage:
    """Where a play takes place.

    Attributes:
        work: the folder that the client works in, with two files to read.
        user: the client's home.
        keys: what must not be found in the proxy's home.
    """

    folder: Path
    model: ScriptedModel
    provider: FakeProvider
    proxy: Proxy
    keys: list[str] = field(default_factory=list)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def user(self) -> Path:
        return self.folder / "user"

    @property
    def origin(self) -> str:
        """The address of the provider, without a path."""
        return self.provider.base.removesuffix("/v1")

    def environ(self, **more: str) -> dict[str, str]:
        """Give the environment of a client: nothing of ours but what every program needs."""
        kept = {name: os.environ[name] for name in PASSED if name in os.environ}
        programs = [str(CLIENTS / "node_modules" / ".bin"), kept.get("PATH", "")]
        home = {"HOME": str(self.user), "DOLPHIN_LOGGER_HOME": str(self.proxy.home)}
        return kept | home | {"PATH": os.pathsep.join(programs)} | more

    def run(self, *command: str, **environ: str) -> Done:
        """Run `dolphin-logger run …` to its end."""
        started = time.monotonic()
        process = self.start(*command, **environ)
        try:
            output, errors = process.communicate(timeout=LIMIT_S)
        finally:
            _end(process)
        return Done(process.returncode, output, errors, time.monotonic() - started)

    def start(self, *command: str, **environ: str) -> subprocess.Popen[str]:
        """Start `dolphin-logger run …` in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            [sys.executable, "-m", "dolphin_logger", "run", *command],
            cwd=self.work,
            env=self.environ(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def interrupt(self, process: subprocess.Popen[str]) -> Done:
        """Press Ctrl-C, and wait for the end."""
        os.killpg(process.pid, signal.SIGINT)
        try:
            output, errors = process.communicate(timeout=30)
        finally:
            _end(process)
        return Done(process.returncode, output, errors, 0.0)


def _end(process: subprocess.Popen[str]) -> None:
    """Leave nothing behind when a client did not end by itself."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@contextmanager
def stage(
    folder: Path,
    speech: Speech,
    parts: dict[str, list[Step]],
    *,
    entry: dict[str, Any],
    path: str = "/v1",
) -> Iterator[Stage]:
    """Build the folders, and start provider and proxy; `path` is that of the entry's `apiBase`.

    `KEYED` is an entry whose key is ours: the client needs none.
    """
    (folder / "work").mkdir(parents=True)
    (folder / "user").mkdir()
    (folder / "work" / "notes.txt").write_text("the colour is teal\n")
    (folder / "work" / "other.txt").write_text("the size is 7\n")
    model = ScriptedModel(speech, parts)
    with FakeProvider(model) as provider:
        base = provider.base.removesuffix("/v1") + path
        config = {"models": [{"model": "*", "apiBase": base, "apiKey": "PASSTHROUGH"} | entry]}
        with Proxy(folder / "home", config, env={"KEY_OF_THE_PLAY": KEY}) as proxy:
            yield Stage(folder, model, provider, proxy, [KEY])
            assert "Traceback" not in proxy.output(), proxy.output()
