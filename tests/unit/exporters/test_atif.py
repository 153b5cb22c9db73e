"""ATIF rows: trajectories by the specification, every step that a model made in one of them."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from tests.support.agent_sessions import (
    LIST_TOOL,
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

from dolphin_logger.curate.check import atif
from dolphin_logger.example import Session
from dolphin_logger.exporters import Options, UnfitError
from dolphin_logger.exporters.atif import Atif


def _rows(piece: Session, **options: Any) -> list[dict[str, Any]]:
    before = deepcopy(piece)
    rows = list(Atif().rows(piece, Options(**options)))
    assert piece == before
    assert rows == list(Atif().rows(piece, Options(**options)))
    for row in rows:
        assert list(row) == [column.name for column in Atif.columns]
        assert not list(atif.faults(json.loads(json.dumps(row))))
    return rows


def _made(rows: list[dict[str, Any]]) -> list[str]:
    """Give the records of all steps that a model made and that no other row has."""
    made: list[str] = []
    for row in rows:
        asked = [one for one in row["steps"] if "llm_call_count" in one]
        made += [one["extra"]["record"] for one in asked if not one.get("is_copied_context")]
        made += _made(row["subagent_trajectories"] or [])
    return sorted(made)


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        (plain_session(), 1),
        (branched_session(), 2),
        (agent_session(), 1),
        (compacted_session(), 1),
        (nameless_session(), 1),
    ],
    ids=["plain", "branched", "agent", "compacted", "nameless"],
)
def test_every_call_of_a_model_is_in_one_trajectory(piece: Session, count: int) -> None:
    """One row for each end of a session; each record's answer stands in exactly one, unmarked."""
    rows = _rows(piece)
    assert len(rows) == count
    assert _made(rows) == [step.id for step in piece.steps]
    assert {row["session_id"] for row in rows} == {"rec-1"}
    assert len({row["trajectory_id"] for row in rows}) == count


def test_thoughts_calls_results_and_tokens_survive() -> None:
    """What a tool gave stands at the step that called it, with the thought and what it cost."""
    (row,) = _rows(plain_session())
    first = row["steps"][2]
    assert first["reasoning_content"] == "I should list it."
    assert first["tool_calls"] == [
        {
            "tool_call_id": "c1",
            "function_name": "list_files",
            "arguments": {"path": "/srv", "depth": 2, "all": None},
        }
    ]
    assert first["observation"] == {
        "results": [{"source_call_id": "c1", "content": "a.txt\nb.txt"}]
    }
    assert first["metrics"] == {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "cached_tokens": 60,
    }
    assert [one["source"] for one in row["steps"]] == ["system", "user", "agent", "agent"]
    assert row["agent"] == {
        "name": "claude-code",
        "version": "unknown",
        "model_name": "m-1",
        "tool_definitions": [LIST_TOOL],
    }
    assert row["final_metrics"] == {
        "total_steps": 4,
        "total_prompt_tokens": 200,
        "total_completion_tokens": 20,
        "total_cached_tokens": 120,
    }


def test_an_unknown_count_makes_no_total() -> None:
    """A sum over what is only partly known would be a wrong figure."""
    piece = plain_session()
    piece.steps[1] = step("rec-2", [], [answer("b")], parent="rec-1", usage={"output_tokens": 1})
    (row,) = _rows(piece)
    assert row["final_metrics"] == {"total_steps": 4, "total_completion_tokens": 11}


def test_a_branch_is_a_row_whose_beginning_is_copied() -> None:
    """The main row is what the session ended with; the other answer's row marks what they share."""
    main, other = _rows(branched_session())
    assert [one["message"] for one in main["steps"]] == [
        *("Name a fruit.", "Pear.", "Another.", "Plum.")
    ]
    assert not [one for one in main["steps"] if "is_copied_context" in one]
    assert [(one["message"], one.get("is_copied_context")) for one in other["steps"]] == [
        ("Name a fruit.", True),
        ("Apple.", None),
    ]


def test_a_sub_agent_is_embedded_where_it_was_called_for() -> None:
    """Its own steps count from 1, and the result of the call names it."""
    (row,) = _rows(agent_session())
    (agent,) = row["subagent_trajectories"]
    assert agent["agent"]["name"] == "counter"
    assert agent["agent"]["model_name"] == "m-small"
    assert [one["message"] for one in agent["steps"]] == ["Count the files.", "", "2"]
    (given,) = row["steps"][1]["observation"]["results"]
    assert given == {
        "source_call_id": "t1",
        "content": "2",
        "subagent_trajectory_ref": [{"trajectory_id": "rec-2", "session_id": "rec-1"}],
    }


def test_two_sub_agents_find_their_own_calls() -> None:
    """Called for at once, each is named at the result of the call that holds its first words."""
    calls = [call("task", {"prompt": f"Do {name}."}, call_id=name) for name in ("a", "b")]
    piece = session(
        step("rec-1", [user("Both.")], [answer("", *calls)]),
        *(
            step(
                f"rec-{number}",
                [user(f"Do {name}.")],
                [answer(f"Did {name}.")],
                parent="rec-1",
                relation="subagent",
            )
            for number, name in ((2, "b"), (3, "a"))
        ),
        step(
            "rec-4",
            [result("1", call_id="a"), result("2", call_id="b")],
            [answer("Done.")],
            parent="rec-1",
        ),
    )
    (row,) = _rows(piece)
    named = {
        given["source_call_id"]: given["subagent_trajectory_ref"][0]["trajectory_id"]
        for given in row["steps"][1]["observation"]["results"]
    }
    assert named == {"a": "rec-3", "b": "rec-2"}


def test_a_sub_agent_of_a_sub_agent_is_embedded_in_it() -> None:
    """Nesting stays; one whose caller is not known is in the main trajectory, named by nobody."""
    piece = session(
        step("rec-1", [user("Go.")], [answer("", call("task", {"prompt": "Deep."}, call_id="t"))]),
        step(
            "rec-2",
            [user("Deep.")],
            [answer("", call("task", {"prompt": "Deeper."}, call_id="u"))],
            parent="rec-1",
            relation="subagent",
        ),
        step("rec-3", [user("Deeper.")], [answer("3")], parent="rec-2", relation="subagent"),
        step("rec-4", [user("Alone.")], [answer("4")], agent="stray"),
    )
    (row,) = _rows(piece)
    outer, stray = row["subagent_trajectories"]
    assert [one["trajectory_id"] for one in outer["subagent_trajectories"]] == ["rec-3"]
    assert stray["trajectory_id"] == "rec-4"
    assert [one["trajectory_id"] for one in atif.references(row)] == ["rec-2"]


def test_what_a_compaction_says_again_is_copied() -> None:
    """Of the rewritten history only what was said before is marked; the summary is new."""
    (row,) = _rows(compacted_session())
    assert [(one["message"], one.get("is_copied_context")) for one in row["steps"]] == [
        ("Start.", None),
        ("Started.", None),
        ("Go on.", None),
        ("Went on.", None),
        ("Summary: started.", None),
        ("Go on.", True),
        ("Went on.", True),
        ("Finish.", None),
        ("Finished.", None),
    ]


def test_a_result_without_its_call_is_a_step_of_the_system() -> None:
    """A history that was cut between a call and its result keeps the result."""
    piece = session(
        step("rec-1", [result("lost", call_id="gone"), user("Go on.")], [answer("Yes.")])
    )
    (row,) = _rows(piece)
    assert row["steps"][0]["source"] == "system"
    assert row["steps"][0]["observation"] == {"results": [{"content": "lost"}]}


def test_thoughts_stay_out_when_nobody_wants_them() -> None:
    """Without reasoning no step holds a thought."""
    assert "reasoning_content" in json.dumps(_rows(plain_session()))
    assert "reasoning_content" not in json.dumps(_rows(plain_session(), reasoning=False))


def test_pictures_have_a_kind_and_a_path() -> None:
    """The kind is read from the address; where it does not say, the session has no place."""
    seen = user("See ", picture("images/a.jpg"), picture("data:image/png;base64,aGk="))
    (row,) = _rows(session(step("rec-1", [seen], [answer("Seen.")])))
    assert [part.get("source") for part in row["steps"][0]["message"]] == [
        None,
        {"media_type": "image/jpeg", "path": "images/a.jpg"},
        {"media_type": "image/png", "path": "data:image/png;base64,aGk="},
    ]
    unclear = session(step("rec-1", [user(picture("https://x.test/1"))], [answer("?")]))
    with pytest.raises(UnfitError, match="picture of an unknown kind"):
        _rows(unclear)
    assert _rows(unclear, images="drop")


def test_an_empty_session_is_refused() -> None:
    """A session in which nothing was said has no trajectory."""
    with pytest.raises(UnfitError, match="nothing is said"):
        _rows(session(step("rec-1", [], [])))
