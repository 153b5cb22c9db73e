"""Sealing, removing and copying while a real proxy records: it loses nothing and notices nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import BadLine, StoredRecord, read_home
from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy, one_model
from tests.support.traffic import mixed

ROUNDS = 200 if os.environ.get("DOLPHIN_LONG") else 20


def run(home: Path, *arguments: str) -> str:
    """Run a command on a home."""
    done = subprocess.run(
        [sys.executable, "-m", "dolphin_logger", *arguments],
        env={**os.environ, "DOLPHIN_LOGGER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(home: Path) -> list[str]:
    """What was asked, in order; nothing may be damaged."""
    items = list(read_home(Home(home)))
    assert not [item for item in items if isinstance(item, BadLine)]
    return [
        str(item.fields["request"]["messages"][0]["content"])
        for item in items
        if isinstance(item, StoredRecord)
    ]


def test_beside_a_running_proxy(
    provider: FakeProvider, start_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    """Records go from the segment that is being written, the rest stays; copies of every moment are whole."""
    provider.script = mixed
    proxy = start_proxy(one_model(provider.base))
    stop = threading.Event()
    asked: list[str] = []

    def ask() -> None:
        while not stop.is_set() or len(asked) < ROUNDS:
            text = f"question {len(asked)} {os.urandom(6).hex()}"
            proxy.chat(messages=[{"role": "user", "content": text}])
            asked.append(text)

    thread = threading.Thread(target=ask)
    thread.start()
    removed: list[str] = []
    try:
        for number in range(3):
            proxy.records(3 * (number + 1) - len(removed))
            listed = json.loads(run(proxy.home, "ls", "--records", "--json"))["records"]
            gone = next(each for each in reversed(listed) if each["preview"] not in removed)
            run(proxy.home, "rm", gone["id"], "--yes")
            removed.append(gone["preview"])
            assert json.loads(run(proxy.home, "seal", "--all", "--json"))["sealed"] == []
            run(proxy.home, "backup", str(tmp_path / f"{number}.tar.zst"))
    finally:
        stop.set()
        thread.join()
    assert proxy.stop() == 0
    assert len(proxy.segments()) == 1
    left = [text for text in asked if text not in removed]
    assert len(left) == len(asked) - 3
    assert said(proxy.home) == left
    assert not any(text in proxy.segments()[0].read_text() for text in removed)
    run(proxy.home, "seal", "--all")
    assert said(proxy.home) == left
    for number in range(3):
        other = tmp_path / f"restored-{number}"
        run(other, "backup", "--restore", str(tmp_path / f"{number}.tar.zst"))
        copied = said(other)
        expected = [text for text in asked if text not in removed[: number + 1]]
        assert copied == expected[: len(copied)]
        assert copied
