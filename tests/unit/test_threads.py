"""Which turns are read one after the other, what is folded away, and where each message stands."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from tests.support.chats import Chats, Said, assistant, call, result, user

from dolphin_logger.conversation.thread import Thread, opens
from dolphin_logger.exchange import Outcome
from dolphin_logger.index.freshness import catch_up
from dolphin_logger.index.schema import index_path, open_to_read
from dolphin_logger.index.told import Told, find_told
from dolphin_logger.messages import Message, Text, ToolCall, ToolResult

LONG = "The garden has a stone bridge, and behind it are the copper signals of the river."


@pytest.fixture
def chats(tmp_path: Path) -> Chats:
    """A home without records."""
    return Chats(tmp_path)


def told(chats: Chats, name: str) -> Told | None:
    """Ask the index for a conversation."""
    catch_up(chats.home, seconds=20)
    return find_told(open_to_read(index_path(chats.home)), name)


def thread(chats: Chats, name: str) -> Thread:
    """Draw what a name means."""
    found = told(chats, name)
    assert found is not None
    return found.thread(through=found.record)


def words(message: Message) -> str:
    """Write a message in short."""
    said = []
    for part in message.parts:
        if isinstance(part, Text):
            said.append(part.text)
        elif isinstance(part, ToolCall):
            said.append(f"{part.name}()")
        elif isinstance(part, ToolResult):
            said += [f"={inner.text}" for inner in part.parts if isinstance(inner, Text)]
    return " ".join(said)


def lines(drawn: Thread) -> list[str]:
    """Write each turn in a line: what is new in it, the answers, the folds."""
    found = []
    for step in drawn.steps:
        said = [*map(words, step.messages), *(f"-> {words(one)}" for one in step.answers)]
        said += [f"[{fold.kind} {fold.turns}]" for fold in step.folds]
        found.append(" ".join(said))
    return found


def test_each_message_stands_once(chats: Chats) -> None:
    """A turn shows what its history adds, and its answer; what was thought stays with the answer."""
    first = assistant("A1", call("run", x=1), thought="Hm.")
    history = [{"role": "system", "content": "Be brief."}, user("Q1")]
    one = chats.ask(*history, answer=first, tools=("run",))
    back = first | {"reasoning_content": ""}
    history += [back, result("ok")]
    chats.ask(*history, answer=assistant("A2"), tools=("run",))
    chats.ask(*history, assistant("A2"), user("Q1"), answer=assistant("A3"), tools=("run",))
    drawn = thread(chats, one)
    assert lines(drawn) == ["Q1 -> A1 run()", "=ok -> A2", "Q1 -> A3"]
    settings = [step.setting for step in drawn.steps]
    assert [words(one) for one in settings[0].instructions] == ["Be brief."]  # type: ignore[union-attr]
    assert settings[1:] == [None, None]
    assert (drawn.turns, drawn.failed, drawn.usage.input_tokens, drawn.busy_ms) == (3, 0, 300, 4500)


def test_changed_instructions_are_given_again(chats: Chats) -> None:
    """Only where they are others than before."""
    told_ = [{"role": "system", "content": text} for text in ("One.", "Two.")]
    one = chats.ask(told_[0], user("Q1"), answer=assistant("A1"))
    more = (user("Q1"), assistant("A1"), user("Q2"))
    chats.ask(told_[1], *more, answer=assistant("A2"))
    steps = thread(chats, one).steps
    assert [words(step.setting.instructions[0]) for step in steps if step.setting] == [
        "One.",
        "Two.",
    ]


def test_retries_and_other_answers_are_folded(chats: Chats) -> None:
    """The line goes through the answer that was gone on from; the others hang on that turn."""
    failed = Outcome.PROVIDER_ERROR
    one = chats.ask(user("Q1"), answer=None, outcome=failed)
    chats.ask(user("Q1"), answer=assistant("A1"))
    chats.ask(user("Q1"), answer=assistant("A1b"))
    chats.ask(user("Q1"), assistant("A1"), user("Q2"), answer=assistant("A2"))
    drawn = thread(chats, one)
    assert lines(drawn) == ["Q1 -> A1 [retry 1] [regenerate 1]", "Q2 -> A2"]
    assert [fold.text for fold in drawn.steps[0].folds] == ["", "A1b"]
    assert (drawn.id, drawn.turns, drawn.failed, drawn.records) == (one, 3, 1, 4)


def test_the_last_answer_of_several_is_read(chats: Chats) -> None:
    """Without more after them: the latest, but no replay, and none that failed."""
    one = chats.ask(user("Q1"), answer=assistant("A1"))
    chats.ask(user("Q1"), answer=assistant("A1b"))
    chats.ask(user("Q1"), answer=None, outcome=Outcome.TIMEOUT)
    chats.ask(user("Q1"), answer=assistant("other"), model="b", tags={"replay": one})
    drawn = thread(chats, one)
    assert lines(drawn) == ["Q1 -> A1b [regenerate 1] [retry 1] [replay 1]"]


def test_a_failed_end_is_shown(chats: Chats) -> None:
    """What was asked last and failed stays on the line."""
    one = chats.ask(user("Q1"), answer=assistant("A1"))
    more = (user("Q1"), assistant("A1"), user("Q2"))
    chats.ask(*more, answer=None, outcome=Outcome.TIMEOUT)
    drawn = thread(chats, one)
    assert lines(drawn) == ["Q1 -> A1", "Q2"]
    assert [step.entry.is_complete for step in drawn.steps] == [True, False]


def grow(chats: Chats, history: list[Said], *questions: str) -> list[str]:
    """Ask one after the other behind a history."""
    made = []
    for question in questions:
        history = [*history, user(question)]
        answer = assistant(f"to {question}")
        made.append(chats.ask(*history, answer=answer))
        history.append(answer)
    return made


def test_branches_are_folded_and_open(chats: Chats) -> None:
    """The line goes to the latest turn; the id of a fold draws what is in it, from there on."""
    begun = grow(chats, [], "Q1", "Q2", "Q3")
    history = [user("Q1"), assistant("to Q1")]
    grow(chats, history, "other", "more")
    drawn = thread(chats, begun[0])
    assert lines(drawn) == ["Q1 -> to Q1 [branch 2]", "other -> to other", "more -> to more"]
    (fold,) = drawn.steps[0].folds
    assert (fold.record, fold.text) == (begun[1], "Q2")
    inside = thread(chats, fold.record)
    assert lines(inside) == ["Q2 -> to Q2", "Q3 -> to Q3"]
    assert (inside.before, inside.steps[0].number, inside.head) == (1, 2, begun[1])
    found = told(chats, begun[2])
    assert found is not None
    assert opens(found.entries, begun[1])
    assert not opens(found.entries, begun[2])


def test_answers_in_a_branch_hang_on_each_other(chats: Chats) -> None:
    """One fold holds a branch with all its answers, and each opens to something smaller."""
    begun = grow(chats, [], "Q1", "Q2")
    history = [user("Q1"), assistant("to Q1"), user("Q2")]
    chats.ask(*history, answer=assistant("again"))
    last = grow(chats, history[:2], "other", "more")
    drawn = thread(chats, begun[0])
    assert lines(drawn)[0] == "Q1 -> to Q1 [branch 2]"
    branch = thread(chats, drawn.steps[0].folds[0].record)
    assert lines(branch) == ["Q2 -> again [regenerate 1]"]
    (other,) = branch.steps[0].folds
    alone = thread(chats, other.record)
    assert lines(alone) == ["Q2 -> to Q2"]
    assert last[1] in [step.entry.record for step in drawn.steps]


def test_an_edited_answer_takes_the_place_of_the_given_one(chats: Chats) -> None:
    """What was answered before the edit is folded; the changed text stands in the line."""
    one = chats.ask(user("Q1"), answer=assistant("A1"))
    edited = (user("Q1"), assistant("Better."), user("Q2"))
    chats.ask(*edited, answer=assistant("A2"))
    assert lines(thread(chats, one)) == ["Q1 Better. Q2 -> A2 [edit 1]"]


def test_sub_agents_and_side_requests_are_folded(chats: Chats) -> None:
    """A sub-agent opens as a thread of its own; a client's own requests are one line."""
    who = {"session": "s"}
    task = "Look for every writer of the pipe"
    asked = assistant("", call("Task", prompt=task))
    one = chats.ask(user("Q1"), answer=asked, tools=("Task",), **who)
    read = assistant("", call("Read"))
    sub = chats.ask(user(task), answer=read, tools=("Read",), agent="x", **who)
    chats.ask(
        user(task), read, result("1"), answer=assistant("two"), tools=("Read",), agent="x", **who
    )
    for which in ("one", "two", "two"):
        chats.ask(user(f"[SUGGESTION MODE: {which}]"), answer=assistant("go"), **who)
    more = (user("Q1"), asked, result("two"))
    chats.ask(*more, answer=assistant("A2"), tools=("Task",), **who)
    drawn = thread(chats, one)
    assert lines(drawn) == ["Q1 -> Task() [subagent 2] [side 3]", "=two -> A2"]
    assert (drawn.turns, drawn.sides, drawn.session) == (5, 2, "s")
    assert lines(thread(chats, sub)) == [f"{task} -> Read()", "=1 -> two"]


def test_a_compaction_shows_what_is_new(chats: Chats) -> None:
    """What took the place of the history is folded, what came again is counted, the rest goes on."""
    begun = grow(chats, [], *(f"Question {n}" for n in range(6)))
    summary = user(f"This session is being continued from a previous conversation. {LONG}")
    kept = [user("Question 5"), assistant("to Question 5")]
    chats.ask(summary, *kept, user("Next"), answer=assistant("to Next"), client="a-client")
    step = thread(chats, begun[0]).steps[-1]
    assert step.entry.relation.value == "compaction"
    assert (step.repeated, list(map(words, step.messages))) == (2, ["Next"])
    assert [words(one)[:12] for one in step.rewritten] == ["This session"]


@pytest.mark.parametrize("after", [["Next"], []])
def test_a_summary_alone_is_folded(chats: Chats, after: list[str]) -> None:
    """Where nothing of the old history comes back: all but a question behind it."""
    summary = f"This session is being continued from a previous conversation. {LONG}"
    history = [user(text) for text in (summary, *after)]
    who = {"session": "s"}
    one = chats.ask(user("Question"), answer=assistant(LONG), **who)
    chats.ask(*history, answer=assistant("to Next"), **who)
    step = thread(chats, one).steps[-1]
    assert (step.is_compaction, step.repeated, len(step.rewritten)) == (True, 0, 1)
    assert list(map(words, step.messages)) == after


def test_a_window_that_moves_shows_nothing_twice(chats: Chats) -> None:
    """A client that sends the last messages alone."""
    history: list[Said] = []
    begun = None
    for number in range(6):
        history = [*history[-4:], user(f"Question {number}")]
        made = chats.ask(*history, answer=assistant(f"Answer {number}"))
        begun = begun or made
        history.append(assistant(f"Answer {number}"))
    assert begun is not None
    drawn = thread(chats, begun)
    assert lines(drawn) == [f"Question {n} -> Answer {n}" for n in range(6)]


def test_what_only_a_session_joins_stands_where_it_was(chats: Chats) -> None:
    """Another beginning in the same session is folded at its time; the longest is the line."""
    who = {"session": "s", "tools": ("run",)}
    one = chats.ask(user("Q1"), answer=assistant("A1"), **who)
    other = chats.ask(user("Hi"), answer=assistant("Ho"), session="s", agent="y", tools=("run",))
    chats.ask(user("Q1"), assistant("A1"), user("Q2"), answer=assistant("A2"), **who)
    drawn = thread(chats, one)
    folds = [fold for step in drawn.steps for fold in step.folds]
    assert drawn.head == one
    assert [fold.record for fold in folds] == [other]


def test_ids_that_mean_a_conversation(chats: Chats) -> None:
    """The whole one, its last 8 characters, any of its records; nothing for what is not there."""
    begun = grow(chats, [], "Q1", "Q2")
    for name, record in [(begun[0], None), (begun[0][-8:], None), (begun[1][-8:], begun[1])]:
        found = told(chats, name.upper())
        assert found is not None
        assert (found.id, found.record) == (begun[0], record)
    assert told(chats, "00000000") is None
    assert told(chats, "zz") is None


def test_turns_are_on_the_line_or_in_one_fold(chats: Chats) -> None:
    """Whatever hangs on whatever: nothing is lost, nothing is there twice."""
    begun = grow(chats, [], "Q1", "Q2", "Q3", "Q4")
    for depth in (1, 2, 3):
        history = [
            said for n in range(1, depth + 1) for said in (user(f"Q{n}"), assistant(f"to Q{n}"))
        ]
        grow(chats, history, f"B{depth}", f"C{depth}")
        chats.ask(*history, user(f"B{depth}"), answer=assistant("again"))
        chats.ask(*history, user(f"Q{depth + 1}"), answer=None, outcome=Outcome.TIMEOUT)
    found = told(chats, begun[0])
    assert found is not None
    waiting, seen = [found.thread()], []
    while waiting:
        drawn = waiting.pop()
        seen += [step.entry.record for step in drawn.steps]
        folds = [*drawn.early, *(fold for step in drawn.steps for fold in step.folds)]
        waiting += [found.thread(through=fold.record) for fold in folds]
        assert sum(fold.turns for fold in folds) + len(drawn.steps) <= len(found.entries)
    assert sorted(seen) == sorted(entry.record for entry in found.entries)


@pytest.mark.parametrize("turns", [40, 80])
def test_work_grows_with_what_is_new(chats: Chats, turns: int) -> None:
    """A long agent session costs a few looks into the tree for each message, however long it is."""
    history: list[Said] = [user("Q1")]
    begun = None
    for number in range(turns):
        asked = assistant("", call("run", f"c{number}", n=number))
        begun = begun or chats.ask(*history, answer=asked, tools=("run",))
        chats.ask(*history, answer=asked, tools=("run",))
        history += [asked, result(f"result {number}", f"c{number}")]
    assert begun is not None
    found = told(chats, begun)
    assert found is not None
    looks = []
    node = found.tree.node
    found.tree.node = lambda number: looks.append(number) or node(number)  # type: ignore[func-returns-value,method-assign]
    assert len(found.thread().steps) == turns
    assert turns < len(looks) < 20 * turns


def test_removed_messages_leave_the_rest(chats: Chats) -> None:
    """A message that is gone is passed over."""
    begun = grow(chats, [], "Q1", "Q2")
    found = told(chats, begun[0])
    assert found is not None
    with contextlib.closing(open_to_read(index_path(chats.home))) as connection:
        newest = connection.execute("SELECT max(id) FROM message").fetchone()[0]
    message = found.tree.message
    found.tree.message = lambda number: None if number == newest else message(number)  # type: ignore[method-assign]
    assert lines(found.thread())[-1] == "Q2"
