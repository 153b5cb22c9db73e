"""`dataset check` and `preview` on datasets that were built of recorded conversations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dolphin_logger import cli
from dolphin_logger.curate.check import NAMES
from dolphin_logger.exporters import EXPORTERS
from tests.support.built import AGAIN, CONFIG_KEY, ENDS, label, make, recipe, record

ROWS = ENDS - 1  # one is rated low


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a home, and build every shape of it, as lines and as tables."""
    home = tmp_path_factory.mktemp("built") / "home"
    chats = record(home)
    label(home, chats["chat 1"].ids[1], "rating", 5)
    label(home, chats["chat 2"].ids[1], "rating", 1)
    more: dict[str, Any] = {"validation": 0.4, "selection": {"imported": True}}
    for form in ("jsonl", "parquet"):
        make(home, recipe(exports=[*EXPORTERS], format=form, **more), name=form)
    make(home, recipe(exports=["messages"]), name="newest")
    return home


@pytest.fixture
def home(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the home to one test."""
    copied = tmp_path / "copied"
    shutil.copytree(built, copied)
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(copied))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return copied


def run(*arguments: str, code: int = 0) -> Result:
    """Run `dolphin-logger dataset` to its end."""
    result = CliRunner().invoke(cli.main, ["dataset", *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output + result.stderr
    return result


def _statuses(result: Result) -> dict[str, str]:
    return {one["check"]: one["status"] for one in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_what_was_built_passes_every_check(home: Path, form: str) -> None:
    """Every shape of recorded, regenerated and imported conversations is as its trainers want it."""
    result = run("check", form, "--json")
    told = json.loads(result.stdout)
    assert told["good"] is True
    assert told["folder"] == str(home / "datasets" / form)
    assert {name for name, status in _statuses(result).items() if status == "skipped"} == {
        "pictures",
        "license",
    }
    assert list(_statuses(result)) == list(NAMES)
    assert {one["name"] for one in _exports(home, form)} == set(EXPORTERS)
    assert all(one["files"] for one in _exports(home, form))


def _exports(home: Path, name: str) -> list[dict[str, Any]]:
    path = home / "datasets" / name / "manifest.json"
    exports: list[dict[str, Any]] = json.loads(path.read_bytes())["exports"]
    return exports


def test_a_person_is_told_line_by_line(home: Path) -> None:
    """One line for each check, below it the table of model families, and what was not asked for."""
    lines = run("check", "--without", "loading").stdout.splitlines()
    assert lines[0] == "ok       files       1 files against manifest.json"
    assert "skipped  loading     not asked for" in lines
    heading = lines.index("family\trendered\tcalls shown\tthoughts shown\tloss\tfirst refusal")
    families = {line.split("\t")[0]: line.split("\t") for line in lines[heading + 1 :]}
    assert families["qwen3"][1:] == [f"{ROWS}/{ROWS}", "-", "-", "marked", ""]
    assert len(families) > 30
    assert lines[-1].startswith(f"ok       leaks       {ROWS} rows")


def test_what_is_wrong_is_told_with_its_place(home: Path) -> None:
    """A changed letter ends with 1; where the newest dataset was meant, it is that one."""
    (path,) = (home / "datasets" / "newest" / "data" / "messages").glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b"Answer 1", b"Answer 7", 1))
    result = run("check", "--only", "files", "--only", "columns", code=1)
    assert result.stdout.splitlines()[:3] == [
        "failed   files       1 files against manifest.json",
        f"         data/messages/{path.name}: not the bytes that were built",
        "skipped  pictures    not asked for",
    ]


def test_a_secret_that_is_known_by_now_ends_with_6(home: Path) -> None:
    """A key that the configuration has today is looked for in what was built before; it is not shown."""
    config = home / "config.json"
    key = "And what comes after chat"
    config.write_text(config.read_text().replace(CONFIG_KEY, key))
    result = run("check", "newest", "--only", "leaks", code=6)
    assert "data/messages/" in result.stdout
    assert "known-secret" in result.stdout
    assert key not in result.stdout


def test_a_canary_that_is_known_by_now_ends_with_6(home: Path) -> None:
    """The canaries of the dataset's own recipe are looked for, though the build found none."""
    path = home / "datasets" / "newest" / "manifest.json"
    fields = json.loads(path.read_bytes())
    fields["recipe"]["redaction"]["canaries"] = ["comes after chat 4"]
    path.write_text(json.dumps(fields))
    told = json.loads(run("check", "newest", "--only", "leaks", "--json", code=6).stdout)
    assert told["good"] is False
    (problem,) = told["checks"][-1]["problems"]
    assert problem.endswith(": a canary is in it")


def test_an_unknown_name_lists_the_known_ones(home: Path) -> None:
    """Whoever mistypes sees what is there; a folder elsewhere is a name too."""
    assert "known: jsonl, newest, parquet" in run("check", "nonsense", code=1).stderr
    (home / "datasets" / "newest").rename(home.parent / "elsewhere")
    assert run("check", str(home.parent / "elsewhere"), "--only", "files").stdout
    assert "is not one of" in run("check", "--only", "nonsense", code=2).stderr


def test_a_row_is_shown_as_it_was_said(home: Path) -> None:
    """Roles stand above what they said; the place goes to stderr."""
    result = run("preview", "newest", "--count", "2")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("── messages user ──")
    assert lines[1:2] == ["  What is chat 0?"]
    assert "  Answer 1 to: And what comes after chat 0?" in lines
    assert "  What is chat 1?" in lines
    assert [line.rpartition(":")[2] for line in result.stderr.splitlines()] == ["1", "2"]


def test_the_words_that_get_loss_are_marked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without colours they stand in marks, with them in colour; how many there are is said."""
    plain = run("preview", "newest", "--template", "qwen3").stdout
    assert "«<think>" in plain
    assert "  What is chat 0?<|im_end|>" in plain
    told = json.loads(run("preview", "newest", "--template", "qwen3", "--json").stdout)
    rendered = told["rows"][0]["rendered"]
    trained, size = rendered["characters_with_loss"], rendered["characters"]
    assert f"{trained:,} of {size:,} characters" in plain
    loss = "".join(one["text"] for one in rendered["texts"]["text"] if one["loss"])
    assert len(loss) == trained
    assert "Answer 1 to: What is chat 0?" in loss
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = run("preview", "newest", "--template", "qwen3").stdout
    assert "«" not in coloured
    assert "\x1b[32m\x1b[22mAnswer 1 to: What is chat 0?<|im_end|>\x1b[0m" in coloured


def test_a_record_is_found_in_any_shape(home: Path) -> None:
    """The end of an id chooses the rows of a shape, also the file of a session."""
    row = json.loads(run("preview", "jsonl", "--export", "turns", "--row", "2", "--json").stdout)
    identity = row["rows"][0]["row"]["metadata"]["conversation"]
    for export in ("messages", "turns", "sharegpt", "alpaca", "traces", "atif"):
        found = run("preview", "jsonl", "--export", export, "--record", identity[-8:], "--json")
        assert identity in found.stdout, export
    assert AGAIN in run("preview", "jsonl", "--export", "preference").stdout
    assert "not both" in run("preview", "--row", "1", "--record", "x", code=2).stderr
    assert "has no more than" in run("preview", "--row", "999", code=1).stderr


def test_no_row_can_move_the_cursor(home: Path) -> None:
    """Control characters of what was said are written out, read or rendered."""
    (path,) = (home / "datasets" / "newest" / "data" / "messages").glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b"Answer 1", b"\\u001b[2J\\u202e 1", 1))
    for more in ([], ["--template", "qwen3"], ["--json"]):
        shown = run("preview", "newest", *more).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[2J" in shown
