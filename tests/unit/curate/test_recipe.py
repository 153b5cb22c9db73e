"""Recipes: what is written, what is missing, and what is wrong with it."""

from __future__ import annotations

import itertools
import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.curate.recipe import Recipe, explain_recipe, read_recipe, write_recipe
from dolphin_logger.curate.recipes import built_in, find_recipe
from dolphin_logger.errors import DatasetError


@pytest.mark.parametrize("name", built_in())
def test_what_is_explained_is_the_recipe(name: str) -> None:
    """The explained and the resolved form read back as the same recipe, in TOML's own words."""
    recipe = find_recipe(name).recipe
    for text in (explain_recipe(recipe), write_recipe(recipe)):
        assert read_recipe(tomllib.loads(text), name=name) == recipe
    assert hash(pickle.loads(pickle.dumps(recipe))) == hash(recipe)


def test_every_setting_is_explained() -> None:
    """Each setting stands below one line that says what it means."""
    lines = explain_recipe(Recipe()).splitlines()
    settings = [number for number, line in enumerate(lines) if " = " in line and line[0] != "#"]
    assert len(settings) > 50
    for number in settings:
        assert lines[number - 1].startswith("# "), lines[number]
        assert 10 < len(lines[number - 1]) < 120, lines[number - 1]


def test_the_reference_page_has_every_setting() -> None:
    """Each line that explains a setting stands in the page, with the default."""
    page = (Path(__file__).parents[3] / "docs/reference/recipe.md").read_text()
    lines = explain_recipe(Recipe()).splitlines()
    for meaning, line in itertools.pairwise(lines):
        if " = " in line and not line.startswith("#"):
            key, _, value = line.partition(" = ")
            assert f"| `{key}` | `{value}` | {meaning[2:]} |" in page


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"export": ["messages"]}, "export: unknown key; did you mean 'exports'?"),
        ({"rating": 3}, r"rating: unknown key; it belongs into the table \[selection\]"),
        ({"selection": {"modle": []}}, "selection.modle: unknown key; did you mean 'model'?"),
        ({"selection": {"rating": 9}}, "selection.rating: expected a whole number from 1 to 5, got 9"),
        ({"selection": {"rating": True}}, "selection.rating: expected a whole number"),
        ({"selection": {"since": "today"}}, "selection.since: expected a day such as"),
        ({"selection": {"since": "2026-02-01", "until": "2026-01-01"}}, "is after until"),
        ({"selection": []}, r"selection: expected a table, \[selection\], got an array"),
        ({"exports": "messages"}, "exports: expected an array of strings, got 'messages'"),
        ({"format": "csv"}, "format: expected 'jsonl' or 'parquet', got 'csv'"),
        ({"validation": 2}, "validation: expected a number from 0 to 1, got 2"),
        ({"pairs": {"signals": ["edits"]}}, r"pairs.signals\[0\]: unknown name 'edits'; did you mean 'edit'"),
        ({"filters": {"turn": {}}}, "filters.turn: unknown key; did you mean 'turns'?"),
        ({"filters": {"turns": {"least": 5, "most": 2}}}, "filters.turns: nothing is at least 5"),
        ({"filters": {"turns": {"least": "5"}}}, "filters.turns.least: expected a whole number"),
        ({"redaction": {"canaries": [""]}}, r"redaction.canaries\[0\]: expected a non-empty string"),
    ],
)  # fmt: skip
def test_an_error_names_path_value_and_cure(values: dict[str, Any], message: str) -> None:
    """What is unknown or unfit is told with its place, and with what would do."""
    with pytest.raises(DatasetError, match=f"^mine.toml: .*{message}"):
        read_recipe(values, name="mine.toml")


def test_a_recipe_extends_another(tmp_path: Path) -> None:
    """Tables are joined and values replaced; paths mean files beside the recipe that has them."""
    (tmp_path / "tests").mkdir()
    base = tmp_path / "base.toml"
    base.write_text(
        'extends = "agent-traces"\nexports = ["atif"]\n'
        'selection = {client = ["codex"]}\ncontamination = {files = ["tests/a.txt"]}'
    )
    mine = tmp_path / "mine.toml"
    mine.write_text('extends = "base.toml"\n[selection]\nrating = 4\nsince = 2026-01-02\n')
    found = find_recipe(str(mine))
    assert found.name == "mine"
    assert found.recipe.exports == ("atif",)
    chosen = found.recipe.selection
    assert (chosen.client, chosen.rating, chosen.imported) == (("codex",), 4, True)
    assert chosen.since == "2026-01-02"
    assert found.recipe.contamination.files == (str(tmp_path / "tests/a.txt"),)
    assert found.recipe.filters.presence.tool_calls == "some"


def test_recipes_that_cannot_be_found_say_which_there_are(tmp_path: Path) -> None:
    """Unknown names, missing files, bad TOML and circles are errors with a cure."""
    with pytest.raises(DatasetError, match=r"unknown recipe 'sfd'; did you mean 'sft'\?"):
        find_recipe("sfd")
    with pytest.raises(DatasetError, match="No such file"):
        find_recipe(str(tmp_path / "none.toml"))
    circle = tmp_path / "circle.toml"
    circle.write_text('extends = "circle.toml"')
    with pytest.raises(DatasetError, match="circle"):
        find_recipe(str(circle))
    circle.write_text("exports = [")
    with pytest.raises(DatasetError, match="not TOML"):
        find_recipe(str(circle))


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "shard_mib = " + "9" * 5000])
def test_what_the_parser_of_toml_does_not_expect(text: str, tmp_path: Path) -> None:
    """Depth and endless numbers are faults of the file."""
    (tmp_path / "odd.toml").write_text(text)
    with pytest.raises(DatasetError, match=r"odd\.toml"):
        find_recipe(str(tmp_path / "odd.toml"))


def test_a_license_is_spelled_as_the_hub_does() -> None:
    """A misspelt license is an error when the recipe is read, not when somebody publishes."""
    assert read_recipe({"license": "cc-by-4.0"}, name="mine").license == "cc-by-4.0"
    with pytest.raises(DatasetError, match=r"license: expected one of apache-2\.0.*'mitt'"):
        read_recipe({"license": "mitt"}, name="mine")
