"""A session that was recorded on its way and one that was read from its transcript are the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.dialects import DIALECTS
from tests.support import session_files as sessions
from tests.support.imported import history, records, text
from tests.support.provider import FakeProvider, answer
from tests.support.proxy import Proxy, wait_for

ANTHROPIC = {"model": "*", "provider": "anthropic", "apiKey": "PASSTHROUGH"}
QUESTIONS = ("Read the notes.", "Which colour?", "Sure?")


class Agent:
    """Does what Claude Code does: sends the whole history, and notes each message on a line."""

    def __init__(self, proxy: Proxy, provider: FakeProvider) -> None:
        self._proxy, self._provider = proxy, provider
        self._history: list[Any] = []
        self.lines: list[Any] = []

    def ask(self, question: str, number: int) -> None:
        """Ask, and note question and answer."""
        said = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": [{"type": "text", "text": f"answer {number}"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 4},
        }
        self._provider.script = answer(json.dumps(said).encode())
        self._history.append({"role": "user", "content": question})
        body = {"model": "claude-test", "max_tokens": 9, "system": "Be brief."}
        done = self._proxy.request(
            "POST",
            "/v1/messages",
            json.dumps(body | {"messages": self._history}).encode(),
            {
                "content-type": "application/json",
                "x-api-key": "k",
                "user-agent": "claude-cli/2.1.197 (external, cli)",
                "x-claude-code-session-id": sessions.SESSION,
            },
        )
        assert done.status == 200
        self._history.append({"role": "assistant", "content": said["content"]})
        parent = len(self.lines) or None
        count = len(self.lines)
        asked = {"role": "user", "content": question}
        self.lines.append(sessions.claude_line(count + 1, parent, "user", asked))
        self.lines.append(sessions.claude_line(count + 2, count + 1, "assistant", said))


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dolphin_logger", *arguments]


def _environ(home: Path, user: Path) -> dict[str, str]:
    return os.environ | {"DOLPHIN_LOGGER_HOME": str(home), "HOME": str(user)}


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A user's home with a folder of Claude Code's sessions."""
    folder = tmp_path / "user" / ".claude" / "projects" / "-work"
    folder.mkdir(parents=True)
    return tmp_path / "user"


def test_wire_and_transcript_tell_the_same(tmp_path: Path, user: Path) -> None:
    """Both name the same session and answer, and following `after` gives the texts that the wire had."""
    home = tmp_path / "home"
    with FakeProvider() as provider:
        entry = ANTHROPIC | {"apiBase": provider.base.removesuffix("/v1")}
        with Proxy(home, {"models": [entry]}) as proxy:
            agent = Agent(proxy, provider)
            for number, question in enumerate(QUESTIONS):
                agent.ask(question, number)
            wire = proxy.records(len(QUESTIONS))
    path = user / ".claude" / "projects" / "-work" / f"{sessions.SESSION}.jsonl"
    path.write_bytes(sessions.jsonl(agent.lines))
    sessions.calm(path)
    command = _command("import", "claude-code", "--json")
    done = subprocess.run(command, env=_environ(home, user), capture_output=True, check=True)
    assert json.loads(done.stdout)["turns"] == len(QUESTIONS)
    found = records(home)
    by_id = {fields["id"]: fields for fields in found}
    dialect = DIALECTS["anthropic.messages"]
    for sent, kept in zip(wire, found, strict=True):
        assert kept["client"]["name"] == sent["client"]["name"] == "claude-code"
        assert kept["client"]["session"] == sent["client"]["session"] == sessions.SESSION
        assert kept["response"]["id"] == sent["response"]["id"]
        asked = [text(m) for m in dialect.read_request(sent["request"]).messages[1:]]
        said = [text(c.message) for c in dialect.read_response(sent["response"]).choices]
        assert [text(message) for message in history(kept, by_id)] == asked + said
        assert sent["usage"]["output_tokens"] == 4
        assert kept["usage"]["output_tokens"] is None
    for again in ([], ["index", "rebuild"]):
        if again:
            subprocess.run(
                _command(*again), env=_environ(home, user), capture_output=True, check=True
            )
        (conversation,) = _conversations(home, user)
        assert conversation["session"] == sessions.SESSION
        assert conversation["turns"] == len(QUESTIONS)
        assert conversation["output_tokens"] == 4 * len(QUESTIONS)


def _conversations(home: Path, user: Path) -> list[dict[str, Any]]:
    """List what there is, as a program reads it."""
    command = _command("ls", "--json")
    done = subprocess.run(command, env=_environ(home, user), capture_output=True, check=True)
    listed: list[dict[str, Any]] = json.loads(done.stdout)["conversations"]
    return listed


def test_watch_brings_what_comes_and_ends_when_told(tmp_path: Path, user: Path) -> None:
    """A session that appears while the watch runs is kept, what is added too; SIGTERM ends it well."""
    home = tmp_path / "home"
    process = subprocess.Popen(
        _command("watch", "--interval", "1"),
        env=_environ(home, user),
        stderr=subprocess.PIPE,
    )
    try:
        lines = sessions.claude_code()
        path = user / ".claude" / "projects" / "-work" / "s.jsonl"
        path.write_bytes(sessions.jsonl(lines))
        sessions.calm(path)
        wait_for(lambda: len(records(home)) == 2)
        block = {"type": "text", "text": "More."}
        said = sessions.claude_answer("msg_z", block, "end_turn")
        more = sessions.claude_line(9, 8, "user", sessions.claude_words("Go on."))
        last = sessions.claude_line(10, 9, "assistant", said)
        path.write_bytes(sessions.jsonl([*lines, more, last]))
        sessions.calm(path)
        wait_for(lambda: len(records(home)) == 3)
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=30)[1]
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors
    assert len(list((home / "archive").rglob("*.zst"))) == 1
