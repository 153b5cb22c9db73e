"""Fixtures of every suite: homes that are nobody's, a fake provider, a real proxy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy, one_model


@pytest.fixture(autouse=True)
def _home_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's own folder or settings."""
    for name in [
        name for name in os.environ if name.startswith("DOLPHIN_LOGGER_") or name == "PORT"
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path / "home"))


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """A provider on loopback; set its `script`."""
    with FakeProvider() as running:
        yield running


@pytest.fixture
def start_proxy(tmp_path: Path) -> Iterator[Callable[..., Proxy]]:
    """Start proxies; all are gone at the end of the test."""
    started: list[Proxy] = []

    def start(
        config: dict[str, Any], *, home: Path | None = None, env: dict[str, str] | None = None
    ) -> Proxy:
        proxy = Proxy(home or tmp_path / "home", config, env=env)
        started.append(proxy)
        return proxy.start()

    yield start
    for proxy in started:
        if proxy.process is not None and proxy.process.poll() is None:
            proxy.kill()


@pytest.fixture
def proxy(provider: FakeProvider, start_proxy: Callable[..., Proxy]) -> Proxy:
    """A running proxy with one model, `m`, at the fake provider."""
    return start_proxy(one_model(provider.base))


# --- a skip is an answer on a user's machine, and a hole in CI


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let CI refuse tests that skip."""
    parser.addoption("--no-skips", action="store_true", help="fail when a test is skipped")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name what was skipped although nothing may be."""
    if terminalreporter.config.getoption("--no-skips"):
        for report in terminalreporter.stats.get("skipped", []):
            terminalreporter.write_line(f"SKIPPED, which --no-skips forbids: {report.nodeid}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skips red."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = 1
