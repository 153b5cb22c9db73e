"""How turns hang on each other, without ids of sessions: one small conversation for each rule."""

from __future__ import annotations

import pytest
from tests.support.talk import A, R, Talk, U, call

from dolphin_logger.conversation import gather, stitch
from dolphin_logger.messages import Message, ToolCall

LONG = "The garden has a stone bridge, and behind it are the copper signals of the river."


def test_an_answer_and_more_after_it_continues() -> None:
    """Thoughts, white space and ids may be gone from what comes back."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1 \n", call(a=1), think="Hm."))
    back = A("A1", ToolCall("run", {"a": 1.0}, "other"))
    assert talk.ask(U("Q1"), back, R("ok"), answer=A("A2")) == ("continue", "r0", "r0")
    third = (U("Q1"), back, R("ok"), A("A2"), U("Q2"))
    assert talk.ask(*third, answer=A("A3")) == ("continue", "r1", "r0")


def test_two_questions_after_one_answer_are_branches() -> None:
    """The second is a branch, also when the first was asked twice."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A(LONG))
    assert talk.ask(U("Q1"), A(LONG), U("Q2"), answer=A("A2"))[0] == "continue"
    assert talk.ask(U("Q1"), A(LONG), U("Q2"), answer=A("A2b"))[:2] == ("regenerate", "r1")
    assert talk.ask(U("Q1"), A(LONG), U("Q3"), answer=A("A3")) == ("branch", "r0", "r0")
    last = (U("Q1"), A(LONG), U("Q2"), A("A2b"), U("Q4"))
    assert talk.ask(*last, answer=A("A4")) == ("continue", "r2", "r0")


@pytest.mark.parametrize("outcome", ["provider_error", "provider_truncated", "timeout", "crashed"])
def test_what_failed_and_is_asked_again_is_a_duplicate(outcome: str) -> None:
    """A retry hangs on the try before it; whatever the failed one had begun to say."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1 beg"), outcome=outcome)
    assert talk.ask(U("Q1"), outcome=outcome) == ("duplicate", "r0", "r0")
    assert talk.ask(U("Q1"), answer=A("A1")) == ("duplicate", "r1", "r0")
    assert talk.ask(U("Q1"), answer=A("A1b")) == ("regenerate", "r2", "r0")
    assert talk.ask(U("Q1"), A("A1b"), U("Q2")) == ("continue", "r3", "r0")


def test_a_library_says_that_it_asks_again() -> None:
    """The count of retries makes a duplicate of what was answered all the same."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"))
    again = {"x-stainless-retry-count": "1"}
    assert talk.ask(U("Q1"), answer=A("A1b"), headers=again) == ("duplicate", "r0", "r0")


def test_a_replay_says_itself_what_it_asks_again() -> None:
    """Another model, hours later, without a session: the tag is enough; the original is continued."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"))
    tag = {"tags": {"replay": "r0"}}
    assert talk.ask(U("Q1"), answer=A("B"), model="b", minutes=600, **tag) == (
        "regenerate",
        "r0",
        "r0",
    )
    assert talk.ask(U("Q1"), A("A1"), U("Q2"), answer=A("A2")) == ("continue", "r0", "r0")
    assert talk.ask(U("Q1"), answer=A("C"), minutes=600, tags={"replay": "nobody"})[0] == "start"


def test_an_answer_that_comes_back_changed_is_an_edit() -> None:
    """It hangs on the turn whose answer was changed, and is continued like any other."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"))
    talk.ask(U("Q1"), A("A1"), U("Q2"), answer=A("A2"))
    edited = (U("Q1"), A("A1"), U("Q2"), A("Better."), U("Q3"))
    assert talk.ask(*edited, answer=A("A3")) == ("edit", "r1", "r0")
    assert talk.ask(*edited, A("A3"), U("Q4")) == ("continue", "r2", "r0")


def test_a_broken_answer_that_the_client_kept_is_no_edit() -> None:
    """What a client shows when it breaks off need not be all that came."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("One two three"), outcome="client_disconnected")
    assert talk.ask(U("Q1"), A("One two"), U("Q2")) == ("continue", "r0", "r0")


def test_a_prefilled_answer_is_continued() -> None:
    """What the client made the model begin with comes back as one with the rest."""
    talk = Talk()
    talk.ask(U("Q1"), A("One, "), answer=A("two."))
    assert talk.ask(U("Q1"), A("One, two."), U("Q2")) == ("continue", "r0", "r0")


@pytest.mark.parametrize("kept", [2, 4])
def test_a_history_without_its_beginning_is_the_same_conversation(kept: int) -> None:
    """A question and its answer are left of what was seen."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"))
    talk.ask(U("Q1"), A("A1"), U("Q2"), answer=A("A2"))
    whole = (U("Q1"), A("A1"), U("Q2"), A("A2"))
    found = talk.ask(*whole[-kept:], U("Q3"), answer=A("A3"))
    assert found == ("compaction" if kept == 2 else "continue", "r1", "r0")


def test_results_that_a_client_cleared_are_a_compaction() -> None:
    """The tail is as it was, something before it is not."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("", call(a=1)))
    talk.ask(U("Q1"), A("", call(a=1)), R("long"), answer=A("", call(a=2)))
    third = (U("Q1"), A("", call(a=1)), R("long"), A("", call(a=2)), R("more"))
    talk.ask(*third, answer=A("", call(a=3)))
    cleared = (U("Q1"), A("", call(a=1)), R("[cleared]"), A("", call(a=2)), R("more"))
    assert talk.ask(*cleared, A("", call(a=3)), R("x")) == ("compaction", "r2", "r0")


def _long_talk() -> tuple[Talk, tuple[Message, ...]]:
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"))
    history = (U("Q1"), A("A1"), U("Q2"), A("A2"))
    talk.ask(*history[:3], answer=A("A2"))
    return talk, history


def test_a_summary_that_a_history_begins_with_is_a_compaction() -> None:
    """The answer to a request for a summary stands in the first question."""
    talk, history = _long_talk()
    talk.ask(*history, U("Summarize all this."), answer=A(f"<summary>\n{LONG}\n</summary>"))
    found = talk.ask(U(f"Go on from here.\n{LONG}\nNow."), answer=A("A4"))
    assert found == ("compaction", "r2", "r0")


def test_an_answer_that_somebody_quotes_is_no_summary() -> None:
    """People paste answers into new chats."""
    talk, history = _long_talk()
    talk.ask(*history, U("What is there?"), answer=A(LONG))
    assert talk.ask(U(f"Is this right?\n{LONG}"), answer=A("A4")) == ("start", None, "r3")


def test_a_task_of_a_waiting_call_is_a_subagent() -> None:
    """Its first question is an argument; once the call has its result, it is not any more."""
    talk = Talk()
    task = "Count all the words of the notes."
    first = A("", ToolCall("delegate", {"jobs": [{"prompt": task}]}, "1"))
    talk.ask(U("Q1"), answer=first)
    assert talk.ask(U("Context.", task), answer=A("Four.")) == ("subagent", "r0", "r0")
    assert talk.ask(U("Context.", task), A("Four."), U("Sure?")) == ("continue", "r1", "r0")
    assert talk.ask(U("Q1"), first, R("Four."), answer=A("A1")) == ("continue", "r0", "r0")
    assert talk.ask(U(task), answer=A("Five."), minutes=30)[0] == "start"


def test_the_same_first_question_is_another_chat_after_ten_minutes() -> None:
    """Within them it is asked again; with an answer behind it, it is so at any time."""
    talk = Talk()
    talk.ask(U("hi"), answer=A("Hello."))
    assert talk.ask(U("hi"), answer=A("Hey."), minutes=9) == ("regenerate", "r0", "r0")
    assert talk.ask(U("hi"), answer=A("Hi."), minutes=11) == ("start", None, "r2")
    assert talk.ask(U("hi"), A("Hi."), U("Q2"), answer=A("A2")) == ("continue", "r2", "r2")
    again = talk.ask(U("hi"), A("Hi."), U("Q2"), answer=A("A2b"), minutes=600)
    assert again == ("regenerate", "r3", "r2")


def test_chats_that_are_alike_to_the_first_answer_stay_apart() -> None:
    """Of two that got the same answer, the one that waits for its next question gets it."""
    talk = Talk()
    for _ in range(2):
        talk.ask(U("hi"), answer=A("Hello."), minutes=20)
    assert talk.ask(U("hi"), A("Hello."), U("Q2"), answer=A("A2")) == ("continue", "r1", "r1")
    assert talk.ask(U("hi"), A("Hello."), U("Q3"), answer=A("A3")) == ("continue", "r0", "r0")


@pytest.mark.parametrize(
    "more", [{"system": "Be brief."}, {"model": "other"}, {"tools": ("run",)}, {"client": "b"}]
)
def test_another_request_with_the_same_question_is_another_chat(more: dict[str, str]) -> None:
    """Other instructions, models, tools or clients do not ask again, but for themselves."""
    talk = Talk()
    talk.ask(U("hi"), answer=A("Hello."))
    assert talk.ask(U("hi"), answer=A("Hey."), **more) == ("start", None, "r1")


def test_agents_side_by_side_with_the_same_task_stay_apart() -> None:
    """Samplers, which have no tools, ask again."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("", call(a=1)), tools=("run",), seconds=30)
    there = talk.ask(U("Q1"), answer=A("", call(a=2)), tools=("run",), minutes=0.1)
    assert there == ("start", None, "r1")
    back = talk.ask(U("Q1"), A("", call(a=1)), R("ok"), tools=("run",))
    assert back == ("continue", "r0", "r0")
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"), seconds=30)
    assert talk.ask(U("Q1"), answer=A("A1b"), minutes=0.1)[0] == "regenerate"


def test_examples_before_a_question_join_nothing() -> None:
    """An answer that no model gave is no sign of a conversation."""
    talk = Talk()
    shots = (U("river"), A("water"))
    assert talk.ask(*shots, U("stone"), answer=A("rock")) == ("start", None, "r0")
    assert talk.ask(*shots, U("paper"), answer=A("leaf")) == ("start", None, "r1")


def test_models_instructions_and_tools_may_change_on_the_way() -> None:
    """What is said makes the conversation, not who says it."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"), tools=("run",), system="Monday.")
    other = {"model": "other", "tools": ("run", "read"), "system": "Tuesday."}
    assert talk.ask(U("Q1"), A("A1"), U("Q2"), **other) == ("continue", "r0", "r0")


def test_a_history_that_the_provider_remembers_is_continued() -> None:
    """Only the new question is sent, with the id of the answer before it."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"), answered={"id": "resp_1"})
    after = {"rest": {"previous_response_id": "resp_1"}}
    assert talk.ask(U("Q2"), answer=A("A2"), **after) == ("continue", "r0", "r0")
    assert talk.ask(U("Q2"), answer=A("A2b"), **after) == ("regenerate", "r1", "r0")
    assert talk.ask(U("Q3"), **after) == ("branch", "r0", "r0")


def test_counting_tokens_is_beside_the_conversation() -> None:
    """It comes before the first question, belongs with it, and changes nothing about it."""
    talk = Talk()
    count = "/v1/messages/count_tokens"
    assert talk.ask(U("Q1"), path=count) == ("side", None, "r0")
    assert talk.ask(U("Q1"), answer=A("A1")) == ("start", None, "r0")
    assert talk.ask(U("Q1"), A("A1"), U("Q2"), path=count) == ("side", "r1", "r0")
    assert talk.ask(U("Q1"), A("A1"), U("Q2")) == ("continue", "r1", "r0")


def test_a_title_is_beside_the_chat_that_it_quotes() -> None:
    """Open WebUI's tasks name no session by default; what they quote tells."""
    talk = Talk()
    talk.ask(U("hi"), answer=A("Hello there."))
    task = "### Task:\nGenerate a title.\n<chat_history>\nUSER: hi\nASSISTANT: Hello there.\n"
    assert talk.ask(U(task), answer=A("Greeting")) == ("side", "r0", "r0")
    assert talk.ask(U("hi"), A("Hello there."), U("Q2")) == ("continue", "r0", "r0")


def test_one_cache_key_for_many_chats_is_no_session() -> None:
    """`prompt_cache_key` keeps chats apart from other keys' and joins none."""
    talk = Talk(session="app")
    key = {"rest": {"prompt_cache_key": "app"}}
    talk.ask(U("Q1"), answer=A("A1"), **key)
    assert talk.ask(U("Q2"), answer=A("A2"), **key) == ("start", None, "r1")
    assert talk.ask(U("Q1"), A("A1"), U("Q3"), **key) == ("continue", "r0", "r0")


def test_requests_without_messages_are_placed_too() -> None:
    """An embedding, or a body that could not be read, is a conversation of its own."""
    talk = Talk()
    assert [talk.ask()[0], talk.ask()[0]] == ["start", "start"]
    assert len(gather(stitch(talk.turns))) == 2


def test_what_is_asked_without_tools_makes_no_branch_of_what_has_them() -> None:
    """A request for a summary goes off the main line, which goes on."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("A1"), tools=("run",))
    talk.ask(U("Q1"), A("A1"), U("Summarize."), answer=A("S"))
    assert talk.ask(U("Q1"), A("A1"), U("Q2"), tools=("run",)) == ("continue", "r0", "r0")


def test_of_two_calls_with_a_task_the_later_is_meant() -> None:
    """A task that was given before is given again."""
    talk = Talk()
    task = call(prompt="Count all the words of the notes.")
    talk.ask(U("Q1"), answer=A("", task))
    talk.ask(U("Q2"), answer=A("", task))
    assert talk.ask(U("Count all the words of the notes.")) == ("subagent", "r1", "r1")


def test_a_chat_that_repeats_another_for_two_questions_goes_on_by_itself() -> None:
    """The second question is not the other chat's, asked again."""
    talk = Talk()
    second = (U("hi"), A("Hello."), U("Q2"))
    talk.ask(U("hi"), answer=A("Hello."))
    talk.ask(*second, answer=A("A2"))
    talk.ask(U("hi"), answer=A("Hello."), minutes=60)
    assert talk.ask(*second, answer=A("A2b")) == ("continue", "r2", "r2")


def test_an_answer_that_was_gone_on_with_is_not_taken_for_edited() -> None:
    """Another client's examples may begin with a question that somebody has asked."""
    talk = Talk()
    talk.ask(U("hi"), answer=A("Hello."))
    talk.ask(U("hi"), A("Hello."), U("Q2"), answer=A("A2"))
    assert talk.ask(U("hi"), A("Good day."), U("Q3")) == ("start", None, "r2")


def test_a_short_answer_alone_joins_nothing() -> None:
    """Everybody says yes; a long answer is nobody else's."""
    talk = Talk()
    talk.ask(U("Q1"), answer=A("Yes."))
    assert talk.ask(U("Q5"), A("Yes."), U("Q6"), answer=A("No."))[0] == "start"
    talk.ask(U("Q2"), answer=A(LONG))
    assert talk.ask(U("Q7"), A(LONG), U("Q8")) == ("compaction", "r2", "r2")


def test_an_answer_that_has_not_come_yet_can_be_built_on() -> None:
    """A request that runs in the background has an id before it has an answer."""
    talk = Talk()
    talk.ask(U("Q1"), answered={"id": "resp_1"})
    after = {"rest": {"previous_response_id": "resp_1"}}
    assert talk.ask(U("Q2"), answer=A("A2"), **after) == ("continue", "r0", "r0")
