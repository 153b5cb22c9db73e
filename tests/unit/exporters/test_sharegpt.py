"""ShareGPT rows: what LLaMA-Factory and Axolotl read back is what was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy

import pytest
from tests.support.agent_sessions import (
    LIST_TOOL,
    answer,
    call,
    chat_example,
    example,
    picture,
    result,
    system,
    tool_example,
    user,
)

from dolphin_logger.curate.check import axolotl, llama_factory
from dolphin_logger.example import Chat, Example
from dolphin_logger.exporters import Options, UnfitError
from dolphin_logger.exporters.sharegpt import ShareGPT

FILES = {
    "train": ["train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl"],
    "validation": ["validation-00000-of-00001.jsonl"],
}


def _row(piece: Example, **options: object) -> dict[str, object]:
    (row,) = ShareGPT().rows(piece, Options(**options))  # type: ignore[arg-type]
    assert list(row) == [column.name for column in ShareGPT.columns]
    return json.loads(json.dumps(row))  # type: ignore[no-any-return]


def _read(piece: Example, **options: object) -> dict[str, object]:
    entries = json.loads(ShareGPT().beside(FILES)["dataset_info.json"])
    return llama_factory.read(entries["sharegpt_validation"], _row(piece, **options))


def test_calls_results_and_thoughts_come_back() -> None:
    """LLaMA-Factory finds each call with its arguments, the results in the order of the calls, and thoughts."""
    before = tool_example()
    read = _read(before)
    assert before == tool_example()
    assert read["system"] == "You may use tools."
    assert read["turns"] == [
        {"role": "user", "text": "What is in /srv, and what time is it?"},
        {
            "role": "assistant",
            "thought": "Two things to look up.",
            "text": "",
            "calls": [
                {"name": "list_files", "arguments": {"path": "/srv", "depth": 2}},
                {"name": "now", "arguments": {}},
            ],
        },
        {"role": "tool", "results": ["a.txt\nü.txt", "12:30"]},
        {
            "role": "assistant",
            "thought": "",
            "text": "Let me look closer.",
            "calls": [{"name": "list_files", "arguments": {"path": "/srv/ü"}}],
        },
        {"role": "tool", "results": ["empty"]},
        {
            "role": "assistant",
            "thought": "Done.",
            "text": "Two files; it is half past twelve.",
            "calls": [],
        },
    ]


def test_tools_are_a_text_of_functions() -> None:
    """`tools` is JSON text; a tool that takes nothing still has the properties that are asked for."""
    tools = _read(tool_example())["tools"]
    assert tools[0] == LIST_TOOL["function"]  # type: ignore[index]
    assert tools[1] == {"name": "now", "parameters": {"type": "object", "properties": {}}}  # type: ignore[index]
    assert _row(chat_example())["tools"] == ""


def test_thoughts_stay_out_when_nobody_wants_them() -> None:
    """Without reasoning no value holds a thought or its marks."""
    text = json.dumps(_row(chat_example(), reasoning=False))
    assert "think" not in text
    assert "Greek" not in text


def test_adjacent_messages_of_one_side_are_one_turn() -> None:
    """Two messages of a user, and words before a call, are one turn each, as providers read them."""
    said = answer("Wait."), answer("", call("now", {}, call_id="c"), thought="Look.")
    piece = example(
        user("Hi."), user("What time?"), *said, result("1", call_id="c"), answer("One.")
    )
    turns = _read(piece)["turns"]
    assert turns[0] == {"role": "user", "text": "Hi.\n\nWhat time?"}  # type: ignore[index]
    called = {"name": "now", "arguments": {}}
    assert turns[1] == {  # type: ignore[index]
        "role": "assistant",
        "thought": "Look.",
        "text": "Wait.",
        "calls": [called],
    }


@pytest.mark.parametrize("speaker", [user, system])
def test_words_behind_results_are_a_persons(speaker: Callable[[str], Chat]) -> None:
    """What is said behind results stands in one turn with them, outside of the marks around the results."""
    piece = example(
        user("a"),
        answer("", call("now", {}, call_id="c"), call("now", {}, call_id="d")),
        result("2", call_id="d"),
        result("1", call_id="c"),
        speaker("and now?"),
        answer("b"),
    )
    wrapped = "<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response>"
    turns = _read(piece)["turns"]
    assert turns[2] == {"role": "user", "text": f"{wrapped}\n\nand now?"}  # type: ignore[index]
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 2  # type: ignore[attr-defined]


def test_later_instructions_are_a_persons_words() -> None:
    """Instructions behind the beginning have no turn of their own: they join what was asked."""
    piece = example(
        system("s"), user("a"), answer("b"), user("c"), system("Be brief."), answer("d")
    )
    assert [turn["value"] for turn in _row(piece)["conversations"]] == [  # type: ignore[attr-defined]
        *("s", "a", "b", "c\n\nBe brief.", "d")
    ]


def test_pictures_are_marks_and_addresses() -> None:
    """Each picture is `<image>` in the words and an address in `images`, in order."""
    seen = user("Compare ", picture("images/a.png"), " with ", picture("https://x.test/b.png"))
    row = _row(example(seen, answer("Alike.")))
    assert row["images"] == ["images/a.png", "https://x.test/b.png"]
    assert row["conversations"][0]["value"] == "Compare <image> with <image>"  # type: ignore[index]
    assert _row(example(seen, answer("Alike.")), images="drop")["images"] == []
    assert _read(example(seen, answer("Alike.")))["images"] == row["images"]


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (example(user("Hi.")), "ends without an answer"),
        (example(), "ends without an answer"),
        (example(answer("Hello.")), "does not begin with a user"),
        (
            example(
                user("a"),
                answer("", call("now", {}, call_id="c")),
                user("and"),
                result("1", call_id="c"),
                answer("b"),
            ),
            "before a tool's result",
        ),
        (
            example(
                user("a"),
                answer("", call("now", {}, call_id="c")),
                result("1", call_id="c"),
                user("</tool_response> and"),
                answer("b"),
            ),
            "its words hold </tool_response>",
        ),
        (
            example(user("a"), answer("", call("now", {})), result("1"), result("2"), answer("b")),
            "not one result for each",
        ),
        (
            example(
                user("a"),
                answer("", call("now", {}, call_id="c")),
                result("1", call_id="d"),
                answer("b"),
            ),
            "without its call",
        ),
        (example(user("an <image> tag"), answer("b")), "its words hold <image>"),
        (
            example(user("a"), answer("", call("write", {"text": "</tool_call>"}))),
            "its words hold </tool_call>",
        ),
        (example(user("a"), answer("b", thought="x </think> y")), "its words hold </think>"),
        (example(user("a"), {"role": "critic", "content": "b"}, answer("c")), "role 'critic'"),
        (
            example(user("a"), user(picture("x.png")) | {"role": "assistant"}),
            "pictures in an answer",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(piece: Example, reason: str) -> None:
    """A conversation without a place in the shape is never bent until it fits."""
    with pytest.raises(UnfitError, match=reason):
        list(ShareGPT().rows(piece, Options()))


def test_every_file_of_rows_has_its_entry() -> None:
    """`dataset_info.json` names each file once; the Axolotl stanza does too, by split."""
    beside = ShareGPT().beside(FILES)
    entries = json.loads(beside["dataset_info.json"])
    named = {key: entry["file_name"] for key, entry in entries.items()}
    assert named == {
        "sharegpt_train_00000": "train-00000-of-00002.jsonl",
        "sharegpt_train_00001": "train-00001-of-00002.jsonl",
        "sharegpt_validation": "validation-00000-of-00001.jsonl",
    }
    read = axolotl.stanza(beside["axolotl.yaml"])
    assert [item["path"] for item in read["datasets"]] == FILES["train"]
    assert [item["path"] for item in read["test_datasets"]] == FILES["validation"]


def test_axolotl_reads_plain_conversations() -> None:
    """By the stanza's mappings a row is the conversation that went in, its thoughts in the text."""
    (item,) = axolotl.stanza(ShareGPT().beside({"train": ["t.parquet"]})["axolotl.yaml"])[
        "datasets"
    ]
    assert item["ds_type"] == "parquet"
    piece = deepcopy(chat_example())
    read = axolotl.messages(item, _row(piece, reasoning=False))
    for message in piece.messages:
        message.pop("reasoning_content", None)
    assert read == piece.messages
