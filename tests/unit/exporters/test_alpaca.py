"""Alpaca rows: the last question and answer, the earlier ones as history, nothing but text."""

from __future__ import annotations

import json

import pytest
from tests.support.agent_sessions import (
    TIME_TOOL,
    answer,
    call,
    chat_example,
    example,
    picture,
    tool_example,
    user,
)

from dolphin_logger.curate.check import axolotl, llama_factory
from dolphin_logger.example import Example
from dolphin_logger.exporters import Options, UnfitError
from dolphin_logger.exporters.alpaca import Alpaca


def test_a_conversation_is_its_last_question_and_a_history() -> None:
    """LLaMA-Factory reads every word back, thoughts in their marks."""
    piece = chat_example()
    (row,) = Alpaca().rows(piece, Options())
    assert list(row) == [column.name for column in Alpaca.columns]
    assert row["instruction"] == "And Malta?"
    assert row["output"] == "<think>\nNot Greek.\n</think>\n\nSouth of Sicily."
    assert piece == chat_example()
    entry = json.loads(Alpaca().beside({"train": ["t.jsonl"]})["dataset_info.json"])["alpaca_train"]
    assert llama_factory.read(entry, row) == {
        "system": "Be brief.",
        "tools": [],
        "images": [],
        "turns": [
            {"role": "user", "text": "Where is Rhodos?"},
            {
                "role": "assistant",
                "thought": "An island; Greek.",
                "text": "In the Aegean.",
                "calls": [],
            },
            {"role": "user", "text": "And Malta?"},
            {"role": "assistant", "thought": "Not Greek.", "text": "South of Sicily.", "calls": []},
        ],
    }


def test_thoughts_stay_out_when_nobody_wants_them() -> None:
    """Without reasoning no value holds a thought or its marks."""
    (row,) = Alpaca().rows(chat_example(), Options(reasoning=False))
    assert row["history"] == [["Where is Rhodos?", "In the Aegean."]]
    assert row["output"] == "South of Sicily."


def test_dropped_pictures_leave_the_words() -> None:
    """A conversation with pictures fits once they are dropped, and not before."""
    piece = example(user("What is ", picture("a.png"), "this?"), answer("A cat."))
    (row,) = Alpaca().rows(piece, Options(images="drop"))
    assert row["instruction"] == "What is this?"
    with pytest.raises(UnfitError, match="has pictures"):
        list(Alpaca().rows(piece, Options()))


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (tool_example(), "has tools"),
        (example(user("a"), answer("b"), tools=[TIME_TOOL]), "has tools"),
        (example(user("a"), answer("", call("now", {}))), "has tools"),
        (example(user("a")), "ends without an answer"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(piece: Example, reason: str) -> None:
    """Tools, called or only offered, have no place in Alpaca rows."""
    with pytest.raises(UnfitError, match=reason):
        list(Alpaca().rows(piece, Options()))


def test_the_stanza_says_what_axolotl_does_not_read() -> None:
    """Axolotl reads no history; whoever uses the stanza sees it there."""
    text = Alpaca().beside({"train": ["t.jsonl"]})["axolotl.yaml"]
    assert axolotl.stanza(text)["datasets"][0]["type"] == "alpaca_w_system.load_instruct"
    assert "history" in text
