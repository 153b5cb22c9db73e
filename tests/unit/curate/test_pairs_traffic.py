"""Pairs that nobody had to click: what the requests themselves say of two answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.chatting import LANGUAGES, THOUGHT, Chatting, Said, a, q

from dolphin_logger.exchange import Outcome

Q1, A1 = q("Where is it warm in winter?"), a("In Rome it is warm, and there is much to see.")
Q2 = q("And in summer?")
ONE = "In summer it is warm everywhere. Oslo has long evenings then."
OTHER = "Stay at home and read a book about it."
BEFORE = (Q1, A1, Q2)
Q3 = q("Thanks. What shall I take along?")
LAST = "A hat."


@pytest.fixture(params=LANGUAGES)
def chat(request: pytest.FixtureRequest, tmp_path: Path) -> Chatting:
    """A chat at its first answer, in each language."""
    return begun(tmp_path, request.param)


def begun(tmp_path: Path, language: str = "openai.chat") -> Chatting:
    """Begin a chat."""
    made = Chatting(tmp_path, language)
    made.ask(Q1, answer=A1[1])
    return made


def test_the_answer_that_is_gone_on_with_is_the_better_one(chat: Chatting) -> None:
    """Of two answers to the same history, in every language; the pair holds all that was before."""
    first = chat.ask(*BEFORE, answer=ONE)
    second = chat.ask(*BEFORE, answer=OTHER)
    chat.ask(*BEFORE, a(OTHER), Q3, answer=LAST)
    (pair,) = chat.pairs()
    assert pair.signal == "regenerate"
    said = [(message["role"], message["content"]) for message in pair.prompt]
    assert said == [("system", "Be brief."), *BEFORE]
    thought = {"reasoning_content": THOUGHT}
    assert pair.chosen == [{"role": "assistant", "content": OTHER, **thought}]
    assert pair.rejected == [{"role": "assistant", "content": ONE, **thought}]
    assert pair.metadata["chosen_record"] == second
    assert pair.metadata["rejected_record"] == first
    assert pair.conversation == "01990000-0000-7000-8000-000000000001"


def test_a_person_may_go_back_to_an_earlier_answer(chat: Chatting) -> None:
    """The one that is gone on with is chosen, whichever came last; it is better than each of the others."""
    for text in (ONE, OTHER, "No idea."):
        chat.ask(*BEFORE, answer=text)
    chat.ask(*BEFORE, a(ONE), Q3, answer=LAST)
    assert chat.told() == [("regenerate", ONE, OTHER), ("regenerate", ONE, "No idea.")]


def test_answers_that_nobody_went_on_with_are_no_pair(chat: Chatting) -> None:
    """Asking again is not enough: the second answer may be the worse one."""
    chat.ask(*BEFORE, answer=ONE)
    chat.ask(*BEFORE, answer=OTHER)
    assert chat.told() == []


def test_answers_that_were_both_gone_on_with_are_no_pair(chat: Chatting) -> None:
    """Neither is worse than the other; both are better than what was left."""
    for text in (ONE, OTHER, "No idea."):
        chat.ask(*BEFORE, answer=text)
    chat.ask(*BEFORE, a(ONE), Q3, answer=LAST)
    chat.ask(*BEFORE, a(OTHER), Q3, answer="Boots.")
    assert chat.told() == [("regenerate", ONE, "No idea."), ("regenerate", OTHER, "No idea.")]


def test_what_was_given_up_before_is_worse(chat: Chatting) -> None:
    """Gone on with, then back, asked again and gone on with that: the first is not what was wanted."""
    chat.ask(*BEFORE, answer=ONE)
    chat.ask(*BEFORE, a(ONE), Q3, answer=LAST)
    chat.ask(*BEFORE, answer=OTHER)
    assert chat.told() == []  # nobody knows yet what the second one is worth
    chat.ask(*BEFORE, a(OTHER), Q3, answer=LAST)
    assert chat.told() == [("regenerate", OTHER, ONE)]


def test_a_text_that_comes_back_changed_is_better_than_ours(chat: Chatting) -> None:
    """Chosen is what the person made of it; neither side has the thought that led to ours."""
    record = chat.ask(*BEFORE, answer=ONE)
    edited = ONE.replace("warm everywhere", "hot in Rome")
    shown = chat.ask(*BEFORE, a(edited), Q3, answer=LAST)
    chat.ask(*BEFORE, a(edited), Q3, a(LAST), q("Bye."), answer="Bye!")
    (pair,) = chat.pairs()
    assert (pair.signal, [one["role"] for one in pair.prompt][1:]) == (
        "edit",
        ["user", "assistant", "user"],
    )
    assert pair.chosen == [{"role": "assistant", "content": edited}]
    assert pair.rejected == [{"role": "assistant", "content": ONE}]
    assert pair.metadata["chosen_record"] == pair.metadata["rejected_record"] == record
    assert pair.metadata["edited_in"] == shown


def test_of_several_edits_of_one_answer_the_last_one_counts(chat: Chatting) -> None:
    """A person who edits again was not content with the first edit."""
    chat.ask(*BEFORE, answer=ONE)
    for text in ("Oslo, perhaps. " + ONE, "Oslo has long evenings then, and light nights."):
        chat.ask(*BEFORE, a(text), Q3, answer=LAST)
    assert chat.told() == [("edit", "Oslo has long evenings then, and light nights.", ONE)]


def test_an_edit_is_of_the_answer_that_it_is_made_of(chat: Chatting) -> None:
    """Of several answers it was the one that shares most words, not the latest."""
    chat.ask(*BEFORE, answer=ONE)
    chat.ask(*BEFORE, answer=OTHER)
    edited = "Yes: " + ONE
    chat.ask(*BEFORE, a(edited), Q3, answer=LAST)
    assert chat.told() == [("edit", edited, ONE)]


@pytest.mark.parametrize("language", ["openai.chat", "gemini"])
def test_one_of_several_choices_is_gone_on_with(tmp_path: Path, language: str) -> None:
    """It is better than each other choice of its record, which says which ones they are."""
    chat = begun(tmp_path, language)
    record = chat.ask(*BEFORE, answer=[ONE, OTHER, OTHER, "No idea."])
    chat.ask(*BEFORE, a(OTHER), Q3, answer=LAST)
    assert chat.told() == [("n_best", OTHER, ONE), ("n_best", OTHER, "No idea.")]
    places = [
        [pair.metadata[f"{end}_{what}"] for end in ("chosen", "rejected")]
        for pair in chat.pairs()
        for what in ("record", "choice")
    ]
    assert places == [[record, record], [1, 0], [record, record], [1, 3]]
    assert len({pair.id for pair in chat.pairs()}) == 2


BOTH = (dict[str, Any](), dict[str, Any]())
NOBODYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the first failed": ({"outcome": Outcome.PROVIDER_TRUNCATED}, {}),
    "the first was stopped": ({"outcome": Outcome.CLIENT_DISCONNECTED}, {}),
    "the library asked again": ({}, {"headers": {"x-stainless-retry-count": "1"}}),
    "temperature 0": ({"temperature": 0}, {"temperature": 0}),
    "temperature 0 of Gemini": ({"generationConfig": {"temperature": 0.0}},) * 2,
    "the demo model": ({"provider": "demo"}, {"provider": "demo"}),
    "not for publication": ({"publishable": False}, {}),
    "another task": ({"system": "Answer as a pirate."}, {}),
    "other tools": ({"tools": [{"type": "function", "function": {"name": "f"}}]}, {}),
}


@pytest.mark.parametrize("why", NOBODYS)
def test_answers_that_nobody_compared_are_no_pair(tmp_path: Path, why: str) -> None:
    """The same two requests are a pair without what is said of them."""
    for number, (first, second) in enumerate((NOBODYS[why], BOTH)):
        chat = begun(tmp_path / str(number))
        chat.ask(*BEFORE, answer=ONE, **first)
        chat.ask(*BEFORE, answer=OTHER, **second)
        chat.ask(*BEFORE, a(OTHER), Q3, answer=LAST)
        assert chat.told() == [("regenerate", OTHER, ONE)] * number


def test_a_person_may_ask_again_after_a_retry(tmp_path: Path) -> None:
    """What failed is in no pair; the two whole answers are."""
    chat = begun(tmp_path)
    chat.ask(*BEFORE, answer="In su", outcome=Outcome.PROVIDER_TRUNCATED)
    chat.ask(*BEFORE, answer=ONE)
    chat.ask(*BEFORE, answer=OTHER)
    chat.ask(*BEFORE, a(OTHER), Q3, answer=LAST)
    assert chat.told() == [("regenerate", OTHER, ONE)]


def test_days_and_times_in_the_instructions_do_not_make_another_task(tmp_path: Path) -> None:
    """Clients write them anew with every call; numbers that ask for something stay."""
    said = "It is {}. Use {} words."
    for number, (moment, words) in enumerate((("Monday, 10:15:01", 50), ("3 March 2026", 10))):
        chat = begun(tmp_path / str(number))
        chat.ask(*BEFORE, answer=ONE, system=said.format(moment, words))
        chat.ask(*BEFORE, answer=OTHER, system=said.format("Tuesday, 2026-11-03T08:01Z", 50))
        chat.ask(*BEFORE, a(OTHER), Q3, answer=LAST)
        assert len(chat.told()) == 1 - number


def test_what_our_own_command_asked_again_is_no_pair(tmp_path: Path) -> None:
    """Nobody saw a replay in the chat, though the original was gone on with afterwards."""
    chat = begun(tmp_path)
    record = chat.ask(*BEFORE, answer=ONE)
    chat.ask(*BEFORE, answer=OTHER, model="another", replay=record)
    chat.ask(*BEFORE, a(ONE), Q3, answer=LAST)
    assert chat.told() == []


def test_a_clients_own_tasks_are_no_pair(tmp_path: Path) -> None:
    """A title that is asked for twice, and an answer in the chat after it."""
    chat = begun(tmp_path)
    task = q("### Task:\nGenerate a title.\n" + A1[1])
    for text in ("Rome", "Warm places", "Winter"):
        chat.ask(task, answer=text, session="s")
    chat.ask(task, a("Winter"), Q2, answer=ONE, session="s")
    assert chat.told() == []


def test_two_who_begin_alike_are_no_pair(tmp_path: Path) -> None:
    """The same first question minutes later may be somebody else's, and so may what follows."""
    for number, (seconds, order) in enumerate(((400, 1), (60, -1), (60, 1))):
        chat = Chatting(tmp_path / str(number))
        chat.ask(Q1, answer=ONE)
        on: list[dict[str, Any]] = [{"answer": OTHER, "seconds": seconds}, {"answer": LAST}]
        history: list[tuple[Said, ...]] = [(Q1,), (Q1, a(ONE if order < 0 else OTHER), Q2)]
        for asked, more in list(zip(history, on, strict=True))[::order]:
            chat.ask(*asked, **more)
        if order < 0:
            chat.ask(Q1, a(ONE), Q2, a(LAST), Q3, answer="A hat.")
        assert len(chat.told()) == number // 2


TIDIED = {
    "white space": ("One.\n\n\nTwo  three.", "One.\n\nTwo three.\n"),
    "quotes": ('It\'s "so"...', "It\u2019s \u201cso\u201d\u2026"),
    "a thought": ("<think>Hm.</think>\nYes, it is.", "Yes, it is."),
    "a thought within": ("Well. <think>Hm.</think> Yes.", "Well.  Yes."),
    "the end of a thought": ("Hm, hm.\n</think>\n\nYes, it is.", "Yes, it is."),
    "marks of Markdown": ("**One**\n\n- two\n- `three`", "__One__\n* two\n* three"),
    "HTML": ("a < b & c", "a &lt; b &amp; c"),
    "the end cut off": ("One two three four. Five.", "One two thr"),
    "the end cut off, and said": ("One two three four. Five.", "One two..."),
    "the middle cut out": ("One two three four. Five six.", "One two [cut: 9 characters] six."),
    "all taken out": ("One two three four.", "[removed]"),
    "what it said for others": ("One two.\nUser: three?\nFour.", "One two."),
}


@pytest.mark.parametrize("what", TIDIED)
def test_what_clients_do_to_a_text_is_no_edit(tmp_path: Path, what: str) -> None:
    """The same change with a word of the person's own is one."""
    served, back = TIDIED[what]
    for number, came_back in enumerate((back, f"Mind you: {back}")):
        chat = begun(tmp_path / str(number))
        chat.ask(*BEFORE, answer=served)
        chat.ask(*BEFORE, a(came_back), Q3, answer=LAST)
        found = chat.told()
        assert [signal for signal, *_ in found] == ["edit"] * number
        assert all(chosen == came_back.strip() for _, chosen, _ in found)


def test_a_tidied_answer_was_taken_all_the_same(tmp_path: Path) -> None:
    """A client that changes white space goes on with the answer that it got."""
    chat = begun(tmp_path)
    chat.ask(*BEFORE, answer=f"{OTHER}\n\n{OTHER}")
    chat.ask(*BEFORE, answer=f"{ONE}\n\n{ONE}")
    chat.ask(*BEFORE, a(f"{ONE} {ONE}"), Q3, answer=LAST)
    assert chat.told() == [("regenerate", f"{ONE}\n\n{ONE}", f"{OTHER}\n\n{OTHER}")]


@pytest.mark.parametrize("kept", [" Stay, and rest.", " Stay"])
def test_a_person_takes_off_whole_sentences(tmp_path: Path, kept: str) -> None:
    """What ends within one was cut by a program."""
    chat = begun(tmp_path)
    chat.ask(*BEFORE, answer=f"{ONE} Stay, and rest. Let me know if I can help!")
    chat.ask(*BEFORE, a(ONE + kept), Q3, answer=LAST)
    assert len(chat.told()) == kept.endswith(".")


def test_a_sign_of_code_is_an_edit(tmp_path: Path) -> None:
    """One character, where nothing is changed by clients."""
    chat = begun(tmp_path)
    chat.ask(*BEFORE, answer="return width + height")
    chat.ask(*BEFORE, a("return width / height"), Q3, answer=LAST)
    assert chat.told() == [("edit", "return width / height", "return width + height")]


def test_a_client_that_changes_every_answer_edits_none(tmp_path: Path) -> None:
    """Whatever it does to them: no person rewrites all that is said."""
    chat = Chatting(tmp_path)
    history: list[Said] = []
    for number in range(4):
        history.append(q(f"Question {number}, as it is."))
        text = f"Answer {number} of the model, which is long enough."
        chat.ask(*history, answer=text)
        history.append(a(f"Checked {number * 7}: {text}"))
        if number == 1:
            assert [signal for signal, *_ in chat.told()] == ["edit"]
    chat.ask(*history, Q3, answer=LAST)
    assert chat.told() == []


def test_two_answers_put_together_are_no_edit(tmp_path: Path) -> None:
    """The client had an answer continued, and keeps the two as one."""
    chat = begun(tmp_path)
    chat.ask(*BEFORE, answer=ONE)
    chat.ask(*BEFORE, a(ONE), q("Continue."), answer=OTHER)
    chat.ask(*BEFORE, a(ONE + OTHER), Q3, answer=LAST)
    assert chat.told() == []


def test_an_answer_that_the_client_begins_is_no_edit(tmp_path: Path) -> None:
    """A prefill is not what somebody went on from; with what the model adds it is one answer."""
    chat = begun(tmp_path)
    chat.ask(*BEFORE, answer=ONE)
    chat.ask(*BEFORE, a("Stay at "), answer="home and read a book.")
    assert chat.told() == []
    chat.ask(*BEFORE, a("Stay at home and read a book."), Q3, answer=LAST)
    assert chat.told() == []
