"""Claude Code does a task with tools, sub-agents and failures through `dolphin-logger run claude`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clients.books import check_native, check_retries, compare
from tests.clients.stage import Done, Stage, stage
from tests.support.proxy import wait_for
from tests.support.scripted.messages import Messages
from tests.support.scripted.model import LONG, Call, Fault, Say, Step, Think, step

KEY = "sk-ant-of-the-user-3f1b"
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
}
TASK = "TASK-MAIN: read the notes, let a helper count, write result.txt."
TOOLS = "Read,Write,Bash,Agent"
ARGUMENTS = ("-p", TASK, "--output-format", "json", "--allowedTools", TOOLS)
ENVIRON = {"ANTHROPIC_API_KEY": KEY, **QUIET}


def script(
    work: Path, *, second: str = "TASK-HELPER", third: str = "TASK-DEEPER"
) -> dict[str, list[Step]]:
    """Write the task: two calls at once, a helper that has a helper, a broken and a refused answer."""
    count = Call("Bash", {"command": "wc -w notes.txt", "description": "count"})
    write = Call("Write", {"file_path": str(work / "result.txt"), "content": "teal, 7, wörld\n"})
    return {
        third: [step(count), step(Say("There are four words."))],
        second: [
            step(Think("Somebody else may count."), _agent(third)),
            step(Say("Four words, I am told.")),
        ],
        "TASK-MAIN": [
            step(
                Think("Two files at once.", proof="cHJvb2Yx"),
                Say("I read both."),
                Call("Read", {"file_path": str(work / "notes.txt")}),
                Call("Bash", {"command": "cat other.txt", "description": "show"}),
            ),
            step(Think("A helper may count.", proof="cHJvb2Yy"), _agent(second)),
            step(Say(LONG), write, fault=Fault()),
            step(Say("All is done."), fault=Fault(status=529)),
        ],
    }


def _agent(marker: str) -> Call:
    prompt = f"{marker}: count the words of notes.txt"
    kind = {"description": "count words", "subagent_type": "general-purpose"}
    return Call("Agent", {"prompt": prompt, **kind})


def ask(play: Stage, *, run: tuple[str, ...] = ()) -> Done:
    """Give Claude Code the task; `run` are arguments of `dolphin-logger run`."""
    play.keys.append(KEY)
    return play.run("claude", *run, "--", *ARGUMENTS, **ENVIRON)


def test_a_task_is_recorded_whole(tmp_path: Path) -> None:
    """Every turn, of the main thread and of sub-agents, has one whole record; retries show as such."""
    entry = {"provider": "anthropic"}
    with stage(tmp_path, Messages(), script(tmp_path / "work"), entry=entry, path="") as play:
        done = ask(play).check()
        pairs = compare(play)
    result = json.loads(done.output)
    assert result["result"] == "All is done."
    assert (play.work / "result.txt").read_text() == "teal, 7, wörld\n"
    assert f"recorded {len(pairs)} exchanges of claude-code" in done.errors
    check_native(pairs)
    assert check_retries(pairs) == 2
    assert [pair.said.received.header("x-api-key") for pair in pairs] == [KEY] * len(pairs)
    who = {(p.said.part, *_identity(p.record)) for p in pairs}
    session = result["session_id"]
    assert {name for _, name, *_ in who} == {"claude-code"}
    assert {found for _, _, found, *_ in who} == {session}
    agents = {part: (agent, parent) for part, _, _, agent, parent in who}
    assert len(agents) == len(who) == 3
    assert agents["TASK-MAIN"] == (None, None)
    helper, deeper = agents["TASK-HELPER"], agents["TASK-DEEPER"]
    assert helper[0]
    assert deeper[0]
    assert helper[0] != deeper[0]
    assert deeper[1] == helper[0]


def test_what_the_user_aborts_is_recorded(tmp_path: Path) -> None:
    """Ctrl-C in the middle of an answer leaves one record with what had come."""
    waits = {"TASK-MAIN": [step(Say(LONG), fault=Fault(waits=True))]}
    with stage(tmp_path, Messages(), waits, entry={"provider": "anthropic"}, path="") as play:
        play.keys.append(KEY)
        process = play.start("claude", "--", *ARGUMENTS, **ENVIRON)
        wait_for(lambda: play.model.said and LONG[:12].encode() in play.model.said[0].received.sent)
        done = play.interrupt(process)
        (pair,) = compare(play)
    assert pair.said.left
    assert "recorded 1 exchange of claude-code" in done.errors
    assert pair.record["client"]["name"] == "claude-code"


def test_no_proxy_has_to_run(tmp_path: Path) -> None:
    """Without a running proxy `run` starts one, which goes where Claude Code would have gone."""
    script_ = {"TASK-MAIN": [step(Say("Nothing to do."))]}
    with stage(tmp_path, Messages(), script_, entry={"provider": "anthropic"}, path="") as play:
        assert play.proxy.stop() == 0
        play.keys.append(KEY)
        environ = ENVIRON | {"ANTHROPIC_BASE_URL": play.origin}
        done = play.run("claude", "--", *ARGUMENTS, **environ).check()
        pairs = compare(play)
    assert json.loads(done.output)["result"] == "Nothing to do."
    check_native(pairs)
    assert len(pairs) == 1


def _identity(record: dict[str, dict[str, str]]) -> tuple[str, ...]:
    client = record["client"]
    return client["name"], client["session"], client["agent"], client["parent"]
