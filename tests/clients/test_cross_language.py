"""Agents whose vendor's models are not there: a chat-completions model does their tasks.

The client speaks its own language, the proxy translates, and the model at the far end knows chat
completions and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.clients import test_claude_code as claude
from tests.clients import test_codex as codex
from tests.clients import test_gemini_cli as gemini
from tests.clients.books import Pair, check_retries, check_translated, compare
from tests.clients.stage import KEY, KEYED, stage
from tests.support.scripted.chat import Chat
from tests.support.scripted.model import LONG, Call, Fault, Say, Step, Think, step

CHOSEN = ("--model", "local-model")


def check_history(pairs: list[Pair]) -> None:
    """Hold what comes back against what the model said: every call with its id, name and arguments."""
    called: dict[str, Any] = {}
    for pair in pairs:
        for message in pair.said.received.json()["messages"]:
            for call in message.get("tool_calls") or []:
                function = call["function"]
                found = (function["name"], json.loads(function["arguments"]))
                assert called[call["id"]] == found
            if message["role"] == "tool":
                assert message["tool_call_id"] in called
        if pair.said.plain is not None:
            (choice,) = pair.said.plain["choices"]
            for call in choice["message"].get("tool_calls", []):
                function = call["function"]
                called[call["id"]] = (function["name"], json.loads(function["arguments"]))
    assert called


def test_claude_code_drives_a_chat_model(tmp_path: Path) -> None:
    """Claude Code's task, sub-agents and failures included, with a model of another language."""
    script = claude.script(tmp_path / "work")
    with stage(tmp_path, Chat(), script, entry=KEYED) as play:
        done = claude.ask(play, run=CHOSEN).check()
        pairs = compare(play)
    assert json.loads(done.output)["result"] == "All is done."
    assert (play.work / "result.txt").read_text() == "teal, 7, wörld\n"
    check_translated(pairs)
    check_history(pairs)
    assert check_retries(pairs) == 2
    assert {pair.said.received.header("authorization") for pair in pairs} == {f"Bearer {KEY}"}
    assert {pair.said.asked.model for pair in pairs} == {"local-model"}
    for pair in pairs:
        assert pair.record["dialect"] == "anthropic.messages"
        assert pair.record["client"]["name"] == "claude-code"
        if pair.said.plain is not None:
            assert pair.record["response"]["type"] == "message"
            assert pair.record["usage"]["output_tokens"] == 20


def test_codex_drives_a_chat_model(tmp_path: Path) -> None:
    """Codex's task, sub-agent and failures included, with a model of another language."""
    helper = {"message": "TASK-HELPER: count the words"}
    write = {
        "cmd": "printf 'teal, 7, wörld\\n' > result.txt"
    }  # a model that it does not know gets no patches
    parts: dict[str, list[Step]] = {
        "TASK-HELPER": [
            step(Call("exec_command", {"cmd": "wc -w notes.txt"})),
            step(Say("There are four words.")),
        ],
        "TASK-MAIN": [
            step(
                Think("Two files at once."),
                Say("I read both."),
                Call("exec_command", {"cmd": "cat notes.txt"}),
                Call("exec_command", {"cmd": "cat other.txt"}),
            ),
            step(Call(f"{codex.AGENTS}__spawn_agent", helper)),
            step(Call(f"{codex.AGENTS}__wait_agent", codex.wait)),
            step(Say(LONG), Call("exec_command", write), fault=Fault()),
            step(Say("All is done."), fault=Fault(status=429)),
        ],
    }
    with stage(tmp_path, Chat(), parts, entry=KEYED) as play:
        done = codex.ask(play, run=CHOSEN).check()
        pairs = compare(play)
    assert codex.said_at_last(done) == "All is done."
    assert (play.work / "result.txt").read_text() == "teal, 7, wörld\n"
    check_translated(pairs)
    check_history(pairs)
    assert check_retries(pairs) == 2
    for pair in pairs:
        assert pair.record["dialect"] == "openai.responses"
        assert pair.record["client"]["name"] == "codex"
        if pair.said.plain is not None:
            assert pair.record["response"]["object"] == "response"
            assert pair.record["usage"]["output_tokens"] == 20


def test_gemini_cli_drives_a_chat_model(tmp_path: Path) -> None:
    """Gemini CLI's task, sub-agent included, with a model of another language."""
    script = gemini.script(tmp_path / "work")
    with stage(tmp_path, Chat(), script, entry=KEYED) as play:
        done = gemini.ask(play, model="local-model", run=CHOSEN).check()
        pairs = compare(play)
    assert json.loads(done.output)["response"] == "All is done."
    assert (play.work / "result.txt").read_text() == "teal, 7, wörld\n"
    check_translated(pairs)
    assert check_retries(pairs) == 1
    for pair in pairs:
        assert pair.record["dialect"] == "gemini"
        assert pair.record["client"]["name"] == "gemini-cli"
