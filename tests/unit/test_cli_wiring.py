"""`env`, `connect` and `disconnect` as a person, a pipe and an agent meet them."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dolphin_logger import cli
from dolphin_logger.cli import output
from dolphin_logger.setup.table import CLIENTS

PASSING = {"provider": "anthropic", "model": "claude-*", "apiKey": "PASSTHROUGH"}


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home, an environment that no agent and no client runs in, and a configuration."""
    for name in list(os.environ):
        if name in output._AGENTS or name.endswith(("_BASE_URL", "_API_BASE", "_HOST")):
            monkeypatch.delenv(name)
    for name in ("SHELL", "NO_PROXY", "no_proxy", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    configure(tmp_path / "home", PASSING, {"provider": "demo", "model": "demo"})
    (tmp_path / "user").mkdir()
    return tmp_path / "user"


def configure(home: Path, *models: dict[str, object], **settings: object) -> None:
    """Write config.json; no proxy is at port 9."""
    home.mkdir(exist_ok=True)
    (home / "config.json").write_text(json.dumps({"port": 9, "models": models} | settings))


def run(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.main, list(arguments))


def succeed(*arguments: str) -> Result:
    """Run a command that has to succeed."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def test_env_for_everything(user: Path) -> None:
    """Without a client, the union; that no proxy runs is said on stderr."""
    result = succeed("env")
    assert result.stdout.splitlines()[:5] == [
        "export OPENAI_BASE_URL=http://127.0.0.1:9/v1",
        "export OPENAI_API_BASE=http://127.0.0.1:9/v1",
        "export ANTHROPIC_BASE_URL=http://127.0.0.1:9",
        "export GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9",
        "export OLLAMA_HOST=http://127.0.0.1:9",
    ]
    assert "no proxy runs at http://127.0.0.1:9" in result.stderr


def test_env_is_what_a_shell_takes(user: Path) -> None:
    """`eval` of it sets the variables."""
    script = 'eval "$(dolphin-logger env claude)"; printf %s "$ANTHROPIC_BASE_URL"'
    tools = str(Path(sys.executable).parent)
    environ = {**os.environ, "PATH": f"{tools}:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environ, check=True, timeout=60
    )
    assert done.stdout == "http://127.0.0.1:9"


def test_env_in_other_forms(user: Path) -> None:
    """A shell by name, JSON with its schema, arguments where variables do not do."""
    fish = succeed("env", "claude", "--shell", "fish").stdout
    assert "set -gx ANTHROPIC_BASE_URL 'http://127.0.0.1:9'" in fish
    codex = succeed("env", "codex", "--json")
    facts = json.loads(codex.stdout)
    assert next(iter(facts)) == "schema_version"
    assert (facts["url"], facts["running"]) == ("http://127.0.0.1:9", False)
    assert 'model_provider="dolphin"' in facts["arguments"]
    assert json.loads(succeed("env", "--shell", "json").stdout)["set"]["OPENAI_BASE_URL"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["env", "clode"], 1, "did you mean"),
        (["env", "zed"], 1, "dolphin-logger connect zed"),
        (["env", "mistral-sdk"], 1, "server_url="),
        (["connect"], 2, "name a client"),
        (["connect", "claude"], 2, "--yes"),
        (["connect", "claude", "--json"], 2, "--yes"),
        (["connect", "cursor", "--yes"], 1, "its own servers"),
        (["connect", "open-webui", "--yes"], 1, "Admin Panel"),
        (["connect", "zed", "--yes"], 2, "--model NAME"),
        (["connect", "zed", "--yes", "--model", "x"], 1, "does not exist"),
        (["disconnect", "claude"], 1, "is not connected"),
    ],
)
def test_mistakes(user: Path, arguments: list[str], code: int, message: str) -> None:
    """Each has its exit code, names the cure, and writes nothing."""
    result = run(*arguments)
    assert (result.exit_code, list(user.rglob("*"))) == (code, []), result.output
    assert message in result.stderr


def test_a_model_that_is_not_there_says_why(user: Path, tmp_path: Path) -> None:
    """Before the first start there is no configuration; in one with mistakes an entry may be missing."""
    wanted = ("connect", "claude", "--model", "demo", "--yes")
    configure(tmp_path / "home", {"provider": "dmo", "model": "demo"})
    assert "config validate" in run(*wanted).stderr
    (tmp_path / "home" / "config.json").unlink()
    assert "`dolphin-logger init` creates it" in run(*wanted).stderr


def test_connect_and_disconnect(user: Path) -> None:
    """The difference goes to stdout, what to do next to stderr; undone, nothing is left."""
    shown = succeed("connect", "claude", "--dry-run")
    assert '+    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"' in shown.stdout
    assert list(user.rglob("*.json")) == []
    done = succeed("connect", "claude", "--yes")
    assert done.stdout == shown.stdout
    assert "disconnect claude-code` undoes this" in done.stderr
    assert (user / ".claude/settings.json").exists()
    again = run("connect", "claude", "--yes")
    assert (again.exit_code, "connected already" in again.stderr) == (1, True)
    listed = {row["client"]: row for row in json.loads(succeed("connect", "--list", "--json").stdout)["clients"]}  # fmt: skip
    assert set(listed) == {client.name for client in CLIENTS}
    assert [name for name, row in listed.items() if row["connected"]] == ["claude-code"]
    undone = json.loads(succeed("disconnect", "claude", "--yes", "--json").stdout)
    assert (undone["client"], undone["applied"]) == ("claude-code", True)
    assert list(user.rglob("*.json")) == []


def test_connect_says_which_entry_is_missing(user: Path) -> None:
    """Whose models config.json does not take yet is said, with the entry to add."""
    assert "no entry" not in succeed("connect", "claude", "--dry-run").stderr
    result = succeed("connect", "codex", "--yes")
    assert '{"provider": "openai", "model": "gpt-*", "apiKey": "PASSTHROUGH"}' in result.stderr


def test_connect_says_where_requests_went(user: Path) -> None:
    """A gateway that connect takes the place of is named, as the entry that keeps it in the chain."""
    path = user / ".claude/settings.json"
    path.parent.mkdir()
    path.write_text('{"env": {"ANTHROPIC_BASE_URL": "https://gw.example"}}')
    result = succeed("connect", "claude", "--yes")
    assert "went to https://gw.example until now" in result.stderr
    assert '"apiBase": "https://gw.example"}' in result.stderr
    succeed("disconnect", "claude", "--yes")
    assert "gw.example" in path.read_text()


def test_connect_with_a_model(user: Path) -> None:
    """A model of config.json becomes the client's."""
    result = succeed("connect", "zed", "--model", "demo", "--yes")
    settings = json.loads((user / ".config/zed/settings.json").read_text())
    provider = settings["language_models"]["openai_compatible"]["dolphin"]
    assert provider["api_url"] == "http://127.0.0.1:9/v1"
    assert [model["name"] for model in provider["available_models"]] == ["demo"]
    assert "demo (recorded)" in result.stderr


def test_connect_says_that_a_client_wants_a_key(user: Path, monkeypatch) -> None:
    """A model that needs no key is of no use to a client that asks for one before it starts."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert (
        "set ANTHROPIC_AUTH_TOKEN to any word"
        in succeed(*("connect", "claude", "--model", "demo", "--yes")).stderr
    )
    succeed("disconnect", "claude", "--yes")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of-the-user")
    said = succeed("connect", "claude", "--model", "demo", "--yes").stderr
    assert "any word" not in said
    assert "of-the-user" not in said


def test_hostile_settings_reach_no_terminal(user: Path) -> None:
    """Control characters of a file are shown as escapes."""
    path = user / ".claude/settings.json"
    path.parent.mkdir()
    path.write_text('{\n  "x": "\x1b]0;owned\x07\u202e"\n}\n')
    result = succeed("connect", "claude", "--dry-run")
    assert "\x1b" not in result.output
    assert "\\x1b]0;owned\\x07\\u202e" in result.stdout


def test_a_port_that_is_any(user: Path, tmp_path: Path) -> None:
    """What lasts needs a port that lasts."""
    configure(tmp_path / "home", PASSING, port=0)
    result = run("connect", "claude", "--yes")
    assert (result.exit_code, "set a number" in result.stderr) == (3, True)


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_person_is_asked(user: Path, answer: str) -> None:
    """At a terminal it asks, and does what the answer says."""
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "dolphin_logger", "connect", "claude"]
        os.execvp(sys.executable, command)
    seen = b""
    while b"Change this?" not in seen:
        assert select.select([terminal], [], [], 30)[0], seen
        seen += os.read(terminal, 65536)
    os.write(terminal, answer.encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert (user / ".claude/settings.json").exists() == (answer == "y")
