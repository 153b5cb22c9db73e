"""The start of the program: what `--help` may import. Time is not asserted, only what costs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_DENIED = {
    "asyncio", "brotli", "concurrent", "ctypes", "dataclasses", "email", "hashlib", "http", "httptools", "importlib.metadata",
    "logging", "multiprocessing", "orjson", "socket", "sqlite3", "ssl", "truststore", "urllib.request", "uvloop", "zstandard",
}  # fmt: skip
_OWN = {
    "dolphin_logger",
    "dolphin_logger.__main__",
    "dolphin_logger._version",
    "dolphin_logger.cli",
    "dolphin_logger.errors",
}


def imported(*arguments: str) -> set[str]:
    """Run the program and name the modules that it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "dolphin_logger", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines[1:]}


def baseline() -> set[str]:
    """Name what the interpreter imports by itself here (editable installs, coverage)."""
    command = [sys.executable, "-X", "importtime", "-c", "pass"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """Neither the network, nor a parser, nor any room of the program is imported for a page of help."""
    names = imported(*arguments) - baseline()
    heavy = {
        name
        for name in names
        if any(name == denied or name.startswith(f"{denied}.") for denied in _DENIED)
    }
    assert heavy == set()
    assert {name for name in names if name.startswith("dolphin_logger")} <= _OWN


def test_version_imports_no_command_line() -> None:
    """The version is printed before click is imported."""
    assert "click" not in imported("--version")
    assert "click" in imported("--help")
