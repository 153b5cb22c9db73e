"""Repetition: models that are stuck, and good texts that repeat for a reason."""

from __future__ import annotations

import random

import pytest
from tests.support.filtered import answer, example, says, user

from dolphin_logger.curate.filters import repetition
from dolphin_logger.curate.said import ALL
from dolphin_logger.example import Example

_RANDOM = random.Random(3)
_VOCABULARY = [
    "".join(_RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=_RANDOM.randint(2, 9)))
    for _ in range(900)
]


def prose(words: int) -> str:
    """Write sentences in which no run of words comes twice."""
    return " ".join(
        " ".join(_RANDOM.choices(_VOCABULARY, k=12)).capitalize() + "." for _ in range(words // 12)
    )


MUST_DROP = {
    "sentence": prose(60) + " The answer is that I do not know the answer." * 30,
    "end of a long answer": prose(1200) + " and so on and on" * 20,
    "one word": prose(60) + " very" * 80,
    "lines": "\n".join([prose(24), *["- Check the configuration of the server."] * 30]),
    "lines in turn": "\n".join(
        ["First check the disk for errors.", "Then check the memory too."] * 20
    ),
    "paragraphs": (prose(120) + "\n\n") * 3,
    "lines of code": "```python\n" + "    result.append(compute(value))\n" * 40 + "```",
    "Chinese": "我们需要检查服务器的配置文件。" * 30,
    "sign": prose(40) + " " + "!" * 400,
}
_TABLE = "\n".join(f"| {name} | {number} | yes |" for number, name in enumerate(_VOCABULARY[:80]))
MUST_KEEP = {
    "prose": prose(2000),
    "short": "Yes. Yes. Yes.",
    "file before and after": f"Before:\n```\n{(code := prose(300))}\n```\nAfter:\n```\n{code}x\n```",
    "text quoted once": f"{(quoted := prose(300))}\n\nIn short:\n{prose(200)}\n{quoted[:400]}",
    "table": _TABLE,
    "numbers": "The array is " + "0, " * 300 + "and no more.",
    "matrix": "```\n" + "\n".join("0.0 1.0 0.0 1.0" for _ in range(9)) + "\n```" + prose(200),
    "ruler": prose(60) + "\n" + "-" * 500 + "\n" + "=" * 400,
    "dump": "0" * 800 + "f" * 800,
    "chorus": "\n\n".join(
        f"{prose(48)}\n\nRow, row, row your boat,\ngently down the stream" for _ in range(9)
    ),
    "tests": "```python\n"
    + "\n\n".join(
        f"def test_{word}():\n    assert convert('{word}') == {at}"
        for at, word in enumerate(_VOCABULARY[:60])
    )
    + "\n```",
    "laughter": "Ha ha ha ha ha ha ha! " + prose(40),
    "brackets": "```json\n" + '{"a": [{"b": [\n' * 3 + "]\n},\n" * 60 + "```",
}


def _reason(one: Example, **settings: object) -> str | None:
    made = repetition.make(repetition.Settings(**settings))  # type: ignore[arg-type]
    assert made is not None
    return made.reason(one)


@pytest.mark.parametrize("text", MUST_DROP.values(), ids=MUST_DROP)
def test_a_model_that_is_stuck_is_refused(text: str) -> None:
    """Loops of any length are found, in prose, in lists, in code, and in scripts without spaces."""
    reason = _reason(answer(text))
    assert reason is not None
    assert "at most" in reason


@pytest.mark.parametrize("text", MUST_KEEP.values(), ids=MUST_KEEP)
def test_good_text_that_repeats_stays(text: str) -> None:
    """Code, tables, numbers, rulers and choruses repeat for a reason."""
    assert _reason(answer(text)) is None


def test_the_reason_names_value_and_limit() -> None:
    """Each of the three signs says how much there was, and how much may be."""
    assert _reason(answer((prose(120) + "\n\n") * 4)) == (
        "75% of the runs of 8 words are repeated, at most 50%"
    )
    looped = prose(600) + " and so on and on" * 20
    assert _reason(answer(looped)) == "the same words 20 times in a row, at most 8"
    assert _reason(answer(looped), loops=25) is None
    assert _reason(answer("a\n" + "!" * 300)) == "the sign '!' 200 times in a row, at most 8"


def test_earlier_answers_count_only_when_asked() -> None:
    """`answer` looks at the end, `all` at every answer of the model, neither at what people paste."""
    stuck = MUST_DROP["sentence"]
    one = example(user(stuck), says(stuck), user("Again?"), says("Done."))
    assert _reason(one) is None
    assert _reason(one, scope=ALL) is not None
    assert _reason(example(user(stuck), says("Done.")), scope=ALL) is None


def test_nothing_is_looked_for_where_all_is_allowed() -> None:
    """A share of 1 and any number of loops need no filter."""
    assert repetition.make(repetition.Settings(most=1.0, loops=0)) is None


@pytest.mark.timeout(10)  # what is looked for twice at a place takes longer by far
@pytest.mark.parametrize(
    "piece", ["a", "a ", "a.", "```\n", "~~~ \n", "\n \t", "!" * 199 + "?", "界"]
)
def test_hostile_text_is_read_to_its_end(piece: str) -> None:
    """One pass over a text, whatever it holds."""
    _reason(answer((piece * 500_000)[:500_000]))
