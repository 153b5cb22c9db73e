"""The real proxy, started as a user would: its own process, a free port, a temporary home."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

REQUEST_TIMEOUT = 20.0


class Proxy:
    """One proxy process and its home."""

    def __init__(
        self, home: Path, config: dict[str, Any], *, env: dict[str, str] | None = None
    ) -> None:
        self.home = home
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._env = env or {}
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.configure(config)

    def configure(self, config: dict[str, Any]) -> None:
        """Write config.json."""
        path = self.home / "config.json"
        path.write_text(json.dumps(config))
        path.chmod(0o600)

    def start(self, *args: str, port: int = 0) -> Proxy:
        """Start, and wait until it answers."""
        strays = ("port", "https_proxy", "http_proxy", "all_proxy", "no_proxy")
        clean = {name: value for name, value in os.environ.items() if name.lower() not in strays}
        env = {**clean, "DOLPHIN_LOGGER_HOME": str(self.home), **self._env}
        self.stderr = (self.home / "stderr.txt").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dolphin_logger", "serve", "--port", str(port), *args],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self.stderr,
            stderr=self.stderr,
        )
        run_file = self.home / "run" / f"proxy-{self.process.pid}.json"
        wait_for(lambda: run_file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.output()
        self.port = json.loads(run_file.read_text())["port"]
        wait_for(self._answers)
        return self

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/health").status in (200, 500)
        except OSError:
            return False

    def output(self) -> str:
        """Everything that the process has printed."""
        return (self.home / "stderr.txt").read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def base(self) -> str:
        """The base URL for an OpenAI client."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self, *, seconds: float = 40.0) -> int:
        """End in order; return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.stderr.close()
        return code

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.stderr.close()

    def __enter__(self) -> Proxy:
        return self if self.process else self.start()

    def __exit__(self, *exc: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Make one plain HTTP request of a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_TIMEOUT)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def chat(self, **body: Any) -> Answer:
        """Ask for a chat completion."""
        request = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **body}
        return self.request(
            "POST",
            "/v1/chat/completions",
            orjson.dumps(request),
            {"content-type": "application/json"},
        )

    def connect(self) -> socket.socket:
        """Open a raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=REQUEST_TIMEOUT)

    def segments(self) -> list[Path]:
        return sorted((self.home / "logs").glob("*.jsonl"))

    def records(self, count: int | None = None) -> list[dict[str, Any]]:
        """Read the log; with `count`, wait until that many records are there."""
        if count is not None:
            wait_for(lambda: len(self._lines()) >= count, what=f"{count} records")
        return [json.loads(line) for line in self._lines()]

    def record(self) -> dict[str, Any]:
        """Read the one record that there must be."""
        (record,) = self.records(1)
        return record

    def _lines(self) -> list[bytes]:
        """Only finished ones: a large record may be seen while it is being written."""
        return [
            line
            for path in self.segments()
            for line in path.read_bytes().split(b"\n")[:-1]
            if line.strip()
        ]

    def health(self) -> dict[str, Any]:
        return orjson.loads(self.request("GET", "/health").body)


class Answer:
    """A whole HTTP answer."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        return json.loads(self.body)


def one_model(base: str, **more: Any) -> dict[str, Any]:
    """A configuration whose model `m` is the fake provider's."""
    entry = {
        "provider": "openai",
        "model": "m",
        "providerModel": "m",
        "apiBase": base,
        "apiKey": "sk-test-key",
    }
    return {"models": [entry | more.pop("entry", {})], **more}


def wait_for(
    condition: Callable[[], Any], *, seconds: float = 15.0, what: str = "the condition"
) -> None:
    """Wait until something is true; fail loudly when it does not become so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about within {seconds} s"
        time.sleep(0.005)
