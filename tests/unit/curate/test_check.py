"""Checks of built datasets: good ones pass all, and each kind of damage fails the check it belongs to."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.checked import Rows, check, failed, good_rows, only_file, write
from tests.support.templates import expand

from dolphin_logger.curate.check import NAMES, find_dataset, templates
from dolphin_logger.errors import DatasetError
from dolphin_logger.exporters import EXPORTERS
from dolphin_logger.journal.home import Home

Damage = Callable[[Rows], object]
KEY = expand("ghp_{w:36}")
CANARY = "canary-in-the-mine-7"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Make a home without anything in it."""
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_good_dataset_of_every_shape_passes(home: Home, form: str) -> None:
    """Nothing fails, nothing is passed over but pictures and the card, and every shape was looked at."""
    results = check(home, write(home, good_rows(), form=form), only=NAMES)
    assert failed(results) == {}
    skipped = {name for name, result in results.items() if result.status == "skipped"}
    assert skipped == {"pictures", "license"}
    assert set(results) == set(NAMES)


@pytest.mark.parametrize("name", [*EXPORTERS])
def test_each_shape_passes_alone(home: Home, name: str) -> None:
    """A dataset of one shape passes, and some check has rules for its rows."""
    results = check(home, write(home, good_rows(name)))
    assert failed(results) == {}
    assert not results["shapes"].said.startswith("0 rows") or name in ("sharegpt", "alpaca")
    assert "nobody" not in results["shapes"].said


def _message(name: str, at: int = -1, *, row: int = 0, **fields: Any) -> Damage:
    """Change a message of a row."""

    def damage(rows: Rows) -> None:
        of = rows[name][row]
        thread = of.get("messages") or of.get("completion") or of.get("chosen")
        thread[at] |= fields

    return damage


def _field(name: str, **fields: Any) -> Damage:
    """Change columns of the first row."""
    return lambda rows: rows[name][0].update(fields)


def _line(at: int, **fields: Any) -> Damage:
    """Change a line of the first session."""
    return lambda rows: rows["traces"][0][at].update(fields)


def _with_text(arguments: Any) -> list[Any]:
    return [{"id": "c", "type": "function", "function": {"name": "run", "arguments": arguments}}]


DAMAGES: dict[str, list[tuple[str, Damage]]] = {
    "columns": [
        ("a column is missing", lambda rows: rows["messages"][0].pop("metadata")),
        ("a column besides", _field("alpaca", more=1)),
    ],
    "duplicates": [
        ("a row twice", lambda rows: rows["messages"].append(rows["messages"][0])),
        (
            "told otherwise",
            lambda rows: rows["sharegpt"].append(rows["sharegpt"][0] | {"record": "x"}),
        ),
    ],
    "shapes": [
        ("arguments as a string", _message("messages", tool_calls=_with_text("{}"))),
        ("a signature", _message("messages", thinking_signature="x")),
        ("label no truth", _field("kto", label="yes")),
        (
            "the same answers",
            lambda r: r["preference"][0].update(chosen=r["preference"][0]["rejected"]),
        ),
        ("arguments as an object", _message("openai", tool_calls=_with_text({}))),
        ("a key of our own", _message("openai", reasoning_content="x")),
        (
            "a user's answer",
            _field("openai-dpo", preferred_output=[{"role": "user", "content": "x"}]),
        ),
        ("no answer at all", _field("openai-dpo", preferred_output=[])),
        ("a message left open", _field("chatml", text="<|im_start|>assistant\nx")),
        ("nothing that was recorded", _field("log", request=None, response=None)),
        ("a picture without a place", _field("vision", images=["https://x.test/a.png"])),
        ("a step left out", lambda rows: rows["atif"][0]["steps"].pop(0)),
        ("a key that ATIF does not know", lambda rows: rows["atif"][0]["steps"][0].update(mood=1)),
        (
            "a user who thinks",
            lambda rows: rows["atif"][0]["steps"][0].update(reasoning_content="x"),
        ),
        ("another version of Pi's", _line(0, version=2)),
        ("an entry that hangs on nothing", _line(-1, parentId="nowhere")),
        ("an id twice", lambda rows: rows["traces"][0].append(rows["traces"][0][-1])),
        ("no header", lambda rows: rows["traces"][0].pop(0)),
    ],
    "trainers": [
        ("turns in the wrong order", lambda rows: rows["sharegpt"][0]["conversations"].reverse()),
        ("no answer", lambda rows: rows["sharegpt"][0]["conversations"].pop()),
        ("tools that are no JSON", _field("sharegpt", tools="run")),
        ("a picture without a mark", _field("sharegpt", images=["images/a.png"])),
        ("an answer that is no text", _field("alpaca", output=5)),
        ("history of one", _field("alpaca", history=[["alone"]])),
    ],
    "leaks": [
        ("a key", _message("messages", content=f"use {KEY}")),
        ("a key in a session", lambda rows: rows["traces"][0][-1].update(note=KEY)),
    ],
}


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param(name, damage, id=f"{name}: {what}")
        for name, damages in DAMAGES.items()
        for what, damage in damages
    ],
)
def test_a_damage_fails_its_check_alone(home: Home, name: str, damage: Damage) -> None:
    """One thing is wrong: one check fails, and names the file and the line."""
    rows = good_rows()
    damage(rows)
    found = failed(check(home, write(home, rows)))
    assert list(found) == [name]
    assert all(problem.startswith("data/") and ".jsonl:" in problem for problem in found[name])


def test_a_changed_byte_is_found(home: Home) -> None:
    """One letter of an answer is another: the file is not the one that was built."""
    dataset = write(home, good_rows())
    path = only_file(dataset, "messages")
    path.write_bytes(path.read_bytes().replace(b"Rayleigh", b"Raylaigh", 1))
    found = failed(check(home, dataset, only=NAMES))
    assert list(found) == ["files"]
    assert found["files"] == [
        "data/messages/train-00000-of-00001.jsonl: not the bytes that were built"
    ]


def test_a_file_that_is_gone_or_broken_fails_what_reads_it(home: Home) -> None:
    """No check that could not read its rows is good."""
    dataset = write(home, good_rows("messages"))
    path = only_file(dataset, "messages")
    path.write_bytes(path.read_bytes()[:-20])
    blind = {"pictures", "columns", "duplicates", "shapes", "types", "trainers", "templates"}
    assert set(failed(check(home, dataset, only=NAMES))) == {*blind, "files", "loading", "leaks"}
    path.unlink()
    assert set(failed(check(home, dataset, only=NAMES))) == {*blind, "files", "loading", "leaks"}


def test_a_file_that_nobody_listed_is_found(home: Home) -> None:
    """What lies among the rows and is not in the manifest would be published by nobody, or unseen."""
    dataset = write(home, good_rows("messages"))
    only_file(dataset, "messages").with_name("more.jsonl").write_text("{}\n")
    assert failed(check(home, dataset)) == {
        "files": ["data/messages/more.jsonl: not in the manifest"]
    }


def test_rows_that_come_back_otherwise_are_found(home: Home) -> None:
    """`datasets` takes a text for a time: only loading it shows that."""
    rows = good_rows("preference")
    for row in rows["preference"]:
        row["signal"] = "2026-01-01T00:00:00"
    found = failed(check(home, write(home, rows), only=NAMES))
    assert list(found) == ["loading"]
    assert "(column signal)" in found["loading"][0]


def test_a_picture_must_lie_there_as_its_name_says(home: Home) -> None:
    """A picture is found by its path; a missing one and one with other bytes fail."""
    data = b"\x89PNG..."
    name = f"{hashlib.sha256(data).hexdigest()}.png"
    rows = good_rows("vision")
    rows["vision"][0]["images"] = [f"images/{name}"]
    rows["vision"][0]["messages"][0]["content"].append({"type": "image"})
    results = check(home, write(home, rows, images={name: data}))
    assert failed(results) == {}
    assert results["pictures"].said == "1 pictures"
    assert list(failed(check(home, write(home, rows, images={name: b"other"})))) == ["pictures"]
    assert list(failed(check(home, write(home, rows)))) == ["pictures"]


def test_trl_must_know_the_keys(home: Home) -> None:
    """A column that makes TRL take a row for another type fails, though the shape has it."""
    rows = good_rows("messages")
    for row in rows["messages"]:
        row["prompt"] = "x"
    dataset = write(home, rows)
    dataset.manifest.fields["exports"][0]["columns"].append({"name": "prompt", "type": "string"})
    assert list(failed(check(home, dataset))) == ["types"]


def test_a_row_that_no_template_renders_is_found(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With templates that know no instructions, rows that have some fail; the table says of whom."""
    text = templates.find_template("gemma")
    monkeypatch.setattr(templates, "_folder", lambda: tmp_path)
    (tmp_path / "gemma.jinja").write_text(text)
    rows = good_rows("messages")
    assert rows["messages"][1]["messages"][0]["role"] == "system"
    alone = {"messages": rows["messages"][:1]}
    assert failed(check(home, write(home, alone))) == {}
    results = check(home, write(home, rows))
    assert list(failed(results)) == ["templates"]
    assert failed(results)["templates"][0].startswith("data/messages/train-00000-of-00001.jsonl:2:")
    assert results["templates"].table[1][:2] == ("gemma", "1/2")


@pytest.mark.parametrize(
    ("export", "file", "text"),
    [
        ("sharegpt", "dataset_info.json", None),
        ("sharegpt", "dataset_info.json", "{}"),
        ("sharegpt", "dataset_info.json", '{"a":{"file_name":"x","columns":{"colour":"x"}}}'),
        ("messages", "axolotl.yaml", "datasets: [{path: x, type: unheard}]"),
        ("messages", "axolotl.yaml", ": ["),
        ("messages", "axolotl.yaml", "learning_rate: 1"),
    ],
)
def test_what_lies_beside_rows_is_read(
    home: Home, export: str, file: str, text: str | None
) -> None:
    """A trainer's entry that is missing, names no file of ours or is none fails."""
    dataset = write(home, good_rows(export))
    path = only_file(dataset, export).with_name(file)
    path.unlink()
    if text is not None:
        path.write_text(text)
    found = failed(check(home, dataset))
    assert list(found) == ["trainers"]
    assert found["trainers"][0].startswith(f"data/{export}/{file}: ")


def test_a_canary_and_a_string_of_the_users_own_are_leaks(home: Home) -> None:
    """Both are looked for, and neither is said."""
    rows = good_rows("messages")
    rows["messages"][0]["messages"][-1]["content"] = f"{CANARY} is my-own-word"
    for more in ({"canaries": [CANARY]}, {"own": ["my-own-word"]}):
        found = failed(check(home, write(home, rows), **more))
        assert list(found) == ["leaks"]
        assert CANARY not in str(found)
        assert "my-own-word" not in str(found)


@pytest.mark.parametrize(
    ("package", "form", "blind"),
    [
        ("datasets", "jsonl", {"loading", "types", "templates"}),
        ("trl", "jsonl", {"types", "templates"}),
        ("transformers", "jsonl", {"types", "templates"}),
        ("pyarrow", "parquet", {"files", "columns", "duplicates", "shapes", "trainers", "leaks"}),
    ],
)
def test_a_missing_package_fails_and_is_named(
    home: Home, package: str, form: str, blind: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be looked at is not good; the message says what to install."""
    dataset = write(home, good_rows("messages"), form=form)
    only = {"files", "columns", "duplicates", "shapes", "trainers", "leaks"}
    only |= blind if package == "datasets" else {"types", "templates"} if form == "jsonl" else set()
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "dolphin_logger.curate.tables", raising=False)
    found = failed(check(home, dataset, only=tuple(only)))
    assert set(found) == blind
    for problems in found.values():
        assert f"the package {package} is missing" in problems[0]
        assert "pip install" in problems[0]


@pytest.mark.parametrize(
    ("card", "status"),
    [
        ("---\nlicense: cc-by-4.0\n---\n# Mine\n", "ok"),
        ("---\nlicense: other\nlicense_name: mine\n---\n", "ok"),
        ("---\nlicense: other\n---\n", "failed"),
        ("---\ntags: [a]\n---\n", "failed"),
        ("---\n: [\n---\n", "failed"),
        ("# No head\nlicense: mit\n", "failed"),
    ],
)
def test_a_card_names_a_license(home: Home, card: str, status: str) -> None:
    """Where a card lies beside the rows its head has a license."""
    dataset = write(home, good_rows("messages"))
    (dataset.folder / "README.md").write_text(card)
    assert check(home, dataset)["license"].status == status


def test_without_a_card_the_recipe_names_the_license(home: Home) -> None:
    """A recipe may say the license; without it there is nothing to check yet."""
    rows = good_rows("messages")
    result = check(home, write(home, rows, recipe={"license": "cc0-1.0"}), only=("license",))
    assert (result["license"].status, result["license"].said) == ("ok", "cc0-1.0")
    assert check(home, write(home, rows), only=("license",))["license"].status == "skipped"


def test_copies_that_were_asked_for_are_no_damage(home: Home) -> None:
    """A recipe that keeps what says the same has such rows."""
    rows = good_rows("messages")
    rows["messages"] *= 2
    results = check(home, write(home, rows, recipe={"duplicates": {"exact": False}}))
    assert failed(results) == {}
    assert results["duplicates"].status == "skipped"


def test_a_dataset_is_found_by_name_folder_or_age(home: Home, tmp_path: Path) -> None:
    """Without a name it is the newest; an unknown one lists the known ones."""
    with pytest.raises(DatasetError, match="dataset build"):
        find_dataset(home, None)
    dataset = write(home, good_rows("messages"))
    dataset.folder.rename(tmp_path / "elsewhere")
    assert find_dataset(home, str(tmp_path / "elsewhere")).manifest.name == "d"
    assert write(home, good_rows("openai")).folder == find_dataset(home, "d").folder
    assert find_dataset(home, None).folder == home.datasets / "d"
    with pytest.raises(DatasetError, match="'e': unknown; known: d"):
        find_dataset(home, "e")


def test_results_are_told_to_programs(home: Home) -> None:
    """A result is plain JSON; of many problems the first are listed and the others counted."""
    rows = good_rows("messages")
    rows["messages"] *= 20
    result = check(home, write(home, rows))["duplicates"]
    told = json.loads(json.dumps(result.to_json()))
    assert told["status"] == "failed"
    assert len(told["problems"]) == 20
    assert told["more_problems"] == 18
