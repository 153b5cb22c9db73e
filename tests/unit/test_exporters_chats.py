"""The shapes of chats: what stands in which column, and what has no place in them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.pieces import (
    DATA_URL,
    EXAMPLES,
    EXCHANGES,
    METADATA,
    PAIRS,
    THOUGHT,
    TOOL,
)

from dolphin_logger.example import Piece
from dolphin_logger.exporters import EXPORTERS, Options, Row, UnfitError, prepare


def row_of(name: str, piece: Piece, options: Options | None = None) -> Row:
    """Write the one row of a piece."""
    options = options or Options()
    (row,) = EXPORTERS[name].rows(prepare(piece, options)[0], options)
    return row


def reason_of(name: str, piece: Piece) -> str:
    """Write a piece that has no place, and give the reason."""
    with pytest.raises(UnfitError) as caught:
        row_of(name, piece)
    return str(caught.value)


def test_a_conversation_is_one_row_with_thoughts_and_objects() -> None:
    """`messages` holds every message in order, the thought in its field, arguments as objects, facts beside."""
    row = row_of("messages", EXAMPLES["an agent"])
    assert row == {
        "messages": EXAMPLES["an agent"].messages,
        "tools": [TOOL],
        "metadata": METADATA,
    }
    assert row["messages"][0] == {"role": "system", "content": "Be kind.\n\nBe short."}
    assert row["messages"][2]["reasoning_content"] == THOUGHT
    assert isinstance(row["messages"][2]["tool_calls"][0]["function"]["arguments"], dict)
    assert [chat["role"] for chat in row["messages"][3:]] == ["tool", "tool", "user", "assistant"]


def test_a_turn_is_cut_where_the_answer_begins() -> None:
    """`turns` puts the history into the prompt and the whole answer, results within it too, behind it."""
    piece = EXAMPLES["a search within the answer"]
    row = row_of("turns", piece)
    assert list(row) == ["prompt", "completion", "tools", "metadata"]
    assert [chat["role"] for chat in row["prompt"]] == ["user"]
    assert [chat["role"] for chat in row["completion"]] == ["assistant", "tool", "assistant"]


def test_a_pair_says_how_it_is_known() -> None:
    """`preference` has the prompt, both answers, the signal, and both records in its facts."""
    row = row_of("preference", PAIRS["plain"])
    assert list(row) == ["prompt", "chosen", "rejected", "tools", "signal", "metadata"]
    assert row["signal"] == "regenerate"
    assert row["chosen"][0]["content"] == "Rayleigh scattering."
    assert row["rejected"][0]["content"] == "Because."


def test_two_answers_that_are_the_same_are_no_pair() -> None:
    """Equal answers say nothing; those that differ in thoughts do, unless no thoughts are wanted."""
    assert reason_of("preference", PAIRS["the same twice"]) == "has two answers that are the same"
    assert row_of("preference", PAIRS["only the thoughts differ"])
    with pytest.raises(UnfitError, match="the same"):
        row_of("preference", PAIRS["only the thoughts differ"], Options(reasoning=False))


@pytest.mark.parametrize(("rating", "label"), [(5, True), (4, True), (2, False), (1, False)])
def test_a_rating_is_a_thumb(rating: int, label: bool) -> None:
    """4 and 5 are true, 1 and 2 are false."""
    piece = replace(EXAMPLES["plain"], metadata=METADATA | {"rating": rating})
    row = row_of("kto", piece)
    assert list(row) == ["prompt", "completion", "label", "tools", "metadata"]
    assert row["label"] is label


def test_no_opinion_is_no_thumb() -> None:
    """3, no rating at all, and what is no rating have no place."""
    assert "rated 3" in reason_of("kto", EXAMPLES["rated 3"])
    assert reason_of("kto", EXAMPLES["not rated"]) == "has no rating"
    assert reason_of("kto", EXAMPLES["rated by a truth"]) == "has no rating"
    assert reason_of("kto", EXAMPLES["nothing at all"]) == "has no rating"


def test_an_exchange_is_the_original_line() -> None:
    """`log` has request and response as they were recorded, and nothing else."""
    piece = EXCHANGES["plain"]
    assert row_of("log", piece) == {"request": piece.request, "response": piece.response}
    assert "no answer" in reason_of("log", EXCHANGES["no answer"])
    assert "no request" in reason_of("log", EXCHANGES["no question"])


def test_pictures_have_a_column_of_their_own_in_vision() -> None:
    """`vision` lists the pictures in order and leaves their places empty; a user's words are parts too."""
    row = row_of("vision", EXAMPLES["pictures"])
    path, address = row["images"]
    assert path.startswith("images/")
    assert address == "https://x.test/a.png"
    assert row["messages"][0]["content"][1:] == [{"type": "image"}, {"type": "image"}]
    assert row["messages"][2]["content"] == [{"type": "text", "text": "Sure?"}]
    assert row["messages"][3]["content"] == "Yes."
    assert "result of a tool" in reason_of("vision", EXAMPLES["a picture that a tool gave"])
    with pytest.raises(UnfitError, match="reference"):
        row_of("vision", EXAMPLES["pictures"], Options(images="embedded"))


def test_pictures_stay_in_their_parts_elsewhere() -> None:
    """`messages` keeps a picture where it was said: as a path of the dataset, or embedded."""
    part = row_of("messages", EXAMPLES["pictures"])["messages"][0]["content"][1]
    assert part["image"].startswith("images/")
    embedded = row_of("messages", EXAMPLES["pictures"], Options(images="embedded"))
    assert embedded["messages"][0]["content"][1]["image"] == DATA_URL


@pytest.mark.parametrize("name", ["messages", "turns", "kto", "openai", "vision"])
@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("instructions alone", "has no question"),
        ("an answer alone", "has no question"),
        ("cut before the beginning", "has no question"),
        ("a question alone", "has no answer"),
        ("cut behind the end", "has no answer"),
        ("a stranger answers", "has an answer that is not the assistant's alone"),
        ("ends with a result", "has an answer that ends with a result of a tool"),
        ("empty words", "has an empty answer"),
        ("a thought alone", "has an empty answer"),
        ("a role of its own", "has a role that trainers do not know: 'critic'"),
    ],
)
def test_what_cannot_be_trained_on_has_a_reason(name: str, odd: str, reason: str) -> None:
    """No question, no answer, an answer that says nothing, or a speaker nobody knows."""
    piece = EXAMPLES[odd]
    assert reason_of(name, replace(piece, metadata=METADATA)) == reason


@pytest.mark.parametrize("name", ["messages", "turns", "kto", "preference"])
def test_instructions_between_turns_are_a_users_words(name: str) -> None:
    """TRL goes on from no system message, and templates take none but the first: a user says the others."""
    if name == "preference":
        piece: Piece = PAIRS["instructions last"]
    else:
        piece = replace(EXAMPLES["instructions last"], metadata=METADATA)
    row = row_of(name, piece)
    first = row["messages" if name == "messages" else "prompt"][0]
    assert first == {"role": "user", "content": "Why is the sky blue?\n\nNow!"}
