"""Attached: a proxy of our own for one run, which ends when we do, whatever happens to us.

Its standard input is a pipe that only this process holds open, its standard output tells where it
serves. It knows nothing about clients. Invariant: the proxy is gone, and its records are written,
before `proxy_for_run` is left.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO

from dolphin_logger.cli.running import terminate
from dolphin_logger.errors import ConfigError, DolphinError

_END_SECONDS = 40.0  # the proxy itself gives open answers 30 s
_CONFIG_EXIT = 3


@contextlib.contextmanager
def proxy_for_run(upstreams: Mapping[str, str | None]) -> Iterator[str]:
    """Start a proxy that passes these providers' models on; yield its address.

    Raises:
        DolphinError: it does not start; the message is its own.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "dolphin_logger", *_arguments(upstreams)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # Ctrl-C is for the client
        )
        try:
            yield _address(process, said)
        finally:
            _end(process)


def _arguments(upstreams: Mapping[str, str | None]) -> list[str]:
    arguments = ["serve", "--host", "127.0.0.1", "--port", "0", "--attached"]
    for provider, base in upstreams.items():
        arguments += ["--passthrough", f"{provider}={base}" if base else provider]
    return arguments


def _address(process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    """Wait for the line with the address, or for the process to end without one."""
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError, TypeError):
        code = process.wait(_END_SECONDS)
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    reason = (lines or [f"it ended with exit code {code}"])[-1].removeprefix("error: ")
    kind = ConfigError if code == _CONFIG_EXIT else DolphinError
    raise kind(reason if kind is ConfigError else f"the proxy did not start: {reason}")


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    if process.poll() is None:
        terminate(process.pid)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
