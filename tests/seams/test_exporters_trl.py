"""Rows go through TRL's own code: it knows them as conversations and renders them with real templates."""

from __future__ import annotations

import pytest
from tests.support import rendering
from tests.support.pieces import EXAMPLES, PAIRS, THOUGHT, example

from dolphin_logger.example import Piece
from dolphin_logger.exporters import EXPORTERS, Options, Row, UnfitError, prepare
from dolphin_logger.messages import Image, Text

trl = pytest.importorskip("trl.data_utils")
# families whose templates know system messages, calls, several at once, and results
TEMPLATES = (
    "qwen3",
    "qwen3_6",
    "glm4moe",
    "gemma4",
    "qwen3_8",
    "nemotron_3_nano",
    "deepseekv3_training",
)
AGENTS = (
    "an agent",
    "calls without ids",
    "ends with a call",
    "a search within the answer",
    "a custom tool",
)
SHAPES = [name for name in EXPORTERS if name in ("messages", "turns", "preference", "kto")]


def row_of(name: str, piece: Piece) -> Row:
    """Write the one row of a piece."""
    (row,) = EXPORTERS[name].rows(prepare(piece, Options())[0], Options())
    return row


def piece_of(name: str, odd: str) -> Piece:
    """Find a piece by what is odd about it."""
    return PAIRS[odd] if name == "preference" else EXAMPLES[odd]


def render(name: str, odd: str, template: str) -> dict[str, str]:
    """Render a row as TRL's trainers do."""
    row = row_of(name, piece_of(name, odd))
    assert trl.is_conversational(row)
    return rendering.render(row, template)


@pytest.mark.parametrize("name", SHAPES)
def test_trl_knows_every_row_as_a_conversation(name: str) -> None:
    """Whatever is written is conversational, has a set of keys that TRL knows, and a role it can go on from."""
    template = rendering.tokenizer("qwen3_vl")
    count = 0
    for odd in PAIRS if name == "preference" else EXAMPLES:
        try:
            row = row_of(name, piece_of(name, odd))
        except UnfitError:
            continue
        count += 1
        assert trl.is_conversational(row)
        assert trl.apply_chat_template(row, template, tools=row["tools"]), odd
    assert count > 10


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("odd", AGENTS)
def test_templates_render_calls_and_results(odd: str, template: str) -> None:
    """A whole conversation with tools renders in every family, with each call's name and arguments."""
    text = render("messages", odd, template)["text"]
    for chat in EXAMPLES[odd].messages:
        assert not isinstance(chat["content"], str) or chat["content"] in text
        for call in chat.get("tool_calls", ()):
            assert call["function"]["name"] in text
            assert '\\"' not in text  # nothing is JSON within JSON


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("odd", ["plain", *AGENTS])
def test_prompt_and_completion_are_the_whole(odd: str, template: str) -> None:
    """What a turn renders to is what the whole conversation does, and the completion is the answer alone."""
    rendered = render("turns", odd, template)
    whole = render("messages", odd, template)["text"]
    assert rendered["prompt"] + rendered["completion"] == whole
    answer = EXAMPLES[odd].messages[-1]
    assert answer["content"] in rendered["completion"]
    assert "Why is the sky blue?" not in rendered["completion"]


def test_the_thought_of_a_turn_is_trained() -> None:
    """What was thought before the answer stands in the completion, where a template renders thoughts."""
    assert THOUGHT in render("turns", "plain", "qwen3_6")["completion"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_two_answers_go_on_from_one_prompt(template: str) -> None:
    """A pair renders to a prompt and two different answers."""
    rendered = render("preference", "an agent", template)
    assert "There is a.txt." in rendered["chosen"]
    assert "Because." in rendered["rejected"]
    assert "List the files." in rendered["prompt"]


def test_a_rated_answer_keeps_its_label() -> None:
    """The label goes through beside prompt and completion."""
    assert render("kto", "rated 1", "qwen3")["label"] is False


def test_trl_fills_pictures_into_their_places() -> None:
    """As many places as pictures, in order, also where earlier words have none."""
    piece = example(
        ("user", [Text("Hi")]),
        ("assistant", [Text("Hello.")]),
        ("user", [Image(url="https://x.test/1"), Text("and"), Image(url="https://x.test/2")]),
        ("assistant", [Text("Two.")]),
    )
    row = row_of("vision", piece)
    filled = trl.prepare_multimodal_messages(row["messages"], images=["first", "second"])
    assert row["images"] == ["https://x.test/1", "https://x.test/2"]
    assert [part.get("image") for part in filled[2]["content"]] == ["first", None, "second"]
    plain = row_of("vision", EXAMPLES["plain"])
    assert plain["images"] == []
    assert trl.prepare_multimodal_messages(plain["messages"], images=[])


def test_a_shape_for_text_has_no_column_of_pictures() -> None:
    """TRL refuses a text model for every dataset with a column `images`: only `vision` has it."""
    with_images = [
        name
        for name, exporter in EXPORTERS.items()
        if {"image", "images"} & {column.name for column in exporter.columns}
        and name != "sharegpt"  # which TRL does not read
    ]
    assert with_images == ["vision"]
