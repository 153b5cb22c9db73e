"""Codex does a task with tools, a sub-agent and failures through `dolphin-logger run codex`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.books import check_native, check_retries, compare
from tests.clients.stage import Done, Stage, stage
from tests.support.scripted.model import LONG, Call, Fault, Say, Step, Think, step
from tests.support.scripted.responses import Responses

KEY = "sk-of-the-user-77ab"
TASK = "TASK-MAIN: read the notes, let a helper count, write result.txt."
PATCH = "*** Begin Patch\n*** Add File: result.txt\n+teal, 7, wörld\n*** End Patch\n"
FLAGS = ("--skip-git-repo-check", "-s", "danger-full-access", "--json")
AGENTS = "multi_agent_v1"
LISTED = "gpt-5.5"  # which tools it offers, and how, depends on the model: one list of functions…
COUNT = "text(await tools.exec_command({cmd: 'wc -w notes.txt'}));"
READ = """const read = (name) => tools.exec_command({cmd: `cat ${name}`});
text(JSON.stringify(await Promise.all(["notes.txt", "other.txt"].map(read))));
"""


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


def script_in_code() -> dict[str, list[Step]]:
    """Write the same for Codex's own choice of a model: …or programs, and agents with a mailbox."""
    spawn = {"task_name": "count", "message": "TASK-HELPER: count the words", "fork_turns": "none"}
    patch = f"text(await tools.apply_patch({json.dumps(PATCH)}));"
    there = {"namespace": "collaboration"}
    return {
        "TASK-HELPER": [
            step(Think("I count."), Call("exec", custom=COUNT, namespace="functions")),
            step(Say("There are four words.")),
        ],
        "TASK-MAIN": [
            step(
                Think("Two files at once.", proof="cHJvb2Yx"),
                Say("I read both."),
                Call("exec", custom=READ, namespace="functions"),
            ),
            step(
                Think("A helper may count.", proof="cHJvb2Yy"), Call("spawn_agent", spawn, **there)
            ),
            step(Call("wait_agent", {"timeout_ms": 60000}, **there)),
            step(Say(LONG), Call("exec", custom=patch, namespace="functions"), fault=Fault()),
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
    return play.run("codex", *run, "--", "exec", *FLAGS, TASK, OPENAI_API_KEY=KEY)


def ask_listed(play: Stage) -> Done:
    """Give Codex the task with a model that gets its tools as a list of functions."""
    play.keys.append(KEY)
    return play.run("codex", "--", "exec", *FLAGS, "-m", LISTED, TASK, OPENAI_API_KEY=KEY)


def said_at_last(done: Done) -> str:
    """Give the last message that Codex printed."""
    events = [json.loads(line) for line in done.output.splitlines()]
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"][-1]


@pytest.mark.parametrize(
    ("parts", "play_it"), [(script(), ask_listed), (script_in_code(), ask)], ids=["listed", "code"]
)
def test_a_task_is_recorded_whole(
    parts: dict[str, list[Step]], play_it: Callable[[Stage], Done], tmp_path: Path
) -> None:
    """Every turn, of the main thread and of the sub-agent, has one whole record; retries show as such."""
    with stage(tmp_path, Responses(), parts, entry={"provider": "openai"}) as play:
        done = play_it(play).check()
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
