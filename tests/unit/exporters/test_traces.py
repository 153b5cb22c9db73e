"""Traces: lines of a session file that viewers and `datasets` read without loss."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.support.agent_sessions import (
    agent_session,
    answer,
    branched_session,
    call,
    compacted_session,
    nameless_session,
    picture,
    plain_session,
    result,
    session,
    step,
    user,
)

from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Session
from dolphin_logger.exporters import Options, UnfitError
from dolphin_logger.exporters.traces import Traces


def _lines(piece: Session, **options: Any) -> list[dict[str, Any]]:
    before = deepcopy(piece)
    lines = list(Traces().rows(piece, Options(**options)))
    assert piece == before
    assert lines == list(Traces().rows(piece, Options(**options)))
    return lines


def _said(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["type"] == "message"]


def _path(lines: list[dict[str, Any]], line: dict[str, Any]) -> list[dict[str, Any]]:
    known = {one["id"]: one for one in lines[1:]}
    path = [line]
    while path[-1]["parentId"] is not None:
        path.append(known[path[-1]["parentId"]])
    return path[::-1]


def _words(line: dict[str, Any]) -> str:
    return "".join(block.get("text", "") for block in line["message"]["content"])


@pytest.mark.parametrize(
    "piece",
    [plain_session(), branched_session(), agent_session(), compacted_session(), nameless_session()],
    ids=["plain", "branched", "agent", "compacted", "nameless"],
)
def test_the_lines_are_a_tree_of_pi(piece: Session) -> None:
    """A header of version 3 with the harness, then entries whose parent stands before them, ids once."""
    header, *entries = _lines(piece)
    assert header == {
        "type": "session",
        "version": 3,
        "id": "rec-1",
        "timestamp": "2026-11-22T15:24:01.500000Z",
        "cwd": "",
        "harness": "claude-code",
    }
    seen: set[str | None] = {None}
    for entry in entries:
        assert entry["parentId"] in seen
        assert entry["id"] not in seen
        seen.add(entry["id"])
    assert entries[-1]["type"] == "custom"
    assert entries[-1]["data"] == {"client": "claude-code", "metadata": {"rating": 5}}


def test_datasets_reads_it_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`load_dataset` finds the thought, the call with an object for arguments, the result and the tools."""
    pytest.importorskip("teich")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    path = tmp_path / "session.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in _lines(plain_session())))
    (row,) = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert row["session_id"] == "rec-1"
    assert row["prompt"] == "What is in /srv?"
    assert row["num_tool_calls"] == 1
    assert row["messages"] == [
        {"role": "system", "content": "Be a coder."},
        {"role": "user", "content": "What is in /srv?"},
        {
            "role": "assistant",
            "content": "Looking.",
            "reasoning_content": "I should list it.",
            "tool_calls": [
                {
                    "type": "function",
                    "id": "c1",
                    "function": {
                        "name": "list_files",
                        "arguments": {"path": "/srv", "depth": 2, "all": None},
                    },
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "name": "list_files", "content": "a.txt\nb.txt"},
        {"role": "assistant", "content": "Two files.", "reasoning_content": "Count them."},
    ]
    (tool,) = [tool for tool in row["tools"] if tool["function"]["name"] == "list_files"]
    assert tool == plain_session().steps[0].tools[0]
    assert row["metadata"]["model"] == "m-1"


@pytest.mark.parametrize("reason", ["completed", "STOP", "tool_use"])
def test_an_answer_with_calls_waits_for_tools(reason: str) -> None:
    """Languages that have one word for both ends (Responses, Gemini) do not hide that a tool was called."""
    calling = answer("", call("look", {}, call_id="c"))
    one = step("rec-1", [user("Hi.")], [calling], finish_reason=reason)
    *_, last = _said(_lines(session(one)))
    assert last["message"]["stopReason"] == "toolUse"


def test_an_answer_says_who_gave_it_and_what_it_cost() -> None:
    """Provider, model, tokens in Pi's words (input without the cached ones) and the reason of its end."""
    _, first, *_ = _said(_lines(plain_session()))
    assert first["message"]["provider"] == "anthropic"
    assert first["message"]["model"] == "m-1"
    assert first["message"]["stopReason"] == "toolUse"
    assert first["message"]["usage"] == {
        "cacheRead": 60,
        "input": 40,
        "output": 10,
        "totalTokens": 110,
    }


def test_a_regenerated_answer_is_a_sibling() -> None:
    """Both answers hang on the question; the conversation goes on from the second one."""
    lines = _lines(branched_session())
    question, apple, pear, another, plum = _said(lines)
    assert [_words(line) for line in (question, apple, pear, another, plum)] == [
        *("Name a fruit.", "Apple.", "Pear.", "Another.", "Plum.")
    ]
    assert apple["parentId"] == pear["parentId"] == question["id"]
    path = [line for line in _path(lines, lines[-1]) if line["type"] == "message"]
    assert path == [question, pear, another, plum]


def test_choices_are_siblings_whose_cost_counts_once() -> None:
    """Several answers to one request hang on the same question; only one carries the tokens."""
    lines = _lines(session(step("rec-1", [user("Two?")], [answer("a"), answer("b")])))
    question, *choices = _said(lines)
    assert [choice["parentId"] for choice in choices] == [question["id"]] * 2
    assert ["usage" in choice["message"] for choice in choices] == [True, False]


def test_a_sub_agent_hangs_on_the_call_and_stands_behind_the_main_thread() -> None:
    """The main thread reads on without it; the last line still stands at the main thread's end."""
    lines = _lines(agent_session())
    assert [_words(line) for line in _said(lines)] == [
        *("How many files?", "", "2", "There are two."),
        *("Count the files.", "", "a\nb", "2"),
    ]
    asked = _said(lines)[4]
    mark = next(line for line in lines if line.get("data", {}).get("relation") == "subagent")
    assert mark["parentId"] == _said(lines)[1]["id"]
    assert mark in _path(lines, asked)
    assert mark["data"]["agent"] == "counter"
    last = [line for line in _path(lines, lines[-1]) if line["type"] == "message"]
    assert [_words(line) for line in last] == ["How many files?", "", "2", "There are two."]
    assert [line["modelId"] for line in lines if line["type"] == "model_change"] == ["m-1"]


def test_a_compaction_cuts_what_was_before() -> None:
    """The compaction keeps nothing before the rewritten history, which is there whole."""
    lines = _lines(compacted_session())
    (cut,) = [line for line in lines if line["type"] == "compaction"]
    first = next(line for line in _said(lines) if line["id"] == cut["firstKeptEntryId"])
    assert _words(first) == "Summary: started."
    assert cut in _path(lines, first)
    assert _words(_said(lines)[3]) == "Went on."


def test_calls_without_ids_find_their_results() -> None:
    """Ids are made from the record and the place; results without one are found by the tool's name."""
    lines = _lines(nameless_session())
    made = [
        (block["name"], block["id"])
        for line in _said(lines)
        for block in line["message"]["content"]
        if block["type"] == "toolCall"
    ]
    assert made == [("list_files", "rec-1-1-0"), ("now", "rec-1-1-1")]
    results = [one["message"] for one in _said(lines) if one["message"]["role"] == "toolResult"]
    assert [(one["toolName"], one["toolCallId"]) for one in results] == made[::-1]


def test_two_calls_of_one_tool_take_their_results_in_order() -> None:
    """Without ids the first result is the first call's, and the second the second's."""
    calls = [call("now", {"zone": zone}) for zone in ("a", "b")]
    piece = session(
        step("rec-1", [user("Both.")], [answer("", *calls)]),
        step("rec-2", [result("1"), result("2")], [answer("Done.")], parent="rec-1"),
    )
    results = [line["message"] for line in _said(_lines(piece))[2:4]]
    assert [one["toolCallId"] for one in results] == ["rec-1-1-0", "rec-1-1-1"]


def test_a_question_that_is_asked_again_is_there_once() -> None:
    """A retry that repeats its question hangs its answer on the first one."""
    question = user("Name a fruit.")
    piece = session(
        step("rec-1", [question], [], outcome="provider_error"),
        step("rec-2", [question], [answer("Pear.")], parent="rec-1", relation="duplicate"),
    )
    assert [_words(line) for line in _said(_lines(piece))] == ["Name a fruit.", "Pear."]
    assert len(_lines(piece, flavour="sts")) == 3


def test_pictures_are_blocks() -> None:
    """A picture that is data has Pi's form, one by address keeps it; `drop` takes both out."""
    seen = user("See ", picture("data:image/png;base64,aGk="), picture("images/a.png"))
    piece = session(step("rec-1", [seen], [answer("Seen.")]))
    (question, _) = _said(_lines(piece))
    assert question["message"]["content"] == [
        {"type": "text", "text": "See "},
        {"type": "image", "data": "aGk=", "mimeType": "image/png"},
        {"type": "image", "url": "images/a.png"},
    ]
    (question, _) = _said(_lines(piece, images="drop"))
    assert question["message"]["content"] == [{"type": "text", "text": "See "}]


@pytest.mark.parametrize("flavour", ["pi", "sts"])
def test_thoughts_stay_out_when_nobody_wants_them(flavour: str) -> None:
    """Without reasoning no line holds a thought."""
    assert "I should list it." in json.dumps(_lines(plain_session(), flavour=flavour))
    text = json.dumps(_lines(plain_session(), flavour=flavour, reasoning=False))
    assert "I should list it." not in text


def test_sts_is_the_hubs_simple_format() -> None:
    """A header with the harness, then messages with calls as JSON text and times in milliseconds."""
    header, *lines = _lines(plain_session(), flavour="sts")
    assert header == {"type": "session", "harness": "claude-code", "id": "rec-1"}
    assert [line["message"]["role"] for line in lines] == [
        *("system", "user", "assistant", "tool", "assistant")
    ]
    said = lines[2]["message"]
    assert said["reasoningContent"] == "I should list it."
    assert said["timestamp"] == 1_795_361_041_500
    (made,) = said["toolCalls"]
    assert json.loads(made["function"]["arguments"]) == {"path": "/srv", "depth": 2, "all": None}
    assert lines[3]["message"]["toolCallId"] == made["id"]


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        (branched_session(), "has branches"),
        (agent_session(), "has sub-agents"),
        (compacted_session(), "has a compaction"),
        (session(step("rec-1", [user(picture("a"))], [answer("b")])), "has pictures"),
        (session(step("rec-1", [], [])), "nothing is said"),
    ],
)
def test_sts_refuses_what_is_not_one_conversation(piece: Session, reason: str) -> None:
    """The simple format has no branches: such a session is refused, not flattened."""
    with pytest.raises(UnfitError, match=reason):
        _lines(piece, flavour="sts")


def test_requests_beside_the_conversation_have_no_place() -> None:
    """Titles that a client asks for are no part of what was said; alone they are no session."""
    main, side = (
        step("rec-1", [user("Hi.")], [answer("Hello.")]),
        step("rec-2", [user("Title?")], []),
    )
    side = step("rec-2", [user("Title?")], [answer("Hi")], parent="rec-1", relation="side")
    assert "Title?" not in json.dumps(_lines(session(main, side)))
    with pytest.raises(UnfitError, match="nothing is said"):
        _lines(session(side))


def test_native_lines_are_left_alone() -> None:
    """The client's own lines come out as they are; a session without them has none to give."""
    native = [{"type": "user", "sessionId": "s", "message": {"role": "user", "content": "Hi."}}]
    piece = session(step("rec-1", [user("Hi.")], []), native=native)
    assert _lines(piece, flavour="native") == native
    with pytest.raises(UnfitError, match="no session file"):
        _lines(plain_session(), flavour="native")


def test_an_unknown_flavour_is_no_fault_of_the_session() -> None:
    """It stops the build, naming what is known, instead of rejecting one session after the other."""
    with pytest.raises(DatasetError, match=r"'xml'; known: pi, sts, native") as caught:
        _lines(plain_session(), flavour="xml")
    assert not isinstance(caught.value, UnfitError)
