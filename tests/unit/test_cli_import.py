"""`import` as a person, a pipe and a script meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.support import session_files as sessions
from tests.support.imported import records
from tests.support.session_files import Sample, jsonl, samples, write

from dolphin_logger import cli
from dolphin_logger.importers import IMPORTERS


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with sessions of the programs whose files can be found."""
    for name in (
        "CLAUDE_CONFIG_DIR",
        "CODEX_HOME",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "LLM_USER_PATH",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("GEMINI_CLI_HOME", "PI_CODING_AGENT_DIR"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "user"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path / "home"))
    places = {
        "claude-code": ".claude/projects/-work",
        "codex": ".codex/sessions/2026/03/04",
        "gemini-cli": ".gemini/tmp/work/chats",
        "opencode": ".local/share/opencode",
        "pi": ".pi/agent/sessions/--work--",
        "llm": ".config/io.datasette.llm",
    }
    (tmp_path / "made").mkdir()
    for sample in samples(tmp_path / "made"):
        if sample.source in places:
            write(home / places[sample.source], sample)
    return home


def run(*arguments: str) -> Result:
    """Run `import`."""
    return CliRunner().invoke(cli.main, ["import", *arguments])


def counts(*arguments: str) -> dict[str, Any]:
    """Run `import --json` to a good end."""
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


@pytest.mark.usefixtures("user")
def test_without_arguments_it_says_what_there_is(tmp_path: Path) -> None:
    """Each source with the number of files found; nothing is written."""
    found = counts()["sources"]
    assert found == {name: int(one.automatic) for name, one in IMPORTERS.items()}
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("user")
def test_all_brings_every_source_that_can_be_found(tmp_path: Path) -> None:
    """`--all` imports the files of every source, a second time nothing."""
    brought = counts("--all")
    assert brought["files"] == sum(one.automatic for one in IMPORTERS.values())
    assert brought["turns"] == len(records(tmp_path / "home"))
    again = counts("--all")
    assert (again["turns"], again["unchanged"]) == (0, brought["files"])


@pytest.mark.usefixtures("user")
def test_one_source_by_its_name(tmp_path: Path) -> None:
    """A name brings the files of that source only."""
    assert counts("codex")["turns"] == 2
    assert {fields["imported"]["source"] for fields in records(tmp_path / "home")} == {"codex"}


@pytest.mark.usefixtures("user")
def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    """`--dry-run` counts the turns, and leaves no home."""
    assert counts("claude-code", "--dry-run")["turns"] == 2
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("user")
def test_a_folder_is_searched(tmp_path: Path) -> None:
    """The files of a folder are told by their content; links in it are not followed."""
    folder = tmp_path / "folder"
    (tmp_path / "more").mkdir()
    for sample in samples(tmp_path / "more"):
        write(folder / sample.source, sample)
    (folder / "link.jsonl").symlink_to("/etc/passwd")
    (folder / "round").symlink_to(folder)
    (folder / "notes.txt").write_text("no session")
    brought = counts(str(folder))
    assert brought["files"] == len(IMPORTERS)
    assert brought["failed"] == []


@pytest.mark.usefixtures("user")
def test_a_source_for_a_path(tmp_path: Path) -> None:
    """A source in front of a path decides, whatever the file is called."""
    path = write(tmp_path, Sample("codex", "renamed.txt", jsonl(sessions.codex()), ()))
    assert counts("codex", str(path))["turns"] == 2


@pytest.mark.usefixtures("user")
def test_what_is_not_understood_is_said(tmp_path: Path) -> None:
    """Unknown lines and files of nobody are named on stderr; only failures end with 1."""
    lines = [*sessions.claude_code(), {"type": "hologram\x1b[31m"}]
    path = write(tmp_path, Sample("claude-code", "s.jsonl", jsonl(lines), ()))
    done = run(str(path))
    assert done.exit_code == 0
    assert "kept in the archive" in done.stderr
    assert "\x1b" not in done.output
    strange = tmp_path / "strange.json"
    strange.write_text("no")
    done = run(str(strange))
    assert done.exit_code == 1
    assert "name the source" in done.stderr


@pytest.mark.usefixtures("user")
def test_our_own_home_is_not_imported(tmp_path: Path) -> None:
    """Records of ours are read in place: importing them is refused."""
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    done = run(str(logs))
    assert done.exit_code == 1
    assert "read in place" in done.stderr


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("nobody",), "unknown source"), (("--all", "codex"), "no sources"), (("./gone",), "neither")],
)
def test_wrong_arguments_are_explained(arguments: tuple[str, ...], says: str) -> None:
    """What is neither a source nor a file is named, with what would be."""
    done = run(*arguments)
    assert done.exit_code in (1, 2)
    assert says in done.stderr
