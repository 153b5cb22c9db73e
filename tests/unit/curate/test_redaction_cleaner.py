"""The cleaner: pseudonyms of a conversation, overlaps, names, marks, and the scan that fails closed."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.curate.redaction import Cleaner, load_key, marked_text
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example, Exchanged, Pair, Session, Step
from dolphin_logger.messages import Message, Text
from dolphin_logger.redactors import REDACTORS, Finding

ANN, BOB = "ann.lee@novatek.io", "bob@kestrel.de"


@dataclass
class Word:
    """Finds one word."""

    word: str
    kind: str = "SECRET"
    priority: int = 0
    name: str = "word"
    version: str = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        del key
        at = text.find(self.word)
        while at != -1:
            yield Finding(at, at + len(self.word), self.kind, self.name, self.priority)
            at = text.find(self.word, at + 1)


def cleaner(*more: Any, key: bytes = b"k" * 32, **options: Any) -> Cleaner:
    """Make a cleaner."""
    return Cleaner([*REDACTORS.values(), *more], key=key, **options)


def said(text: str, conversation: str = "c", record: str = "r") -> Example:
    """Make a piece in which a user says something."""
    return Example(record, conversation, [{"role": "user", "content": text}], 0)


def cleaned(made: Cleaner, text: str, conversation: str = "c", **options: Any) -> str:
    """Clean one text and give what is left."""
    piece = made.clean(said(text, conversation), **options).piece
    return str(piece.messages[0]["content"])


def test_the_same_value_has_the_same_placeholder_in_a_conversation() -> None:
    """However it is written, in whichever piece; numbers count by first sight, anew in each conversation."""
    made = cleaner()
    assert cleaned(made, f"{ANN}, {BOB}") == "<EMAIL_1>, <EMAIL_2>"
    assert cleaned(made, f"{BOB} {ANN.upper()}") == "<EMAIL_2> <EMAIL_1>"
    assert cleaned(made, "+49 30 9915 2069 or +493099152069") == "<PHONE_1> or <PHONE_1>"
    assert cleaned(made, BOB, "another") == "<EMAIL_1>"


def test_identities_tell_who_is_who_only_with_the_key() -> None:
    """The same in all conversations, another with another key, and no value anywhere."""
    first = cleaner().clean(said(f"to {ANN}", "c1")).findings
    other = cleaner().clean(said(f"{BOB} {ANN}", "c2")).findings
    foreign = cleaner(key=b"x" * 32).clean(said(ANN)).findings
    assert first[0].identity == other[1].identity != other[0].identity
    assert foreign[0].identity != first[0].identity
    assert "novatek" not in repr([*first, *other])
    one = first[0]
    assert (one.record, one.path, one.start, one.end, one.rule) == (
        "r",
        "messages[0].content",
        3,
        3 + len(ANN),
        "email",
    )


def test_paths_of_findings_hold_no_names_that_were_found() -> None:
    """A name in data is a value."""
    chat = {"role": "tool", "content": json.dumps({ANN: {"mail": BOB}})}
    made = cleaner().clean(Example("r", "c", [chat], 0))
    assert [one.path for one in made.findings] == [
        "messages[0].content|.(name)",
        "messages[0].content|.<EMAIL_1>.mail",
    ]


def test_of_overlapping_findings_priority_decides_and_then_length() -> None:
    """The loser's place is taken whole."""
    low, high, longer = (
        Word("secret-part", "LOW", 1),
        Word("part", "HIGH", 9),
        Word("secret-part-long", "LONG", 1),
    )
    assert cleaned(cleaner(low, high), "a secret-part b") == "a secret-<HIGH_1> b"
    assert cleaned(cleaner(low, longer), "a secret-part-long b") == "a <LONG_1> b"
    assert (
        cleaned(cleaner(Word("xyxy", "A", 1), Word("yx", "B", 2)), "xyxyxyxy")
        == "x<B_1><B_1><B_1>y"
    )


def test_what_the_winner_leaves_of_another_is_found_in_the_next_round() -> None:
    """Half of a secret is still one."""

    class Shape(Word):
        def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
            del key
            return (Finding(*one.span(), "LOW", "shape") for one in re.finditer(self.word, text))

    made = cleaner(Shape("ab+!?"), Word("b!", "HIGH", 9))
    assert cleaned(made, "x abbb! y") == "x <LOW_1><HIGH_1> y"


def test_placeholders_are_not_found_again() -> None:
    """Also where a rule would take the whole of what they stand in, or a word of theirs."""
    made = cleaner(Word("<EMAIL_1>"), own=["mail"])
    assert cleaned(made, ANN) == "<EMAIL_1>"
    assert made.scan({"text": "<EMAIL_1>"}) == []


def test_the_user_of_a_home_is_gone_wherever_the_name_stands() -> None:
    """Earlier in the conversation too, and in pieces that name no path once `learn` has seen one that does."""
    made = cleaner()
    example = Example(
        "r", "c", [{"content": "mkowal@laptop:~$ ls"}, {"content": "/home/mkowal/x"}], 0
    )
    assert [chat["content"] for chat in made.clean(example).piece.messages] == [
        "<USER_1>@laptop:~$ ls",
        "/home/<USER_1>/x",
    ]
    assert cleaned(made, "Mkowal said", "other") == "Mkowal said"
    made.learn(said("C:\\\\Users\\\\mkowal\\\\x", "third"))
    assert cleaned(made, "Mkowal said", "third") == "<USER_1> said"


def test_names_of_the_machine_and_own_strings_are_always_gone() -> None:
    """What the user and the machine are called needs no path."""
    made = cleaner(names=["annlaptop"], own=["Project Zeus"])
    assert cleaned(made, "ssh annlaptop # project zeus") == "ssh <USER_1> # <OWN_1>"


def test_what_people_marked_is_gone_in_every_request_of_the_conversation() -> None:
    """A text, or a span of a message, which comes again in every later history."""
    message = Message("user", (Text("the code "), Text("is swordfish.")))
    spans = [marked_text({"text": "the dog"}, None), marked_text({"start": 12, "end": 21}, message)]
    assert spans == ["the dog", "swordfish"]
    assert (
        marked_text({"start": 90, "end": 99}, message)
        is marked_text({"start": 0, "end": 1}, None)
        is None
    )
    made = cleaner()
    assert (
        cleaned(made, "say swordfish to the dog", marked=["swordfish", "the dog"])
        == "say <MARKED_1> to <MARKED_2>"
    )
    assert cleaned(made, "Swordfish") == "<MARKED_1>"
    assert [one.rule for one in made.scan({"x": "swordfish"})] == ["marked"]


def test_base64_stays_base64_of_what_is_left() -> None:
    """What a tool decodes from it is what the conversation says."""
    text = cleaned(cleaner(), f"x: {base64.b64encode(f'user={ANN}'.encode()).decode()}")
    assert base64.b64decode(text.removeprefix("x: ")) == b"user=<EMAIL_1>"


def test_escapes_around_a_value_stay_whole() -> None:
    """The letter of an escape belongs to no value, and no half of an escape is left."""
    assert cleaned(cleaner(), '"a": "x\\nann@novatek.io\\nb') == '"a": "x\\n<EMAIL_1>\\nb'


def test_every_kind_of_piece_is_cleaned() -> None:
    """Pairs, sessions with their steps and native lines, and recorded exchanges."""
    chat = {"role": "user", "content": ANN}
    made = cleaner()
    pair = made.clean(Pair("r", "c", [chat], [chat], [chat], "edit", [], {"note": ANN})).piece
    assert ANN not in repr(pair)
    assert pair.chosen == pair.rejected == [{"role": "user", "content": "<EMAIL_1>"}]
    step = Step("r", None, "start", "2026-11-22T10:00:00Z", "completed", "m", "p", [chat], [chat])
    session = made.clean(Session("s", "c", "codex", [step, step], [{"line": ANN}])).piece
    assert ANN not in repr(session)
    assert session.steps[1] == Step(
        "r", None, "start", step.time, "completed", "m", "p", pair.chosen, pair.chosen
    )
    exchanged = made.clean(Exchanged("r", "c", {"user": ANN, "model": "m"}, None)).piece
    assert (exchanged.request, exchanged.response) == ({"user": "<EMAIL_1>", "model": "m"}, None)
    assert said(ANN).messages == [chat]  # what was given is as it was


def test_the_scan_finds_what_cleaning_left_and_names_no_value() -> None:
    """A row that is not clean is told with its place, so that it does not leave."""
    made = cleaner()
    made.clean(said("nothing", record="r9"))
    (one,) = made.scan({"conversations": [{"from": "human", "value": f"hi {ANN}"}]})
    assert (one.record, one.path, one.kind) == ("r9", "conversations[0].value", "EMAIL")
    assert "novatek" not in repr(one)
    assert made.scan({"text": "hi"}) == []


def test_a_redactor_that_never_ends_is_caught_by_the_scan() -> None:
    """What is found again in each round is not called clean."""
    made = cleaner(Word("_1>x", "AGAIN", 5), Word("x", "X"))
    piece = made.clean(said("x" * 30)).piece
    assert bool(made.scan({"m": piece.messages})) == ("_1>x" in str(piece.messages))


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """Mode 0600, the same afterwards; a broken one is named with a cure."""
    path = tmp_path / "datasets" / "key"
    key = load_key(path)
    assert len(key) == 32
    assert load_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("abc\n")
    with pytest.raises(DatasetError, match="key"):
        load_key(path)


def test_names_of_clients_and_models_hold_no_secrets() -> None:
    """Whoever asks chooses them; what is no secret in them stays, an address or a path too."""
    token = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    metadata: dict[str, Any] = {
        "client": f"tool/{token}",
        "models": ["mistral-7b-v0.3.0.1", f"ft:{token}"],
    }
    made = cleaner(names=["mistral"])
    piece = Example("r", "c", [{"role": "user", "content": "hi"}], 0, metadata=metadata)
    gave = made.clean(piece)
    assert gave.piece.metadata == {
        "client": "tool/<SECRET_1>",
        "models": ["mistral-7b-v0.3.0.1", "ft:<SECRET_1>"],
    }
    assert [one.path for one in gave.findings] == ["metadata.client", "metadata.models[1]"]
    assert not made.scan({"metadata": gave.piece.metadata})
    assert made.scan({"metadata": metadata})
    assert made.clean(Session("s", "c", f"tool/{token}", [])).piece.client == "tool/<SECRET_1>"


def test_numbers_that_a_text_shows_already_are_left_out() -> None:
    """What was cleaned before and is cleaned again does not give two people one placeholder."""
    cleaned = cleaner().clean(said(f"<EMAIL_1> and <EMAIL_4> write to {ANN}"))
    (message,) = cleaned.piece.messages
    assert message["content"] == "<EMAIL_1> and <EMAIL_4> write to <EMAIL_5>"
