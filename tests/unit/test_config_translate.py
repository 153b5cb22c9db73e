"""`dialect` and `translate` of an entry: read, refused with the cure, and handed to the translation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger import config
from dolphin_logger.config.model import Translate


def load(folder: Path, **entry: Any) -> config.Config:
    """Load one entry with these keys."""
    path = folder / "config.json"
    models = [{"provider": "openai", "model": "m", **entry}]
    path.write_text(json.dumps({"models": models}))
    path.chmod(0o600)
    return config.load(path, env={}, known_providers=("openai",))


def test_defaults(tmp_path: Path) -> None:
    """Nothing is chosen unless the user does."""
    (entry,) = load(tmp_path).models
    assert (entry.dialect, entry.translate) == (None, Translate())


def test_everything_is_read(tmp_path: Path) -> None:
    """Each key; comments are passed over."""
    options = {
        "_why": "a comment",
        "maxTokens": 99,
        "forwardUser": True,
        "systemInPlace": True,
        "drop": ["seed", "top_p"],
    }
    (entry,) = load(tmp_path, dialect="openai.chat", translate=options).models
    assert entry.dialect == "openai.chat"
    assert entry.translate == Translate(99, True, True, frozenset(("seed", "top_p")))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("dialect", "openai", "expected 'openai.chat' or 'anthropic.messages' or 'gemini'"),
        ("dialect", 7, "expected 'openai.chat'"),
        ("translate", [], "expected an object with maxTokens"),
        ("translate", {"maxTokens": 0}, "expected a whole number above 0, got 0"),
        ("translate", {"maxTokens": "9"}, "expected a whole number above 0, got '9'"),
        ("translate", {"maxTokens": True}, "expected a whole number above 0"),
        ("translate", {"max_tokens": 9}, "did you mean 'maxTokens'?"),
        ("translate", {"drop": "seed"}, "expected an array"),
        ("translate", {"drop": [7]}, "expected"),
        ("translate", {"forwardUser": "yes"}, "expected true or false"),
    ],
)
def test_bad_values_are_named_with_the_cure(
    tmp_path: Path, key: str, value: Any, message: str
) -> None:
    """The entry is skipped, and the reason says where and what."""
    loaded = load(tmp_path, **{key: value})
    assert not loaded.models
    (skipped,) = loaded.skipped
    assert f"models[0].{key}" in skipped.reason
    assert message.partition("'")[0] in skipped.reason
