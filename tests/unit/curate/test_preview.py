"""Rows as people read them, and as templates render them with what gets loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.checked import good_rows, write
from tests.support.pieces import THOUGHT

from dolphin_logger.curate.check import Dataset
from dolphin_logger.curate.preview import (
    Rendered,
    find_export,
    read,
    render_row,
    rows_from,
    rows_of,
)
from dolphin_logger.errors import DatasetError
from dolphin_logger.exporters import EXPORTERS
from dolphin_logger.journal.home import Home


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Write a dataset of every shape."""
    home = Home(tmp_path / "home")
    home.prepare()
    return write(home, good_rows())


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [leaf for one in inner for leaf in _leaves(one)]
    return [value] if isinstance(value, str) else []


def _loss(rendered: Rendered, name: str = "text") -> str:
    return "".join(span.text for span in rendered.texts[name] if span.has_loss)


def _text(rendered: Rendered, name: str = "text") -> str:
    return "".join(span.text for span in rendered.texts[name])


@pytest.mark.parametrize("name", [*EXPORTERS])
def test_a_row_of_every_shape_says_what_was_said(dataset: Dataset, name: str) -> None:
    """Question, answer and thought of a conversation stand in what a person reads, roles above them."""
    export = find_export(dataset, name)
    (row,) = rows_from(dataset, export, 1, count=1)
    spoken = list(read(row.value))
    shown = "\n".join(
        [one.heading for one in spoken]
        + [
            leaf
            for one in spoken
            for block in one.blocks
            for leaf in _leaves([block.title, block.value])
        ]
    )
    said = [leaf for leaf in _leaves(row.value) if " " in leaf or leaf in ("Hi", "Hello.")]
    assert said
    assert all(leaf in shown for leaf in said if not leaf.startswith("Runs a"))


def test_calls_results_and_thoughts_have_their_place() -> None:
    """A call has its name and its arguments as values, also where the row has them as a text."""
    for name in ("messages", "openai"):
        spoken = list(read(good_rows(name)[name][1]))
        calls = [
            (block.title, block.value)
            for one in spoken
            for block in one.blocks
            if block.title.startswith("call")
        ]
        assert calls
        assert all(isinstance(value, dict) for _, value in calls)
        assert any(one.heading == "messages tool" for one in spoken)
        assert any(one.heading == "tools: run" and not one.blocks for one in spoken)


def test_the_models_words_get_the_loss() -> None:
    """Of a whole conversation what the model wrote gets it, by TRL's own marks; questions do not."""
    row = good_rows("messages")["messages"][0]
    rendered = render_row(row, "qwen3", shape="messages")
    assert rendered.template == "qwen3_training"
    assert "Rayleigh scattering." in _loss(rendered)
    assert THOUGHT in _loss(rendered)
    assert "Why is the sky blue?" not in _loss(rendered)
    assert "Why is the sky blue?" in _text(rendered)
    assert rendered.trained == len(_loss(rendered))
    assert rendered.size == len(_text(rendered))


def test_without_marks_every_word_gets_it() -> None:
    """A template that marks nothing trains on all; that is said."""
    rendered = render_row(good_rows("messages")["messages"][0], "gemma4", shape="messages")
    assert rendered.trained == rendered.size > 0
    assert "every word" in rendered.why


@pytest.mark.parametrize(
    ("name", "trained"),
    [("turns", ["completion"]), ("kto", ["completion"]), ("preference", ["chosen", "rejected"])],
)
def test_what_follows_a_prompt_gets_it(name: str, trained: list[str]) -> None:
    """The prompt has none of it, each answer is all of it."""
    rendered = render_row(good_rows(name)[name][0], "qwen3_6", shape=name)
    assert list(rendered.texts) == ["prompt", *trained]
    assert _loss(rendered, "prompt") == ""
    assert all(_loss(rendered, one) == _text(rendered, one) != "" for one in trained)
    assert "Why is the sky blue?" in _text(rendered, "prompt")
    assert ("rated good" in rendered.why) == (name == "kto")


def test_what_cannot_be_rendered_says_why() -> None:
    """An unknown template, a shape without messages and a template that refuses are errors with a cure."""
    row = good_rows("messages")["messages"][1]
    with pytest.raises(DatasetError, match="'qwen-3-v': unknown; known: qwen3_vl, "):
        render_row(row, "qwen-3-v", shape="messages")
    with pytest.raises(DatasetError, match="openai: is not rendered; those that are: messages"):
        render_row(row, "qwen3", shape="openai")
    with pytest.raises(DatasetError, match="'gemma' cannot render this row: TemplateError: System"):
        render_row(row, "gemma", shape="messages")


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    """A .jinja file is a template, with the marks that stand in it."""
    path = tmp_path / "mine.jinja"
    path.write_text(
        "{% for m in messages %}{{ m.role }}:{% if m.role == 'assistant' %}"
        "{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %};{% endfor %}"
    )
    rendered = render_row(good_rows("messages")["messages"][0], str(path), shape="messages")
    assert _loss(rendered) == "Rayleigh scattering."
    assert _text(rendered) == "user:Why is the sky blue?;assistant:Rayleigh scattering.;"


def test_rows_are_found_by_number_and_record(dataset: Dataset) -> None:
    """Numbers count from 1; a record or conversation is found by the end of its id."""
    messages = find_export(dataset, None)
    assert messages.name == "messages"
    assert [row.place[-2:] for row in rows_from(dataset, messages, 1, count=5)] == [":1", ":2"]
    assert len(rows_of(dataset, messages, "r2", count=9)) == 2
    assert len(rows_of(dataset, find_export(dataset, "traces"), "r2", count=1)) == 1
    with pytest.raises(DatasetError, match="row 3: messages has no more than 2"):
        rows_from(dataset, messages, 3, count=1)
    with pytest.raises(DatasetError, match="record 'zz'"):
        rows_of(dataset, messages, "zz", count=1)
    with pytest.raises(DatasetError, match="export 'x': not in d; it has messages, turns"):
        find_export(dataset, "x")
