"""Gemini CLI does a task with tools, a sub-agent and a busy provider through `dolphin-logger run gemini`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clients.books import check_native, check_retries, compare
from tests.clients.stage import Done, Stage, stage
from tests.support.scripted.gemini import Gemini
from tests.support.scripted.model import LONG, Call, Fault, Say, Step, Think, step

KEY = "AIza-of-the-user-5c1e"
TASK = "TASK-MAIN: read the notes, let a helper count, write result.txt."
GOOGLE = {"entry": {"provider": "google"}, "path": "/v1beta/openai"}
SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},  # as its first dialogue leaves it
    "privacy": {"usageStatisticsEnabled": False},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
}


def script(work: Path) -> dict[str, list[Step]]:
    """Write the task: two calls at once, a helper, a busy provider."""
    write = {"file_path": str(work / "result.txt"), "content": "teal, 7, wörld\n"}
    helper = {"agent_name": "generalist", "prompt": "TASK-HELPER: count the words of notes.txt"}
    return {
        "TASK-HELPER": [
            step(Call("run_shell_command", {"command": "wc -w notes.txt", "description": "count"})),
            step(Call("complete_task", {"result": {"response": "There are four words."}})),
        ],
        "TASK-MAIN": [
            step(
                Think("Two files at once."),
                Say("I read both."),
                Call("read_file", {"file_path": str(work / "notes.txt")}),
                Call("run_shell_command", {"command": "cat other.txt", "description": "show"}),
            ),
            step(Think("A helper may count."), Call("invoke_agent", helper)),
            step(Say(LONG), Call("write_file", write)),
            step(Say("All is done."), fault=Fault(status=503)),
        ],
    }


def ask(play: Stage, *, model: str = "gemini-3-pro-preview", run: tuple[str, ...] = ()) -> Done:
    """Give Gemini CLI the task; `run` are arguments of `dolphin-logger run`."""
    play.keys.append(KEY)
    settings = play.user / ".gemini" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps(SETTINGS))
    arguments = ("-m", model, "-p", TASK, "--yolo", "--output-format", "json")
    trusted = {"GEMINI_CLI_TRUST_WORKSPACE": "true"}
    return play.run("gemini", *run, "--", *arguments, GEMINI_API_KEY=KEY, **trusted)


def test_a_task_is_recorded_whole(tmp_path: Path) -> None:
    """Every turn, the sub-agent's too, has one whole record; the retry shows as such."""
    with stage(tmp_path, Gemini(), script(tmp_path / "work"), **GOOGLE) as play:
        done = ask(play).check()
        pairs = compare(play)
    assert json.loads(done.output)["response"] == "All is done."
    assert (play.work / "result.txt").read_text() == "teal, 7, wörld\n"
    check_native(pairs)
    assert check_retries(pairs) == 1
    assert {pair.said.part for pair in pairs} == {"TASK-MAIN", "TASK-HELPER"}
    assert {pair.said.received.header("x-goog-api-key") for pair in pairs} == {KEY}
    run = pairs[0].record["client"]["tags"]["run"]
    who = {json.dumps(pair.record["client"], sort_keys=True) for pair in pairs}
    (client,) = (json.loads(found) for found in who)
    assert (client["name"], client["session"]) == ("gemini-cli", run)


def test_an_aborted_stream_is_recorded(tmp_path: Path) -> None:
    """What had come of it, and nothing more; Gemini CLI gives up then or asks again, as it sees the end."""
    cut = {"TASK-MAIN": [step(Say(LONG), fault=Fault())]}
    with stage(tmp_path, Gemini(), cut, **GOOGLE) as play:
        done = ask(play)
        pair, *again = compare(play)
    assert (done.code == 0) is bool(again)
    assert pair.said.cut
    assert not any(other.said.cut for other in again)
    assert pair.record["response"]["candidates"][0].get("finishReason") is None
