"""Duplicates: what counts as said before, decided from signatures alone."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from tests.support.filtered import answer, calls, example, gives, says, user

from dolphin_logger.curate.duplicates import (
    Duplicates,
    exact_signature,
    signature,
)
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Chat, Example, Pair, Unit

_RANDOM = random.Random(11)
_WORDS = ["".join(_RANDOM.choices("abcdefghijklmnop", k=6)) for _ in range(3000)]
SYSTEM: Chat = {"role": "system", "content": " ".join(_RANDOM.choices(_WORDS, k=4000))}


def _text(words: int = 200) -> str:
    return " ".join(_RANDOM.choices(_WORDS, k=words))


def _near(said: str, changes: int = 4) -> str:
    words = said.split()
    for at in _RANDOM.sample(range(len(words)), changes):
        words[at] = "changed"
    return " ".join(words)


def _kept(*examples: Example, threshold: float = 0.8, unit: Unit = Unit.LEAF) -> list[int]:
    """Give the places of those that stay."""
    duplicates = Duplicates(threshold)
    found = [duplicates.seen(str(at), signature(one, unit=unit)) for at, one in enumerate(examples)]
    return [at for at, repeated in enumerate(found) if repeated is None]


def test_a_copy_is_told_with_the_id_that_it_repeats() -> None:
    """The first stays; each later one names it."""
    one = answer(_text())
    duplicates = Duplicates()
    assert duplicates.seen("a", exact_signature(one)) is None
    assert duplicates.seen("b", exact_signature(answer(_text()))) is None
    assert duplicates.seen("c", exact_signature(one)) == "a"
    assert duplicates.seen("d", exact_signature(one)) == "a"


@pytest.mark.parametrize("threshold", [0.8, 1.0])
def test_only_what_was_said_makes_a_copy(threshold: float) -> None:
    """Instructions, results of tools, thoughts and ids do not matter; who said it, and what was called, does."""
    question, reply = _text(), _text()
    plain = example(user(question), says(reply))
    same = [
        example(SYSTEM, user(question), says(reply), model="other"),
        example(user([{"type": "text", "text": question}]), says(reply, reasoning_content="hm")),
    ]
    assert _kept(plain, *same, threshold=threshold) == [0]
    called = example(
        user("Go."), calls("run", command=_text()), gives(_text(), call="run"), says("Ok.")
    )
    other = example(
        user("Go."), calls("run", command=_text()), gives(_text(), call="run"), says("Ok.")
    )
    assert _kept(called, other, threshold=threshold) == [0, 1]
    result = example(*called.messages[:2], gives("else", call="run"), says("Ok."))
    assert _kept(called, result, threshold=threshold) == [0]
    assert exact_signature(example(says("a"), user("b"))) != exact_signature(
        example(user("a"), says("b"))
    )


def test_what_is_nearly_the_same_is_found_from_the_threshold_on() -> None:
    """Four of 200 words changed are 0.89 in common runs; fourteen, which the index finds too, are 0.65."""
    said = _text()
    copies = [answer(said), answer(_near(said)), answer(_near(said, 14))]
    assert _kept(*copies, threshold=0.8) == [0, 2]
    assert _kept(*copies, threshold=0.97) == [0, 1, 2]
    assert _kept(*copies, threshold=1.0) == [0, 1, 2]


def test_a_shared_system_prompt_makes_nobody_alike() -> None:
    """Two short chats below the same 4,000 words of instructions are two."""
    assert _kept(
        example(SYSTEM, user("Hi"), says(_text(30))), example(SYSTEM, user("Hi"), says(_text(30)))
    ) == [0, 1]


def test_chinese_is_compared_by_its_characters() -> None:
    """A text without spaces is not one word."""
    signs = [chr(0x4E00 + at) for at in range(2000)]
    said = _RANDOM.choices(signs, k=300)
    changed = [*said[:150], "变", *said[151:]]
    assert _kept(answer("".join(said)), answer("".join(changed))) == [0]
    assert _kept(answer("".join(said)), answer("".join(reversed(said)))) == [0, 1]


def test_the_turns_of_a_conversation_are_not_near_each_other() -> None:
    """A turn repeats the history before it; only the same turn of a copy is a duplicate."""
    messages: list[Chat] = []
    turns, copies = [], []
    for _ in range(12):
        messages += [user(_text(60)), says(_text(60))]
        turns.append(example(*messages))
        copies.append(example(*messages[:-1], says(_near(messages[-1]["content"], 1))))
    assert _kept(*turns, unit=Unit.TURN) == list(range(12))
    assert _kept(*turns, *copies, unit=Unit.TURN) == list(range(12))
    assert len(_kept(*turns, unit=Unit.LEAF)) < 12


def test_pairs_are_compared_with_both_answers() -> None:
    """The same answers the other way round are another pair."""
    prompt, better, worse = [user(_text())], [says(_text())], [says(_text())]
    one = Pair("a", "c", prompt, better, worse, "label")
    same = Pair("b", "c", prompt, better, worse, "regenerate")
    turned = Pair("c", "c", prompt, worse, better, "label")
    assert exact_signature(one) == exact_signature(same) != exact_signature(turned)
    duplicates = Duplicates(0.9)
    assert [duplicates.seen(pair.id, signature(pair)) for pair in (one, same)] == [None, "a"]


def test_signatures_are_the_same_in_every_process() -> None:
    """Workers make them, also with another seed for hashes of strings; the parent decides."""
    examples = [answer(_text()) for _ in range(8)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(signature, examples)) == [signature(one) for one in examples]
    assert pickle.loads(pickle.dumps(signature(examples[0]))) == signature(examples[0])


def test_decisions_depend_on_the_order_alone() -> None:
    """The same signatures in the same order are decided the same, and nobody repeats what was left out."""
    said = _text()
    chain = [said]
    for _ in range(30):
        chain.append(
            _near(chain[-1], 2)
        )  # each is near the one before, the last far from the first
    examples = [answer(one) for one in chain]
    kept = _kept(*examples)
    assert kept == _kept(*examples)
    assert 1 < len(kept) < 20
    duplicates = Duplicates(0.8)
    for at, one in enumerate(examples):
        repeated = duplicates.seen(str(at), signature(one))
        assert repeated is None or int(repeated) in kept


def test_signatures_of_another_version_are_refused() -> None:
    """What rensa cannot read is an error with its id, not a row that is like nothing."""
    made = signature(answer(_text()))
    for bad in (made[:16], made[:16] + b"Rensa:RMinHash:1\x00" + made[33:], b64encode(made)):
        with pytest.raises(DatasetError, match=r"the signature of old cannot be read"):
            Duplicates(0.8).seen("old", bad)


@pytest.mark.parametrize("threshold", [0, -1, 1.5, 80])
def test_a_threshold_that_is_no_share_is_an_error(threshold: float) -> None:
    """A percentage is not taken for a share."""
    with pytest.raises(DatasetError, match=f"threshold {threshold}: expected a share"):
        Duplicates(threshold)


def test_without_rensa_copies_are_found_and_near_ones_name_the_extra() -> None:
    """The base install finds exact copies; the error for near ones tells what to install."""
    program = """
import sys
sys.modules["rensa"] = None
from dolphin_logger.curate.duplicates import Duplicates, exact_signature, signature
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example
one = Example("a", "c", [{"role": "user", "content": "hi"}], 1)
copies = Duplicates()
assert copies.seen("a", exact_signature(one)) is None
assert copies.seen("b", exact_signature(one)) == "a"
for attempt in (lambda: Duplicates(0.8), lambda: signature(one)):
    try:
        attempt()
    except DatasetError as error:
        assert "dolphin-logger[dataset]" in str(error)
    else:
        raise SystemExit("no error")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
