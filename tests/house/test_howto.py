"""The how-to pages: one per client, whose commands, clients, options and versions are real ones."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from dolphin_logger import cli
from dolphin_logger.cli import COMMANDS
from dolphin_logger.config.entries import read_entry
from dolphin_logger.config.findings import Findings
from dolphin_logger.config.model import Timeouts
from dolphin_logger.providers import PROVIDERS
from dolphin_logger.setup._api import Circumstances, Client, adapted
from dolphin_logger.setup.table import CLIENTS, find_client

FOLDER = Path(__file__).parents[2] / "docs/howto"
TOPICS = {"datasets", "local-models", "publish", "read"}  # pages about more than one client
PAGES = sorted(FOLDER.glob("*.md"))
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (FOLDER / "README.md").read_text().splitlines()
    if line.startswith("| [")
]
HEADINGS = ("## Undo", "## What is recorded", "## Known limits")


def commands(text: str) -> list[list[str]]:
    """Find what is written as a call of `dolphin-logger`, in blocks and in sentences."""
    found = re.findall(r"(?:^|`|\$\()(dolphin-logger(?: [^`\n)]*)?)", text, re.MULTILINE)
    return [shlex.split(line) for line in found]


def row_of(client: Client) -> list[str]:
    """Find a client's row of the overview."""
    (row,) = [row for row in ROWS if row[0].startswith(f"[{client.title}]")]
    return row


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_client_has_its_page(client: Client) -> None:
    """A page, or a heading on the page of its kind, and a row with the version it was tried with."""
    page = (FOLDER / f"{client.page}.md").read_text()
    name, run, stick, tried = row_of(client)
    if client.kind == "sdk":
        assert f"\n### {client.name}\n" in page
        assert name.endswith(f"({client.page}.md#{client.name})")
    else:
        assert page.startswith(f"# {client.title}\n")
        assert name.endswith(f"({client.page}.md)")
        expected = f"Tried with {client.tried_with}." if client.tried_with else "not tried"
        assert expected in page or client.name == "cursor"
    assert (tried == client.tried_with) if client.tried_with else tried in ("", "its documentation")
    assert bool(run) == bool(client.variables or client.adapt)
    edits = adapted(client, Circumstances("http://127.0.0.1:1", {"HOME": "/nobody"})).edits
    assert ("dolphin-logger connect" in stick) == bool(edits)
    if edits:
        assert "dolphin-logger disconnect" in page
        assert all(edit.place.names[0] in page for edit in edits)
    if client.name != "cursor":
        assert [heading for heading in HEADINGS if heading not in page] == []


def test_no_page_is_left_over() -> None:
    """Every page belongs to a client, and every row to a page."""
    assert {page.stem for page in PAGES} == {client.page for client in CLIENTS} | TOPICS | {
        "README"
    }
    assert len(ROWS) == len(CLIENTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_are_real(page: Path) -> None:
    """Each command, client and option that a page names exists."""
    found = commands(page.read_text())
    assert found
    for _, *words in found:
        if not words:
            continue
        name, *rest = words
        assert name in COMMANDS, words
        command = cli.main.get_command(click.Context(cli.main), name)
        assert command is not None
        while isinstance(command, click.Group) and rest:
            command = command.get_command(click.Context(command), rest[0])
            assert command is not None, words
            rest = rest[1:]
        own = rest[: rest.index("--")] if "--" in rest else rest
        options = {option for param in command.params for option in param.opts}
        assert {word for word in own if word.startswith("--")} <= options, words
        if name in ("run", "env", "connect", "disconnect") and own and not own[0].startswith("-"):
            assert own[0] == "CLIENT" or find_client(own[0]), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_entries_are_json(page: Path) -> None:
    """What is to be added to config.json is JSON: an entry on a line that passes keys on, or a whole file."""
    for block in re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL):
        if page.stem in TOPICS:
            check_configuration(json.loads(block))
            continue
        for line in block.splitlines():
            assert json.loads(line)["apiKey"] == "PASSTHROUGH"


def check_configuration(shown: dict[str, Any]) -> None:
    """A configuration that a page shows has nothing that `config validate` would complain about."""
    for entry in shown.get("models", ()):
        findings = Findings(json.dumps(shown))
        read = read_entry(
            entry,
            index=0,
            env={},
            known_providers=tuple(PROVIDERS),
            timeouts=Timeouts(),
            findings=findings,
        )
        assert read is not None
        assert not findings.problems
