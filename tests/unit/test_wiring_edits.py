"""Settings changed in place: JSON with comments, files of variables, simple YAML; and taken back."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given as draw
from hypothesis import strategies as st

from dolphin_logger.setup import dotenv, jsonc, yaml_lines
from dolphin_logger.setup._api import Circumstances, Edit, Place, adapted
from dolphin_logger.setup.edits import apply, compare, undo
from dolphin_logger.setup.jsonc import MalformedError
from dolphin_logger.setup.table import CLIENTS, find_client

HERE = Circumstances("http://127.0.0.1:5001", {"HOME": "/nobody"}, model="lo")
COMMENTED = """\ufeff// mine
{
\t"a": 1, // one
\t/* two */ "b": {"x": [1, 2,],},
\t"c": { // three
\t\t"y": "//no comment", // four
\t},
}
// end
"""
KEYS = st.sampled_from(["a", "b", "env", 'q"\\', "ü", ""])
OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def plain(text: str) -> Any:
    """Read JSON with comments by other means: the comments of COMMENTED stand at known places."""
    for comment in ("// mine", "// one", "/* two */", "// three", "// four", "// end", "\ufeff"):
        text = text.replace(comment, "")
    return json.loads(text.replace(",}", "}").replace(",]", "]"))


# --- JSON


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("d",), '\t"d": "new"'),
        (("c", "z"), '\t\t"z": "new"'),
        (("a",), '\t"a": "new", // one'),
        (("b", "x"), '\t/* two */ "b": {"x": "new",},'),
        (("c", "y"), '\t\t"y": "new", // four'),
    ],
)
def test_json_changes_one_line(path: tuple[str, ...], line: str) -> None:
    """Comments, order and indentation stay; the new value stands where its siblings stand."""
    after = jsonc.set_value(COMMENTED, path, "new")
    old, new = COMMENTED.splitlines(), after.splitlines()
    assert [found for found in new if found not in old] == [line]
    assert len(new) - len(old) == (path[-1] in "dz")
    expected = jsonc.parse(COMMENTED)
    where = expected
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = "new"
    assert jsonc.parse(after) == expected


def test_json_makes_what_is_missing() -> None:
    """Objects on the way are made, laid out as the file is."""
    after = jsonc.set_value('{\n    "a": 1\n}\n', ("x", "y", "z"), 1)
    assert after == '{\n    "a": 1,\n    "x": {\n        "y": {\n            "z": 1\n        }\n    }\n}\n'  # fmt: skip
    assert jsonc.set_value("", ("a", "b"), True) == '{\n  "a": {\n    "b": true\n  }\n}\n'
    assert jsonc.set_value("{} // c", ("a",), 1) == '{\n  "a": 1\n} // c'
    windows = jsonc.set_value('{\r\n  "a": 1\r\n}\r\n', ("b",), 2)
    assert windows == '{\r\n  "a": 1,\r\n  "b": 2\r\n}\r\n'


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ('{"a": 1, "b": 2}', ("a",), '{"b": 2}'),
        ('{"a": 1, "b": 2}', ("b",), '{"a": 1}'),
        ('{\n  "a": 1,\n  "b": 2\n}', ("b",), '{\n  "a": 1\n}'),
        ('{\n  "a": 1, // one\n  "b": 2\n}', ("b",), '{\n  "a": 1 // one\n}'),
        ('{\n  "a": 1,\n  "b": 2,\n}', ("a",), '{\n  "b": 2,\n}'),
        ('{\n  "a": 1\n}', ("a",), "{\n}"),
        ('{"a": {"b": 1}}', ("a", "c"), '{"a": {"b": 1}}'),
        ('{"a": 1}', ("a", "c"), '{"a": 1}'),
        ('{"a": 1, "a": 2, "b": 3}', ("a",), '{"a": 1, "b": 3}'),
    ],
)
def test_json_takes_out(text: str, path: tuple[str, ...], after: str) -> None:
    """A member goes with its comma and its line; what is not there changes nothing."""
    found = jsonc.remove_value(text, path)
    assert " ".join(found.split()) == " ".join(after.split())
    jsonc.parse(found)


@draw(
    value=st.dictionaries(KEYS, OBJECTS, max_size=4),
    path=st.lists(KEYS, min_size=1, max_size=3),
    new=OBJECTS,
    indent=st.sampled_from([None, 2, 4, "\t"]),
)
def test_json_agrees_with_the_standard_library(
    value: dict[str, Any], path: list[str], new: Any, indent: Any
) -> None:
    """For any object: setting sets that path alone, taking out takes that member alone."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    assert jsonc.parse(text) == value
    expected = json.loads(json.dumps(value))
    where = expected
    for step in path[:-1]:
        if not isinstance(where, dict):
            break
        where = where.setdefault(step, {})
    if not isinstance(where, dict):
        with pytest.raises(MalformedError):
            jsonc.set_value(text, path, new)
        return
    where[path[-1]] = new
    after = jsonc.set_value(text, path, new)
    assert json.loads(after) == expected
    del where[path[-1]]
    assert json.loads(jsonc.remove_value(after, path)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"a"}',
        '{"a": }',
        '{"a": 1 "b": 2}',
        "{'a': 1}",
        '{"a": 1} x',
        '{"a": tru}',
        '{"a": "x\n"}',
        '{"a": "\\q"}',
        '{, "a": 1}',
        "[" * 100_000,
        '{"a": /* open',
        "nonsense",
    ],
)
def test_json_that_is_none(text: str) -> None:
    """What cannot be read is refused with its line, and nothing is guessed."""
    with pytest.raises(MalformedError, match=r"line \d+: .*nothing is changed"):
        jsonc.set_value(text, ("a",), 1)


@pytest.mark.parametrize("text", ["[]", '{"env": []}', '{"env": "x"}'])
def test_json_with_something_else_there(text: str) -> None:
    """A list or word where an object has to be is refused."""
    with pytest.raises(MalformedError, match="is no object"):
        jsonc.set_value(text, ("env", "A"), 1)


# --- variables


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "A=http://x\n"),
        ("B=1", "B=1\nA=http://x\n"),
        ("# c\nA=1\nB='x y'\n", "# c\nA=http://x\nB='x y'\n"),
        ("A=0\r\nexport A = 1 \r\n", "A=0\r\nA=http://x\r\n"),
        ("#A=1\n", "#A=1\nA=http://x\n"),
    ],
)
def test_variables(text: str, after: str) -> None:
    """The last line of a name is replaced, or one added; it can be taken out again."""
    assert dotenv.set_value(text, ("A",), "http://x") == after
    assert dotenv.parse(after)["A"] == "http://x"
    assert "http://x" not in dotenv.remove_value(after, ("A",))


@pytest.mark.parametrize("value", ["a b", "$(rm)", "a\nb", "'"])
def test_variables_that_readers_take_differently(value: str) -> None:
    """A value that would need quotes is refused."""
    with pytest.raises(MalformedError):
        dotenv.set_value("", ("A",), value)


# --- YAML

SIMPLE = """\
# head
name: mine   # c
models:
  - name: a
    tags: [x]

  # last
  - name: b
rules:
- one
key: 'v'
"""


def test_yaml_agrees_with_pyyaml() -> None:
    """Keys, list items and their removal mean the same to a real parser."""
    before = yaml.safe_load(SIMPLE)
    item = {"name": "c: #d", "model": "1"}
    text = yaml_lines.add_item(SIMPLE, ("models",), item)
    text = yaml_lines.add_item(text, ("rules",), "two # x")
    text = yaml_lines.add_item(text, ("new",), "A=b")
    text = yaml_lines.set_value(text, ("key",), "http://x:1/#y")
    text = yaml_lines.set_value(text, ("other",), "true")
    assert yaml.safe_load(text) == before | {
        "models": [*before["models"], item],
        "rules": ["one", "two # x"],
        "new": ["A=b"],
        "key": "http://x:1/#y",
        "other": "true",
    }
    assert text.startswith(SIMPLE.partition("  - name: b")[0])
    for key, added in (("models", item), ("rules", "two # x"), ("new", "A=b")):
        text = yaml_lines.remove_item(text, (key,), added)
    assert yaml_lines.list_is_empty(text, ("new",))
    assert not yaml_lines.list_is_empty(text, ("rules",))
    for key in ("new", "other"):
        text = yaml_lines.remove_value(text, (key,))
    assert yaml_lines.set_value(text, ("key",), "v") == SIMPLE.replace("'v'", '"v"')


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_yaml_at_the_end_of_the_file(end: str) -> None:
    """A list that ends the file takes an element whether or not its last line has an end."""
    line = "\r\n" if end == "\r\n" else "\n"
    text = yaml_lines.add_item(f"a: 1{line}l:{line}- x{end}", ("l",), "y")
    assert yaml.safe_load(text) == {"a": 1, "l": ["x", "y"]}
    assert text.count("\r") in (0, text.count("\n"), text.count("\n") + 1)
    assert yaml.safe_load(yaml_lines.remove_item(text, ("l",), "y")) == {"a": 1, "l": ["x"]}


def test_yaml_empty_list() -> None:
    """`[]` becomes a list of lines."""
    assert yaml.safe_load(yaml_lines.add_item("l: [] # none\n", ("l",), "y")) == {"l": ["y"]}


@pytest.mark.parametrize(
    "text",
    ["{a: 1}", "\ta: 1", "a: 1\na: 2", "? a\n: b", "just words", '"a": 1', "a: |\n  x\nnot: [\n]"],
)
def test_yaml_of_another_kind(text: str) -> None:
    """What is not the simple kind is refused."""
    with pytest.raises(MalformedError, match="nothing is changed"):
        yaml_lines.set_value(text, ("k",), "v")


@pytest.mark.parametrize(
    "text", ["k: |\n  x", "k:\n  a: 1", "k: word\n  more", "k: &a x", "k: [x]"]
)
def test_yaml_that_holds_more_than_a_word(text: str) -> None:
    """Neither a block nor a list is replaced by a word, nor is one taken for a list of lines."""
    with pytest.raises(MalformedError, match="k holds more"):
        yaml_lines.set_value(text, ("k",), "v")
    with pytest.raises(MalformedError, match="k is no list"):
        yaml_lines.add_item(text, ("k",), "v")


# --- the edits of the table


def all_edits() -> list[Any]:
    """Give every edit of every client, under its client's name."""
    return [
        pytest.param(edit, id=f"{client.name}-{edit.place.names[0]}")
        for client in CLIENTS
        for edit in adapted(client, HERE).edits
    ]


def read(edit: Edit, text: str) -> Any:
    """Read a text by a parser that is not ours."""
    readers = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
    return dotenv.parse(text) if edit.format == "dotenv" else readers[edit.format](text)


@pytest.mark.parametrize("edit", all_edits())
def test_an_edit_makes_a_file_and_can_be_taken_back(edit: Edit) -> None:
    """From nothing it makes what real parsers read, with our address and no secret in it."""
    text = apply(edit, "", HERE)
    found = json.dumps(read(edit, text))
    assert HERE.base in found or "gemini-api-key" in found
    assert not [word for word in ("KEY", "TOKEN", "secret") if word in found.replace("env_key", "")]
    if not edit.whole:
        assert apply(edit, text, HERE) == text or edit.additions
        left = read(edit, undo(edit, text, HERE, before=None))
        assert left in ({}, None, "", {"name": "Local Config", "version": "1.0.0", "schema": "v1"})


@pytest.mark.parametrize("edit", [edit for edit in all_edits() if not edit.values[0].whole])
def test_an_edit_of_a_file_that_changed_since_takes_out_only_ours(edit: Edit) -> None:
    """Other keys that came or were there stay, and a value of ours that was changed as well."""
    before = {"json": '{"mine": 1}', "yaml": "mine: 1\n", "dotenv": "MINE=1\n"}[edit.format]
    more = {"json": '"more": 2, "mine"', "yaml": "more: 2\nmine", "dotenv": "MORE=2\nMINE"}
    mine = {"json": '"mine"', "yaml": "mine", "dotenv": "MINE"}[edit.format]
    changed = apply(edit, before, HERE).replace(mine, more[edit.format], 1)
    left = read(edit, undo(edit, changed, HERE, before=before))
    assert {key.lower(): str(value) for key, value in left.items()} == {"mine": "1", "more": "2"}
    elsewhere = Circumstances("http://127.0.0.1:9", HERE.environ, model="other")
    if edit.format != "yaml" and HERE.base in changed:
        assert HERE.base in undo(edit, changed, elsewhere, before=before)


def test_an_old_value_comes_back() -> None:
    """A key that was there before gets its old value back."""
    place = Place("", "~", ("x",))
    for kind, before in (("json", '{"A": "old"}'), ("dotenv", "A=old\n"), ("yaml", "A: old\n")):
        edit = Edit(place, kind, {("A",): "{origin}"})
        text = apply(edit, before, HERE)
        assert read(edit, text)["A"] == HERE.base
        assert read(edit, undo(edit, text + "\n", HERE, before=before)) == {"A": "old"}


def test_a_choice_of_the_users_stays() -> None:
    """Gemini's way to authenticate is set only where there is none."""
    _, settings = find_client("gemini").edits
    text = '{"security": {"auth": {"selectedType": "oauth-personal"}}}'
    assert apply(settings, text, HERE) == text
    assert undo(settings, text, HERE, before=text) == text


def test_a_model_is_written_only_when_chosen() -> None:
    """Without --model no model variable is written."""
    (edit,) = find_client("claude").edits
    without = Circumstances(HERE.base, HERE.environ)
    assert set(json.loads(apply(edit, "", without))["env"]) == {
        "ANTHROPIC_BASE_URL",
        "ENABLE_TOOL_SEARCH",
    }
    assert json.loads(apply(edit, "", HERE))["env"]["ANTHROPIC_MODEL"] == "lo"


def test_the_difference_is_a_diff() -> None:
    """It names the file, and says when an end of line is missing."""
    assert compare("", "a\n", name="/f").splitlines()[:2] == ["--- /dev/null", "+++ /f"]
    assert "No newline at end of file" in compare("a", "b", name="/f")
