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
    for name in [name for name in os.environ if name.startswith("DOLPHIN_LOGGER_") or name == "PORT"]:
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

    def start(config: dict[str, Any], *, home: Path | None = None, env: dict[str, str] | None = None) -> Proxy:
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
