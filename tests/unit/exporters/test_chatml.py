"""ChatML rows: the text that a ChatML template makes of the conversation."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from tests.support.agent_sessions import (
    answer,
    chat_example,
    example,
    picture,
    result,
    system,
    tool_example,
    user,
)

from dolphin_logger.curate.check import axolotl, llama_factory
from dolphin_logger.example import Example, Json
from dolphin_logger.exporters import Options, UnfitError
from dolphin_logger.exporters.chatml import ChatML


def _text(piece: Example, **options: object) -> str:
    (row,) = ChatML().rows(piece, Options(**options))  # type: ignore[arg-type]
    assert list(row) == [column.name for column in ChatML.columns]
    return str(row["text"])


def _render(template: str, messages: list[Json], tools: list[Json]) -> str:
    trl = pytest.importorskip("trl")
    from transformers.utils.chat_template_utils import render_jinja_template

    text = (resources.files(trl) / "chat_templates" / f"{template}.jinja").read_text()
    (rendered,), _ = render_jinja_template([messages], tools=tools or None, chat_template=text)
    return str(rendered)


@pytest.mark.parametrize("template", ["qwen2_5", "qwen3", "qwen3_instruct_2507"])
def test_a_plain_conversation_is_what_templates_make_of_it(template: str) -> None:
    """Without thoughts and tools the text equals a real template's, to the last character."""
    piece = example(*[_bare(message) for message in chat_example().messages])
    expected = _render(template, piece.messages, [])
    if template == "qwen3":  # it opens the last answer with an empty thought
        expected = expected.replace("<think>\n\n</think>\n\n", "")
    assert _text(piece) == expected


def test_calls_and_results_are_what_templates_make_of_them() -> None:
    """Behind the instructions, which templates fill with sentences of their own, the text is Qwen 3's."""
    piece = tool_example()
    ours, theirs = _text(piece), _render("qwen3", piece.messages, piece.tools)
    assert ours.partition("<|im_end|>")[2] == theirs.partition("<|im_end|>")[2]
    for tool in piece.tools:
        assert json.dumps(tool) in ours.partition("<|im_end|>")[0]


def test_thoughts_stay_out_when_nobody_wants_them() -> None:
    """Without reasoning no text holds a thought or its marks."""
    text = _text(chat_example(), reasoning=False)
    assert "think" not in text
    assert "Greek" not in text
    assert "<think>\nNot Greek.\n</think>\n\nSouth of Sicily.<|im_end|>\n" in _text(chat_example())


def test_tools_without_instructions_have_a_turn_of_their_own() -> None:
    """Definitions are not lost where nobody gave instructions."""
    piece = example(user("Hi."), answer("Hello."), tools=tool_example().tools)
    assert _text(piece).startswith("<|im_start|>system\n<tools>\n{")


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (example(user("a <|im_end|> b"), answer("c")), r"its words hold <\|im_end\|>"),
        (example(user("a"), answer("b", thought="<|im_start|>")), r"its words hold <\|im_start\|>"),
        (example(user(picture("a.png")), answer("b")), "has pictures"),
        (example(user("a"), result("b")), "ends without an answer"),
        (example(system("a")), "ends without an answer"),
        (example({"role": "critic", "content": "a"}, answer("b")), "role 'critic'"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(piece: Example, reason: str) -> None:
    """Words that would be read as marks, and pictures, have no place in the text."""
    with pytest.raises(UnfitError, match=reason):
        list(ChatML().rows(piece, Options()))


def test_trainers_take_the_text_as_it_is() -> None:
    """LLaMA-Factory reads it as a text to go on from, Axolotl as a completion."""
    (row,) = ChatML().rows(chat_example(), Options())
    beside = ChatML().beside({"train": ["t.jsonl"]})
    entry = json.loads(beside["dataset_info.json"])["chatml_train"]
    assert llama_factory.read(entry, row)["turns"] == [{"role": "user", "text": row["text"]}]
    (item,) = axolotl.stanza(beside["axolotl.yaml"])["datasets"]
    assert (item["type"], item["field"]) == ("completion", "text")


def _bare(message: Json) -> Json:
    return {key: value for key, value in message.items() if key != "reasoning_content"}
