"""The survey places every record of a home, and finds the ends of branches."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.support.chats import Chats, assistant, call, result, user
from tests.support.curated import leaves, record, surveyed
from tests.support.homes import write_segment
from tests.support.imported import bring
from tests.support.indexed import opened, session
from tests.support.session_files import SESSION, Sample, claude_code, jsonl, samples, write

from dolphin_logger.conversation import Relation
from dolphin_logger.curate import scan, workers
from dolphin_logger.exchange import Outcome
from dolphin_logger.index.told import find_told
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.seal import seal_segment
from dolphin_logger.journal.tombstones import Tombstone, write_tombstones

HI = user("Which colour is the sea?")


@pytest.fixture
def chats(tmp_path: Path) -> Chats:
    """A home with nothing in it yet."""
    return Chats(tmp_path / "home")


def test_a_conversation_ends_where_nobody_goes_on(chats: Chats) -> None:
    """Of a chat of two turns only the second is a leaf, and the first is its parent."""
    first = chats.ask(HI, answer=assistant("Teal."))
    second = chats.ask(HI, assistant("Teal."), user("Sure?"), answer=assistant("Sure."))
    found = surveyed(chats.home)
    assert leaves(found) == [second]
    assert [(one.id, one.parent, one.relation) for one in found] == [
        (first, None, Relation.START),
        (second, first, Relation.CONTINUE),
    ]
    assert [one.conversation for one in found] == [first, first]
    assert [one.messages for one in found] == [1, 3]


def test_an_answer_that_was_asked_for_again_is_a_leaf_unless_it_was_gone_on_from(
    chats: Chats,
) -> None:
    """Of two answers to one question, the one that the chat went on from is no end."""
    first = chats.ask(HI, answer=assistant("Teal."))
    chats.ask(HI, answer=assistant("Blue."))
    last = chats.ask(HI, assistant("Blue."), user("Sure?"), answer=assistant("Sure."))
    assert leaves(surveyed(chats.home)) == [first, last]


def test_an_edit_leaves_what_was_edited_as_an_end(chats: Chats) -> None:
    """The answer that a client changed is in no other history; the changed branch ends by itself."""
    first = chats.ask(HI, answer=assistant("Teal, as everybody who has ever been there knows."))
    last = chats.ask(HI, assistant("It is blue."), user("Sure?"), answer=assistant("Sure."))
    found = surveyed(chats.home)
    assert found.get(last).relation is Relation.EDIT  # type: ignore[union-attr]
    assert leaves(found) == [first, last]


def test_failed_and_repeated_requests_are_no_leaves(chats: Chats) -> None:
    """A failed try is none; the try that was answered is one; a side task never is."""
    chats.ask(HI, answer=None, outcome=Outcome.PROVIDER_ERROR)
    chats.ask(HI, answer=assistant("Te"), outcome=Outcome.PROVIDER_TRUNCATED)
    good = chats.ask(HI, answer=assistant("Teal."))
    chats.ask(user("### Task: a title, please. Teal."), answer=assistant("Sea"), session="s")
    found = surveyed(chats.home)
    assert found.get(good).relation is Relation.DUPLICATE  # type: ignore[union-attr]
    assert leaves(found) == [good]
    assert [one.is_side for one in found] == [False, False, False, True]


def test_a_sub_agents_thread_has_a_leaf_of_its_own(chats: Chats) -> None:
    """The calls of a sub-agent end apart from the turn that called for it."""
    task = "Count the fish in the sea, please."
    asks = assistant("I ask.", call("task", prompt=task))
    tools = ("task",)
    chats.ask(HI, answer=asks, session="s", tools=tools)
    inner = chats.ask(user(task), answer=assistant("Seven."), session="s", tools=("read",))
    last = chats.ask(
        HI, asks, result("Seven."), answer=assistant("Seven fish."), session="s", tools=tools
    )
    found = surveyed(chats.home)
    assert found.get(inner).relation is Relation.SUBAGENT  # type: ignore[union-attr]
    assert leaves(found) == [inner, last]


def test_a_history_that_was_made_short_leaves_the_long_one_as_an_end(chats: Chats) -> None:
    """Compaction begins anew, so what was said before ends there; a window that slides does not."""
    said = [HI]
    turns = []
    for number in range(6):
        answer = assistant(f"Answer {number}, which is long enough to be nobody else's at all.")
        turns.append(chats.ask(*said, answer=answer, session="s"))
        said += [answer, user(f"Question {number}")]
    short = [user("This session is being continued from a previous conversation. Sea."), *said[-1:]]
    short_turn = chats.ask(*short, answer=assistant("Well."), session="s")
    assert leaves(surveyed(chats.home)) == [turns[-1], short_turn]


def test_a_window_that_slides_over_a_history_is_one_branch(chats: Chats) -> None:
    """A client that leaves out the oldest messages goes on all the same."""
    said = [HI]
    for number in range(8):
        answer = assistant(f"Answer {number}, which is long enough to be nobody else's at all.")
        last = chats.ask(*said[-5:], answer=answer)
        said += [answer, user(f"Question {number}")]
    assert leaves(surveyed(chats.home)) == [last]


def test_the_choice_that_was_continued_counts(tmp_path: Path) -> None:
    """Of several choices the finish reason and the tip are those of the one that was gone on from."""
    home = Home(tmp_path / "home")
    answers = [assistant("Teal."), assistant("Blue."), assistant("Grey.")]
    choices = [
        {"index": at, "message": one, "finish_reason": f"stop{at}"}
        for at, one in enumerate(answers)
    ]
    first, one = record(1, {"messages": [HI]}, {"choices": choices})
    alone, other = record(2, {"messages": [user("And the sky?")]}, {"choices": choices})
    history = [HI, answers[1], user("Sure?")]
    last, two = record(3, {"messages": history}, {"choices": choices[:1]})
    write_segment(home, 1, one, other, two)
    found = surveyed(home)
    facts = {one.id: (one.choice, one.finish_reason, one.is_leaf) for one in found}
    assert facts == {
        first: (1, "stop1", False),
        alone: (0, "stop0", True),
        last: (0, "stop0", True),
    }


def test_what_a_provider_remembers_comes_before(tmp_path: Path) -> None:
    """A request that names an earlier answer goes on from it; one whose answer is unknown is no whole."""
    home = Home(tmp_path / "home")

    def output(name: str, text: str) -> dict[str, Any]:
        content = [{"type": "output_text", "text": text}]
        said = {"type": "message", "role": "assistant", "content": content}
        return {"id": name, "status": "completed", "output": [said]}

    kind = "openai.responses"
    first, one = record(1, {"input": "Which colour?"}, output("r1", "Teal."), dialect=kind)
    asked = {"input": "Sure?", "previous_response_id": "r1"}
    second, two = record(2, asked, output("r2", "Sure."), dialect=kind)
    lost = {"input": "Why?", "previous_response_id": "r0"}
    third, three = record(3, lost, output("r3", "So."), dialect=kind)
    write_segment(home, 1, one, two, three)
    found = surveyed(home)
    assert [one.before for one in found] == [None, first, None]
    assert [one.is_whole for one in found] == [True, True, False]
    assert [one.messages for one in found] == [1, 3, 1]
    assert leaves(found) == [second]
    assert found.get(third) is not None


@pytest.mark.parametrize("number", range(12))
def test_imported_sessions_are_surveyed(tmp_path: Path, number: int) -> None:
    """Each importer's turns are there with their source; every answer that nobody goes on from is a leaf."""
    sample = samples(tmp_path)[number]
    bring(tmp_path / "home", write(tmp_path / "files", sample))
    found = list(surveyed(Home(tmp_path / "home")))
    assert len(found) == len(sample.answers)
    assert {one.source for one in found} == {sample.source}
    assert all(one.is_whole for one in found)
    last = max(found, key=lambda one: one.messages)
    assert last.is_leaf


def test_a_call_that_the_wire_and_a_transcript_tell_of_is_one_leaf(tmp_path: Path) -> None:
    """A transcript's turns follow each other; the wire's copy of its last answer is a duplicate, and no leaf."""
    home = Home(tmp_path / "home")
    told = claude_code()
    bring(home.path, write(tmp_path, Sample("claude-code", "s.jsonl", jsonl(told), ())))
    first, second = surveyed(home)
    assert (first.before, second.before) == (None, first.id)
    history = [one["message"] for one in told if one.get("message")]
    name, line = record(
        1,
        {"messages": history[:-1]},
        history[-1],
        dialect="anthropic.messages",
        client="claude-code",
        session=SESSION,
    )
    write_segment(home, 1, line)
    found = surveyed(home)
    assert leaves(found) == [second.id]
    wired = found.get(name)
    assert wired is not None
    assert (wired.relation, wired.parent) == (Relation.DUPLICATE, second.id)


def test_workers_cuts_and_seals_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process or two, whole segments or small parts, sealed or not: the same survey."""
    home = Home(tmp_path / "home")
    made = [line for name in "abcdefgh" for _, line in session(name, turns=12, start=ord(name))]
    random.Random(7).shuffle(made)
    paths = [write_segment(home, number, *made[number::3]) for number in range(3)]
    whole = list(surveyed(home))
    monkeypatch.setattr(workers, "WORTH_IT", 0)
    monkeypatch.setattr(scan, "_PART_BYTES", 20_000)
    monkeypatch.setattr(scan, "_MOST_TURNS", 3)
    assert len(scan.parts_of(home)) > 6
    assert list(surveyed(home)) == whole
    assert list(surveyed(home, workers=2)) == whole
    assert seal_segment(paths[1], progress=lambda _: None)
    assert list(surveyed(home)) == whole
    assert len(whole) == 96
    assert sum(one.is_leaf for one in whole) == 8


def test_the_survey_and_the_index_agree(tmp_path: Path) -> None:
    """Every record is placed as the index places it."""
    home = Home(tmp_path / "home")
    made = [line for name in "abc" for _, line in session(name, turns=9, start=ord(name))]
    write_segment(home, 1, *made)
    found = surveyed(home)
    with opened(home) as connection:
        for first in {one.conversation for one in found}:
            told = find_told(connection, first)
            assert told is not None
            placed = [(one.record, one.parent, one.relation) for one in told.entries]
            assert placed == [
                (one.id, one.parent, one.relation) for one in found.conversation(first)
            ]


def test_removed_records_are_not_there_and_damaged_lines_are_counted(chats: Chats) -> None:
    """What has a tombstone is in no survey; a damaged line costs no other record."""
    gone = chats.ask(HI, answer=assistant("Teal."))
    kept = chats.ask(user("And the sky?"), answer=assistant("Blue."))
    (path,) = chats.home.logs.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"v":1,"id":"broken"\n')
    write_tombstones(chats.home, [Tombstone(gone, "00")])
    found = surveyed(chats.home)
    assert [one.id for one in found] == [kept]
    assert found.damaged == 1
    assert found.get(gone) is None
    assert found.conversation(gone) == []


def test_lines_of_the_original_program_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines without ids, times and numbers are records in the order of their file, however it is cut."""
    home = Home(tmp_path / "home")
    line = b'{"request":{"messages":[{"role":"user","content":"%s"}]},"response":"Teal."}\n'
    write_segment(home, 1, *[line % b"%d" % number for number in range(9)])
    found = list(surveyed(home))
    assert [one.offset for one in found] == [number * (len(line) - 1) for number in range(9)]
    assert all(one.is_leaf for one in found)
    monkeypatch.setattr(scan, "_PART_BYTES", 1)
    assert len(scan.parts_of(home)) == 9
    assert list(surveyed(home)) == found
