"""Pairs that a person told of with labels, and what labels do to those that the traffic tells of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chatting import LANGUAGES, THOUGHT, Chatting, a, q
from tests.support.material import materials

from dolphin_logger.conversation import Relation
from dolphin_logger.curate.gather import gather
from dolphin_logger.curate.material import Material
from dolphin_logger.curate.pairs import find_pairs
from dolphin_logger.curate.pairs.asking import find_askings
from dolphin_logger.curate.spool import read_bucket
from dolphin_logger.curate.survey import survey
from dolphin_logger.exchange import Outcome
from dolphin_logger.journal.labels import read_labels
from dolphin_logger.label import Labels

Q1, Q2 = q("Where is it warm in winter?"), q("And in summer?")
ONE, OTHER, THIRD = "In Rome.", "Stay at home.", "No idea."


@pytest.fixture
def chat(tmp_path: Path) -> Chatting:
    """A chat in a home of its own."""
    return Chatting(tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_preferred_answer(tmp_path: Path, language: str) -> None:
    """Two answers to the same words, the one a replay of another model: a person has compared them."""
    chat = Chatting(tmp_path, language)
    first = chat.ask(Q1, answer=ONE)
    second = chat.ask(Q1, answer=OTHER, model="another", replay=first, seconds=9000)
    assert chat.told() == []
    chat.label(second, "prefer", {"over": first})
    (pair,) = chat.pairs()
    assert (pair.signal, pair.chosen[0]["content"], pair.rejected[0]["content"]) == (
        "label",
        OTHER,
        ONE,
    )
    assert pair.prompt[-1] == {"role": "user", "content": Q1[1]}
    told = pair.metadata
    assert (told["chosen_record"], told["rejected_record"]) == (second, first)
    assert (told["chosen_model"], told["rejected_model"]) == ("another", "m")


def test_the_last_preference_holds(chat: Chatting) -> None:
    """Of two that contradict each other the earlier one is void; one that is taken back is none."""
    first, second = chat.ask(Q1, answer=ONE), chat.ask(Q1, answer=OTHER)
    chat.label(first, "prefer", {"over": second})
    later = chat.label(second, "prefer", {"over": first})
    assert chat.told() == [("label", OTHER, ONE)]
    chat.label(second, "undo", later)
    assert chat.told() == [("label", ONE, OTHER)]


def test_answers_to_different_questions_cannot_be_compared(chat: Chatting) -> None:
    """Nor an answer with one that is not there, that failed, or that is the same."""
    first = chat.ask(Q1, answer=ONE)
    second = chat.ask(Q1, a(ONE), Q2, answer=OTHER)
    failed = chat.ask(Q1, a(ONE), Q2, answer="Sta", outcome=Outcome.PROVIDER_TRUNCATED)
    same = chat.ask(Q1, answer=f"{ONE}\n")
    for over in (first, failed, same, "01990000-0000-7000-8000-00000000ffff"):
        chat.label(second, "prefer", {"over": over})
        chat.label(first, "prefer", {"over": over})
    assert chat.told() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_edited_answer_is_better_than_what_it_was(tmp_path: Path, language: str) -> None:
    """The same in a history that holds it; thoughts stay on both sides, as both are the model's."""
    chat = Chatting(tmp_path, language)
    record = chat.ask(Q1, answer=ONE)
    later = chat.ask(Q1, a(ONE), Q2, answer=OTHER)
    sent = chat.materials()[0].sent(record)
    chat.label(record, "edit", {"text": "In Lisbon."}, sent)
    (pair,) = chat.pairs()
    assert (pair.signal, pair.metadata["chosen_record"]) == ("label", record)
    assert pair.chosen[0] == {
        "role": "assistant",
        "content": "In Lisbon.",
        "reasoning_content": THOUGHT,
    }
    assert pair.rejected[0] == {**pair.chosen[0], "content": ONE}
    chat.label(later, "edit", {"text": "Anywhere."}, sent + 2)
    pairs = chat.pairs()
    assert [pair.chosen[0]["content"] for pair in pairs] == ["In Lisbon.", "Anywhere."]
    assert pairs[1].prompt[-2]["content"] == "In Lisbon."  # an edit stands in every history


def test_an_edit_within_a_history_is_of_the_answer_that_was_served(chat: Chatting) -> None:
    """Once, however many records hold it."""
    record = chat.ask(Q1, answer=ONE)
    chat.ask(Q1, answer=ONE)
    later = chat.ask(Q1, a(ONE), Q2, answer=OTHER)
    chat.label(later, "edit", {"text": "In Lisbon."}, 2)
    assert chat.told() == [("label", "In Lisbon.", ONE)]
    assert chat.pairs()[0].metadata["chosen_record"] == record


def test_good_and_bad_answers_to_one_question(chat: Chatting) -> None:
    """From 4 on, and up to 2; what lies between, or is not rated, is in no pair."""
    records = [chat.ask(Q1, answer=text) for text in (ONE, OTHER, THIRD, "Hm.")]
    for record, rating in zip(records, (4, 2, 3), strict=False):
        chat.label(record, "rating", rating)
    assert chat.told() == [("label", ONE, OTHER)]
    chat.label(records[2], "rating", 5)
    assert chat.told() == [("label", ONE, OTHER), ("label", THIRD, OTHER)]


def test_choices_of_one_record_are_rated_by_their_places(chat: Chatting) -> None:
    """A rating of the whole record is of no choice in particular."""
    record = chat.ask(Q1, answer=[ONE, OTHER, THIRD])
    chat.label(record, "rating", 5)
    assert chat.told() == []
    sent = chat.materials()[0].sent(record)
    chat.label(record, "rating", 1, sent + 2)
    chat.label(record, "rating", 5, sent + 1)
    assert chat.told() == [("label", OTHER, THIRD)]


def test_people_are_believed_more_than_the_traffic(chat: Chatting) -> None:
    """A preference turns a pair round; a bad rating of what was taken, or a good one of the other, ends it."""
    first, second = chat.ask(Q1, answer=ONE), chat.ask(Q1, answer=OTHER)
    chat.ask(Q1, a(OTHER), Q2, answer=THIRD)
    assert chat.told() == [("regenerate", OTHER, ONE)]
    for record, rating in ((second, 2), (first, 4)):
        label = chat.label(record, "rating", rating)
        assert chat.told() == []
        chat.label(record, "undo", label)
    chat.label(first, "prefer", {"over": second})
    assert chat.told() == [("label", ONE, OTHER)]


@pytest.mark.parametrize("which", [0, 1])
def test_what_a_person_drops_is_in_no_pair(chat: Chatting, which: int) -> None:
    """Neither as the better answer nor as the worse one."""
    records = [chat.ask(Q1, answer=ONE), chat.ask(Q1, answer=OTHER)]
    chat.ask(Q1, a(OTHER), Q2, answer=THIRD)
    assert len(chat.told()) == 1
    chat.label(records[which], "drop")
    chat.label(records[1], "prefer", {"over": records[0]})
    assert chat.told() == []


def test_a_chosen_answer_is_told_as_it_was_edited(chat: Chatting) -> None:
    """And a rejected one as it was served, though a person has made it better since."""
    first, second = chat.ask(Q1, answer=ONE), chat.ask(Q1, answer=OTHER)
    chat.ask(Q1, a(OTHER), Q2, answer=THIRD)
    for record, text in ((first, "In Lisbon."), (second, "Stay at home, and rest.")):
        chat.label(record, "edit", {"text": text}, 2)
    assert chat.told() == [
        ("label", "In Lisbon.", ONE),
        ("label", "Stay at home, and rest.", OTHER),
        ("regenerate", "Stay at home, and rest.", ONE),
    ]


def test_what_was_not_gathered_is_neither_chosen_nor_rejected(
    chat: Chatting, tmp_path: Path
) -> None:
    """Without the record that goes on from one of two answers nobody knows which was taken."""
    first, second = chat.ask(Q1, answer=ONE), chat.ask(Q1, answer=OTHER)
    third = chat.ask(Q1, a(OTHER), Q2, answer=THIRD)
    surveyed = survey(chat.home, workers=1, advance=int)
    for number, wanted in enumerate(([first, second, third], [first, second], [second, third])):
        spool = tmp_path / f"some-{number}"
        paths = gather(chat.home, surveyed, wanted, spool=spool, buckets=1, workers=1, advance=int)
        (gathered,) = read_bucket(paths[0])
        found = list(find_pairs(Material(gathered, Labels()), Labels()))
        assert len(found) == (number == 0)


def test_the_same_records_give_the_same_pairs_in_the_same_order(
    chat: Chatting, tmp_path: Path
) -> None:
    """Whatever order the records have in their files."""
    records = [chat.ask(Q1, answer=text) for text in (ONE, OTHER, THIRD)]
    for text in (OTHER, THIRD):
        chat.ask(Q1, a(text), Q2, answer=ONE)
        chat.ask(Q1, a(text), Q2, answer=THIRD)
        chat.ask(Q1, a(text), Q2, a(ONE), q("Bye."), answer=OTHER)
    chat.label(records[1], "prefer", {"over": records[2]})
    before = chat.pairs()
    assert len(before) > 3
    (segment,) = chat.home.logs.iterdir()
    segment.write_bytes(b"".join(reversed(segment.read_bytes().splitlines(keepends=True))))
    labels = read_labels(chat.home)
    (material,) = materials(chat.home, tmp_path / "again")
    assert list(find_pairs(material, labels)) == before


def test_a_long_conversation_is_grouped_in_one_pass(chat: Chatting) -> None:
    """Thousands of turns in one chain, each known with the time when something was last said behind it."""
    chat.ask(Q1, answer=ONE)
    (material,) = chat.materials()
    (one,) = material.around
    chain = [
        replace(one, id=f"r{at:05}", parent=f"r{at - 1:05}", time=at, relation=Relation.CONTINUE)
        for at in range(20_000)
    ]
    askings = find_askings(chain)
    assert len(askings) == 20_000
    assert [fact.id for fact, _ in askings[5].followers] == ["r00006"]
    assert {last for asking in askings for _, last in asking.followers} == {19_999}
