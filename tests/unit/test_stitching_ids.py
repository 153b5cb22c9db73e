"""How turns hang on each other where clients name sessions, agents and parents."""

from __future__ import annotations

import pytest
from tests.support.talk import A, R, Talk, U, call

from dolphin_logger.messages import Message, ToolCall

TASK = "Count all the words of the notes."
LONG = "The garden has a stone bridge, and behind it are the copper signals of the river."
TOOLS = ("run", "read")


def test_equal_histories_of_two_sessions_stay_apart() -> None:
    """Word for word the same, at the same time: as many conversations as sessions."""
    talk = Talk()
    for session in ("one", "two"):
        talk.ask(U("Q1"), answer=A("A1"), session=session)
    second = (U("Q1"), A("A1"), U("Q2"))
    assert talk.ask(*second, session="one") == ("continue", "r0", "r0")
    assert talk.ask(*second, session="two") == ("continue", "r1", "r1")


def test_sessions_of_two_clients_are_two() -> None:
    """A session is its client's."""
    talk = Talk(session="s")
    talk.ask(U("Q1"), answer=A("A1"), client="a")
    assert talk.ask(U("Q2"), client="b") == ("start", None, "r1")


def test_a_session_is_one_conversation_whatever_is_asked() -> None:
    """Another first question with the same tools is a branch, without them aside."""
    talk = Talk(session="s")
    talk.ask(U("Q1"), answer=A("A1"), tools=TOOLS)
    assert talk.ask(U("Q1b"), answer=A("A1b"), tools=TOOLS) == ("branch", "r0", "r0")
    assert talk.ask(U("A title?"), answer=A("Title")) == ("side", "r1", "r0")
    assert talk.ask(U("Q1b"), A("A1b"), U("Q2"), tools=TOOLS) == ("continue", "r1", "r0")


def test_a_title_asked_with_the_first_question_does_not_ask_it_again() -> None:
    """The same words without the tools are a request of the client's own."""
    talk = Talk(session="s")
    talk.ask(U("Q1"), answer=A("A1"), tools=TOOLS)
    assert talk.ask(U("Q1"), answer=A("Title")) == ("side", "r0", "r0")
    assert talk.ask(U("Q1"), A("A1"), U("Q2"), tools=TOOLS) == ("continue", "r0", "r0")


def test_a_title_may_come_before_everything() -> None:
    """The main line starts after it; a client that always has tools asks for itself without them."""
    talk = Talk(session="s", client="opencode")
    assert talk.ask(U("Q1"), answer=A("Title")) == ("side", None, "r0")
    assert talk.ask(U("Q1"), answer=A("A1"), tools=TOOLS) == ("start", None, "r0")
    talk = Talk(session="s")
    assert talk.ask(U("Q1"), answer=A("Title")) == ("start", None, "r0")
    assert talk.ask(U("Q1"), answer=A("A1"), tools=TOOLS) == ("start", None, "r0")


def test_an_agent_of_a_session_is_a_subagent_of_the_turn_that_called_it() -> None:
    """By its own id and its parent's; of several calls, the one with its task."""
    talk = Talk(session="s")
    talk.ask(U("Q1"), answer=A("", call(prompt=TASK)))
    talk.ask(U("Q1"), A("", call(prompt=TASK)), R("later"), answer=A("", call(prompt="nothing")))
    assert talk.ask(U("Facts.", TASK), agent="a", answer=A("", call(b=TASK + "!"))) == (
        "subagent",
        "r0",
        "r0",
    )
    assert talk.ask(U(TASK + "!"), agent="b", parent="a") == ("subagent", "r2", "r0")
    other = talk.ask(U("A task in other words."), agent="c", parent="s")
    assert other == ("subagent", "r1", "r0")
    assert talk.ask(U("Facts.", TASK), A("", call(b=TASK + "!")), R("x"), agent="a")[:2] == (
        "continue",
        "r2",
    )


def test_helpers_with_the_same_task_stay_apart() -> None:
    """Each agent has its own thread."""
    talk = Talk(session="s")
    talk.ask(U("Q1"), answer=A("", call(prompt=TASK), ToolCall("run", {"prompt": TASK}, "2")))
    for agent in ("a", "b"):
        assert talk.ask(U(TASK), agent=agent, answer=A("", call(n=1)))[:2] == ("subagent", "r0")
    back = (U(TASK), A("", call(n=1)), R("ok"))
    assert talk.ask(*back, agent="a")[:2] == ("continue", "r1")
    assert talk.ask(*back, agent="b")[:2] == ("continue", "r2")


def test_a_session_with_a_parent_is_a_subagent_of_it() -> None:
    """Also when the parent's records come later: then the two conversations become one."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("", call(prompt=TASK)), session="main")
    found = talk.ask(U(TASK), session="child", parent="main")
    assert found == ("subagent", "r0", "r0")
    late = Talk()
    main = late.turn(U("Q1"), answer=A("", call(prompt=TASK)), session="main")
    child = late.turn(U(TASK), session="child", parent="main")
    assert late.stitcher.add(child).conversation == "r1"
    placed = late.stitcher.add(main)
    assert (placed.conversation, placed.merged) == ("r0", ("r1",))


def test_messages_of_open_webui_are_no_agents() -> None:
    """What it sends as an agent names a message; a changed first question is a branch."""
    talk = Talk(session="s", client="open-webui")
    talk.ask(U("Q1"), answer=A("A1"), agent="m1")
    assert talk.ask(U("Q1b"), answer=A("A1b"), agent="m2") == ("branch", "r0", "r0")
    assert talk.ask(U("Q1b"), A("A1b"), U("Q2"), agent="m3") == ("continue", "r1", "r0")


@pytest.mark.parametrize(
    "history",
    [
        (U(f"Go on.\n{LONG}"),),
        (U("This session is being continued from a previous conversation, which was long."),),
        (U("In short."), A("A1"), U("Q2")),
        (U("In short."), A("What nobody said."), U("Q2")),
    ],
)
def test_a_session_whose_history_was_made_short_goes_on(history: tuple[Message, ...]) -> None:
    """By the summary, by what the client says of it, by what is left, or as it is a session's."""
    talk = Talk(session="s")
    talk.ask(U("Q1"), answer=A("A1"), tools=TOOLS)
    talk.ask(U("Q1"), A("A1"), U("Sum up."), answer=A(LONG), tools=TOOLS)
    relation, parent, conversation = talk.ask(*history, tools=TOOLS)
    assert (relation, conversation) == ("compaction", "r0")
    assert parent == ("r0" if history[1:2] == (A("A1"),) else "r1")


def test_a_session_that_goes_on_under_another_name_is_the_same() -> None:
    """Its first history ends in an answer of the old one."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"), session="old")
    assert talk.ask(U("Q1"), A("A1"), U("Q2"), session="new") == ("continue", "r0", "r0")
    assert talk.ask(U("Q1"), A("A1"), U("Q3"), session="third") == ("branch", "r0", "r0")
    assert talk.ask(U("Q1"), session="fourth") == ("start", None, "r3")


def test_a_run_is_no_session() -> None:
    """A program under `run` may hold many chats; each of its agents is known by its task."""
    talk = Talk(session="0f", tags={"run": "0f"}, client="gemini-cli")
    first = A("", call(prompt=TASK))
    talk.ask(U("Q1"), answer=first, tools=TOOLS)
    assert talk.ask(U(TASK), answer=A("Four."), tools=TOOLS) == ("subagent", "r0", "r0")
    assert talk.ask(U("Q2"), answer=A("A2"), tools=TOOLS) == ("start", None, "r2")


def test_a_summary_is_gone_on_with_under_another_name() -> None:
    """The client says that it made the history short, and quotes the old session's summary."""
    talk = Talk()
    said = f"<analysis>\n{LONG * 2}\n</analysis>\n<summary>\n{LONG}\n</summary>"
    talk.ask(U("Summarize."), answer=A(said), session="old")
    opening = f"This session is being continued from a previous conversation.\n{LONG}"
    assert talk.ask(U(opening), session="new") == ("compaction", "r0", "r0")
    assert talk.ask(U(LONG), session="third") == ("start", None, "r2")


def test_what_is_aside_is_not_what_a_session_goes_on_from() -> None:
    """A changed first question hangs on the main line, not on the title asked for in between."""
    talk = Talk(session="s")
    talk.ask(U("Q1"), answer=A("A1"), tools=TOOLS)
    assert talk.ask(U("A title?"), answer=A("Title"))[0] == "side"
    assert talk.ask(U("Q1b"), tools=TOOLS) == ("branch", "r0", "r0")
