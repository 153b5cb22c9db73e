"""The tutorial, run from its page: record with a real client, build, check, propose, load back."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import Hub, running_hub
from tests.support.provider import FakeProvider, Received, Wire, chat_answer
from tests.support.proxy import Proxy

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
NAME = "me/chats"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def blocks(language: str) -> list[str]:
    """Give the blocks of code of the page, in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Give the commands of the page, in order."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("dolphin-logger ")]


class Reader:
    """A person who follows the page, each command in a process of its own."""

    def __init__(self, home: Path, hub: Hub) -> None:
        self.hub = hub
        self.env = {
            **os.environ,
            "DOLPHIN_LOGGER_HOME": str(home),
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": hub.user("me"),
            "HF_HOME": str(home.parent / "hf"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        self.env.pop("HF_HUB_OFFLINE", None)

    def do(self, command: str, *, code: int = 0) -> str:
        """Run a line of the page; give what it printed."""
        words = shlex.split(command)[1:]
        done = subprocess.run(
            [sys.executable, "-m", "dolphin_logger", *words],
            check=False,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run(self, program: str) -> str:
        """Run a program of the page."""
        done = subprocess.run(
            [sys.executable, "-c", program],
            check=False,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


async def answering(request: Received, wire: Wire) -> None:
    """Answer each request otherwise, as a model does."""
    asked = json.loads(request.body)["messages"]
    number = sum(message["role"] == "user" for message in asked)
    answering.count += 1  # type: ignore[attr-defined]
    body = chat_answer(f"Answer {number}, try {answering.count}.")  # type: ignore[attr-defined]
    await wire.head(200, [("content-type", "application/json")], length=len(body))
    await wire.chunk(body)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Record what the page's client says, through the real proxy; give who reads on."""
    answering.count = 0  # type: ignore[attr-defined]
    home = tmp_path / "home"
    (config,) = (json.loads(block) for block in blocks("json"))
    with FakeProvider() as provider, running_hub(tmp_path / "hub") as hub:
        provider.script = answering
        config["models"][0]["apiBase"] = provider.base
        client, _ = blocks("python")
        with Proxy(home, config) as proxy:
            reader = Reader(home, hub)
            reader.run(client.replace("127.0.0.1:5001", f"127.0.0.1:{proxy.port}"))
        yield reader


@pytest.mark.timeout(600)
def test_the_tutorial_leads_from_a_chat_to_a_pull_request(reader: Reader) -> None:
    """Every command of the page works, in its order; what was confirmed is what `datasets` loads."""
    told = commands()
    ends = [at for at, line in enumerate(told) if "upload" in line]
    printed = {line: reader.do(line) for line in told[: ends[0]]}
    assert len(printed["dolphin-logger ls"].strip().splitlines()) == 2  # a heading, a conversation
    build = reader.env["DOLPHIN_LOGGER_HOME"] + "/datasets/"
    built = rows(Path(build) / "sft" / "data" / "messages")
    assert "<EMAIL_1>" in str(built)
    assert "lovelace" not in str(built)
    (pair,) = rows(Path(build) / "preference" / "data" / "preference")
    assert pair["chosen"][0]["content"] == "Answer 2, try 2."
    assert pair["rejected"][0]["content"] == "Answer 2, try 3."
    assert "loss" in printed["dolphin-logger dataset preview sft --template qwen3"]

    reviewed = reader.do(told[ends[0]], code=6)
    digest = DIGEST.search(reviewed)
    assert digest is not None
    confirmed = told[ends[1]].replace("sha256:…", digest[0])
    url = reader.do(confirmed).splitlines()[-1]
    assert url == f"{reader.hub.url}/datasets/{NAME}/discussions/1"
    assert reader.do(told[ends[0]]).splitlines()[-1] == url
    assert reader.hub.repositories[NAME].private

    loaded = reader.run(blocks("python")[1])
    assert "When should I not use it?" in loaded
    assert "<EMAIL_1>" in loaded


def rows(folder: Path) -> list[Any]:
    """Read the rows of a folder."""
    lines = [
        line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()
    ]
    return [json.loads(line) for line in lines]
