"""Codex does a task with tools, a sub-agent and failures through `dolphin-logger run codex`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.clients.books import check_native, check_retries, compare
from tests.clients.stage import Done, Stage, stage
from tests.support.scripted.model import LONG, Call, Fault, Say, Step, Think, step
from tests.support.scripted.responses import Responses

KEY = "sk-of-the-user-77ab"
TASK = "TASK-MAIN: read the notes, let a helper count, write result.txt."
PATCH = "*** Begin Patch\n*** Add File: result.txt\n+teal, 7, wörld\n*** End Patch\n"
AGENTS = "multi_agent_v1"


def script() -> dict[str, list[Step]]:
    """Write the task: two calls at once, a helper found by searching for tools, a patch as free text."""
    spawn = Call("spawn_agent", {"message": "TASK-HELPER: count the words"}, namespace=AGENTS)
    return {
        "TASK-HELPER": [
            step(Think("I count."), Call("exec_command", {"cmd": "wc -w notes.txt"})),
            step(Say("There are four words.")),
        ],
        "TASK-MAIN": [
            step(
                Think("Two files at once.", proof="cHJvb2Yx"),
                Say("I read both."),
                Call("exec_command", {"cmd": "cat notes.txt"}),
                Call("exec_command", {"cmd": "cat other.txt"}),
            ),
            step(Call("tool_search", {"query": "spawn a sub-agent", "limit": 8})),
            step(Think("A helper may count.", proof="cHJvb2Yy"), spawn),
            step(Call("wait_agent", wait, namespace=AGENTS)),
            step(Say(LONG), Call("apply_patch", custom=PATCH), fault=Fault()),
            step(Say("All is done."), fault=Fault(status=429)),
        ],
    }


def wait(results: list[str]) -> dict[str, Any]:
    """Name the agent that was started, out of the last result."""
    found = re.search(r"agent_id\W+([0-9a-f-]{36})", results[-1])
    assert found is not None, results[-1]
    return {"targets": [found[1]], "timeout_ms": 60000}


def ask(play: Stage, *, run: tuple[str, ...] = ()) -> Done:
    """Give Codex the task; `run` are arguments of `dolphin-logger run`."""
    play.keys.append(KEY)
    model = () if run else ("-m", "gpt-5.5")  # what tools it offers depends on the model
    flags = ("--skip-git-repo-check", "-s", "danger-full-access", "--json")
    return play.run("codex", *run, "--", "exec", *flags, *model, TASK, OPENAI_API_KEY=KEY)


def said_at_last(done: Done) -> str:
    """Give the last message that Codex printed."""
    events = [json.loads(line) for line in done.output.splitlines()]
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"][-1]


def test_a_task_is_recorded_whole(tmp_path: Path) -> None:
    """Every turn, of the main thread and of the sub-agent, has one whole record; retries show as such."""
    entry = {"provider": "openai"}
    with stage(tmp_path, Responses(), script(), entry=entry) as play:
        done = ask(play).check()
        pairs = compare(play)
    assert said_at_last(done) == "All is done."
    assert (play.work / "result.txt").read_text() == "teal, 7, wörld\n"
    assert f"recorded {len(pairs)} exchanges of codex" in done.errors
    check_native(pairs)
    assert check_retries(pairs) == 2
    assert {pair.said.received.header("authorization") for pair in pairs} == {f"Bearer {KEY}"}
    session = json.loads(done.output.splitlines()[0])["thread_id"]
    who = {
        (pair.said.part, client["name"], client["session"], client["agent"], client["parent"])
        for pair in pairs
        for client in [pair.record["client"]]
    }
    (helper,) = {agent for part, *_, agent, _ in who if part == "TASK-HELPER"}
    assert helper not in (None, session)
    assert who == {
        ("TASK-MAIN", "codex", session, None, None),
        ("TASK-HELPER", "codex", session, helper, session),
    }
