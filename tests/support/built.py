"""Datasets for tests: a home that was recorded through the real proxy, and builds of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from dolphin_logger.curate.build import build
from dolphin_logger.curate.manifest import Manifest
from dolphin_logger.curate.recipe import Recipe, read_recipe
from dolphin_logger.curate.work import Private
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter
from tests.support import session_files as sessions
from tests.support.imported import bring
from tests.support.provider import FakeProvider, Received, Wire, chat_answer
from tests.support.proxy import Proxy, one_model

CONFIG_KEY = "sk-proj-Vq8xT2mWc4Ld9Rb7Zk3Hn6Ys1Pf5Gj0QaEuXoIi"
PLANTED_KEY = "ghp_" + "x7Kq2Wm9Rt4Vb8Nc3Zd6Lf1Hs5Jp0Ya2Gu7E"
FAILS = "please fail"
AGAIN = "Name a colour."
CHATS = 6
CONVERSATIONS = CHATS + 2  # with an answer
ENDS = CONVERSATIONS + 1  # one was answered twice
IMPORTED = 2  # turns


class Talking:
    """A provider that answers what it is asked, and another thing when it is asked again."""

    def __init__(self) -> None:
        self.asked: dict[bytes, int] = {}

    async def __call__(self, request: Received, wire: Wire) -> None:
        """Answer one request."""
        body = request.json()
        said = body["messages"][-1]["content"]
        times = self.asked[request.body] = self.asked.get(request.body, 0) + 1
        if FAILS in said:
            answer, status = b'{"error":{"message":"no"}}', 500
        else:
            answer, status = chat_answer(f"Answer {times} to: {said}"), 200
        await wire.head(status, [("content-type", "application/json")], length=len(answer))
        await wire.chunk(answer)


class Chat:
    """A client with one conversation; `ids` are those of its records."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.messages: list[dict[str, Any]] = []
        self.ids: list[str] = []

    def ask(self, text: str) -> str:
        """Ask, and take the answer into the history."""
        self.messages.append({"role": "user", "content": text})
        return self.again()

    def again(self) -> str:
        """Ask what stands there, without an answer that may stand behind it."""
        if self.messages[-1]["role"] == "assistant":
            self.messages.pop()
        body = orjson.dumps({"model": "m", "messages": self.messages})
        done = self._proxy.request(
            "POST", "/v1/chat/completions", body, {"content-type": "application/json"}
        )
        self.ids.append(str(done.header("x-dolphin-id")))
        if done.status == 200:
            self.messages.append(done.json()["choices"][0]["message"])
        return self.ids[-1]


def record(home: Path) -> dict[str, Chat]:
    """Record chats through the proxy, and import a session; give the chats by name."""
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(FakeProvider(Talking()))
        config = one_model(provider.base, entry={"apiKey": CONFIG_KEY})
        proxy = stack.enter_context(Proxy(home, config))
        chats = {f"chat {number}": Chat(proxy) for number in range(CHATS)}
        for name, chat in chats.items():
            chat.ask(f"What is {name}?")
            chat.ask(f"And what comes after {name}?")
        failing = chats["failing"] = Chat(proxy)
        failing.ask(FAILS)
        again = chats["again"] = Chat(proxy)
        again.ask(AGAIN)
        again.again()
        again.ask("Why that one?")
        secret = chats["secret"] = Chat(proxy)
        secret.ask(f"My key {PLANTED_KEY} does not work, nor does {CONFIG_KEY}. I am jo@corp.dev.")
        proxy.records(2 * CHATS + 5)
    path = home.parent / "session.jsonl"
    path.write_bytes(sessions.jsonl(sessions.claude_code()))
    sessions.calm(path)
    bring(home, path)
    return chats


def recipe(**values: Any) -> Recipe:
    """Make a recipe."""
    return read_recipe(values, name="test")


@contextlib.contextmanager
def silent(label: str, *, length: int) -> Iterator[Any]:
    """Show no progress."""
    del label, length
    yield lambda _: None


def make(home: Path, wanted: Recipe, *, workers: int = 1, name: str = "d", **more: Any) -> Manifest:
    """Build a dataset."""
    given = {"private": Private((CONFIG_KEY,)), "progress": silent} | more
    out = home / "datasets" / name
    return build(Home(home), wanted, name=name, out=out, workers=workers, **given)


def rows(manifest: Manifest, export: str) -> list[dict[str, Any]]:
    """Give the rows of an export in JSON lines, split after split."""
    paths = sorted((manifest.folder / "data" / export).glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def rejected(manifest: Manifest) -> dict[str, str]:
    """Give the reasons by record."""
    lines = (manifest.folder / "local" / "rejected.jsonl").read_bytes().splitlines()
    return {one["piece"]: one["reason"] for one in map(json.loads, lines)}


def tree(folder: Path) -> dict[str, bytes]:
    """Give every file of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def label(home: Path, record_id: str, kind: str, value: Any = None, **more: Any) -> None:
    """Write a label."""
    writer = LabelWriter(Home(home))
    writer.write(record_id, kind, value, **more)
    writer.close()


def selecting(wanted: Recipe, **values: Any) -> Recipe:
    """Change what a recipe selects."""
    return replace(wanted, selection=replace(wanted.selection, **values))


def command(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `dolphin-logger dataset`."""
    return subprocess.run(
        [sys.executable, "-m", "dolphin_logger", "dataset", *arguments],
        env=os.environ | {"DOLPHIN_LOGGER_HOME": str(home)} | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
