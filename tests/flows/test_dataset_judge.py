"""A judge: what it costs is said first, and what it rates low is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.built import command
from tests.support.chats import Chats, assistant, user
from tests.support.provider import FakeProvider, Received, Wire, chat_answer
from tests.support.proxy import Proxy, one_model


async def _rate(request: Received, wire: Wire) -> None:
    """Rate what is about cats highly."""
    said = request.json()["messages"][-1]["content"]
    body = chat_answer(json.dumps({"reason": "so it is", "score": 5 if "cats" in said else 1}))
    await wire.head(200, [("content-type", "application/json")], length=len(body))
    await wire.chunk(body)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Record two conversations."""
    chats = Chats(tmp_path / "home")
    for animal in ("cats", "dogs"):
        chats.ask(user(f"Tell me of {animal}."), answer=assistant(f"There are {animal}."))
    chats.journal.close()
    return tmp_path / "home"


def test_a_judge_is_asked_when_somebody_agrees(home: Path, tmp_path: Path) -> None:
    """Without `--yes` nothing is sent; with it each is rated once, and the low one is left out."""
    recipe = tmp_path / "judged.toml"
    recipe.write_text('extends = "sft"\n[judge]\nmodel = "m"\n')
    with FakeProvider(_rate) as provider, Proxy(home, one_model(provider.base)):
        done = command(home, "build", str(recipe))
        assert done.returncode == 1
        assert "m is to rate 2 conversations" in done.stderr
        assert provider.requests == []
        assert not (home / "datasets" / "judged").exists()
        done = command(home, "build", str(recipe), "--yes")
        assert done.returncode == 0, done.stderr
        assert len(provider.requests) == 2
        done = command(home, "build", str(recipe), "--fresh")
        assert done.returncode == 0, done.stderr  # all are rated: nobody has to be asked
        assert len(provider.requests) == 2
    (line,) = (home / "datasets/judged/data/messages").glob("*.jsonl")
    assert "cats" in line.read_text()
    assert "dogs" not in line.read_text()
    left_out = (home / "datasets/judged/local/rejected.jsonl").read_text()
    assert "judge: m rated it 1 of 5" in left_out
    assert len(list((home / "logs").glob("*.jsonl"))) == 1  # what the judge was asked is no record


def test_a_judge_needs_a_model_and_a_proxy(home: Path, tmp_path: Path) -> None:
    """An unknown model, and no proxy to ask it through, are told before anything is read."""
    recipe = tmp_path / "judged.toml"
    recipe.write_text('extends = "sft"\n[judge]\nmodel = "m"\n')
    done = command(home, "build", str(recipe))
    assert done.returncode == 1
    assert "'m' is not in config.json" in done.stderr
    (home / "config.json").write_text(json.dumps(one_model("http://127.0.0.1:9/v1")))
    (home / "config.json").chmod(0o600)
    done = command(home, "build", str(recipe))
    assert done.returncode == 1
    assert "start one: dolphin-logger" in done.stderr
