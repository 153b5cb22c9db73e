"""opencode does a task with tools, a sub-agent and failures through `dolphin-logger run opencode`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clients.books import check_native, check_retries, compare
from tests.clients.stage import KEYED, Done, Stage, stage
from tests.support.scripted.chat import Chat
from tests.support.scripted.model import LONG, Call, Fault, Say, Step, Think, step

TASK = "TASK-MAIN: read the notes, let a helper count, write result.txt."
QUIET = {
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
}
SETTINGS = {
    "autoupdate": False,
    "share": "disabled",
    "permission": {"edit": "allow", "bash": "allow"},
}


def script(work: Path) -> dict[str, list[Step]]:
    """Write the task: two calls at once, a helper, a broken and a refused answer."""
    write = {"filePath": str(work / "result.txt"), "content": "teal, 7, wörld\n"}
    prompt = "TASK-HELPER: count the words of notes.txt"
    helper = {"description": "count words", "subagent_type": "general", "prompt": prompt}
    return {
        "Generate a title": [step(Say("Words and colours"))],
        "TASK-HELPER": [
            step(Call("bash", {"command": "wc -w notes.txt", "description": "count"})),
            step(Say("There are four words.")),
        ],
        "TASK-MAIN": [
            step(
                Think("Two files at once."),
                Say("I read both."),
                Call("read", {"filePath": str(work / "notes.txt")}),
                Call("bash", {"command": "cat other.txt", "description": "show"}),
            ),
            step(Think("A helper may count."), Call("task", helper)),
            step(Say(LONG), Call("write", write), fault=Fault()),
            step(Say("All is done."), fault=Fault(status=429)),
        ],
    }


def ask(play: Stage) -> Done:
    """Give opencode the task."""
    settings = play.user / ".config" / "opencode" / "opencode.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(SETTINGS))
    arguments = ("run", "--format", "json", TASK)
    return play.run("opencode", "--model", "local-model", "--", *arguments, **QUIET)


def test_a_task_is_recorded_whole(tmp_path: Path) -> None:
    """Every turn, the sub-agent's and the title's too, has one whole record; retries show as such."""
    with stage(tmp_path, Chat(), script(tmp_path / "work"), entry=KEYED) as play:
        done = ask(play).check()
        pairs = compare(play)
    assert '"text":"All is done."' in done.output
    assert (play.work / "result.txt").read_text() == "teal, 7, wörld\n"
    check_native(pairs)
    assert check_retries(pairs) == 2
    by_part = {pair.said.part: pair.record["client"] for pair in pairs}
    main, helper = by_part["TASK-MAIN"], by_part["TASK-HELPER"]
    assert {client["name"] for client in by_part.values()} == {"opencode"}
    assert main["session"]
    assert main["parent"] is None
    assert helper["session"] not in (None, main["session"])
    assert helper["parent"] == main["session"]
    assert by_part["Generate a title"]["session"] == main["session"]
