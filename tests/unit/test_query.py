"""The query language: what is understood, and what is said when something is not."""

from __future__ import annotations

import re

import pytest

from dolphin_logger.errors import QueryError
from dolphin_logger.index.folding import fold, phrase
from dolphin_logger.index.query import All, Any, Fact, Named, Not, Words, parse
from dolphin_logger.index.snippets import LONGEST, snippet


def test_terms_side_by_side_must_all_hold() -> None:
    """Words, phrases, beginnings, negations and keys are read in the order in which they stand."""
    assert parse('broken "two words" pip* -old model:claude* -tag:skip') == All(
        (
            Words("broken"),
            Words("two words"),
            Words("pip", begins=True),
            Not(Words("old")),
            Named("model", "claude*"),
            Not(Fact("tag", "=", "skip")),
        )
    )


def test_or_binds_weaker_than_terms_side_by_side() -> None:
    """`a b or c` is (a b) or c; parentheses change that."""
    a, b, c = Words("a"), Words("b"), Words("c")
    assert parse("a b or c") == Any((All((a, b)), c))
    assert parse("a (b OR c)") == All((a, Any((b, c))))
    assert parse("-(a or b)") == Not(Any((a, b)))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("rating:>=4", Fact("rating", ">=", 4.0)),
        ("rating:none", Fact("rating", "is null")),
        ("cost:>$0.5", Fact("cost", ">", 500_000.0)),
        ("tokens:<10k", Fact("tokens", "<", 10_000.0)),
        ("session:ab*", Fact("session", "like", "ab*")),
        ('tool:"My Tool"', Named("tool", "My Tool")),
        ("https://example.com/a", Words("https://example.com/a")),
        ("std::vector", Words("std::vector")),
        ("error:", Words("error:")),
        ("MODEL:x", Named("model", "x")),
        ("", All()),
    ],
)
def test_a_term(text: str, term: object) -> None:
    """Numbers have comparisons and units; what only looks like a key is text."""
    assert parse(text) == term


def test_days_are_those_of_this_machine() -> None:
    """A day, a month and a year stand for their beginning."""
    day = parse("after:2026-11-22")
    assert isinstance(day, Fact)
    assert isinstance(day.value, float)
    assert abs(day.value - 1_795_305_600 * 10**6) <= 14 * 3600 * 10**6
    assert parse("before:2026") == Fact(
        "time", "<", getattr(parse("after:2026-01-01"), "value", None)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modle:x", "unknown term modle:x; did you mean model:?"),
        ("zzz:x", "known: model:, client:"),
        ("rating:high", "rating:high: expected 1 to 5"),
        ("before:yesterday", "before:yesterday: expected day"),
        ("after:2026-13", "after:2026-13: expected day"),
        ("model:", "'model:' needs a value"),
        ("(a b", "'(' is not closed"),
        ("a) b", "closes what was not opened"),
        ("or a", "'or' needs a term before it"),
        ("a or", "'or' needs a term after it"),
        ("a or or b", "'or' needs a term before it"),
        ("***", "no letter and no digit"),
        ("x" * 3000, "too long"),
        ("x " * 100, "too long"),
        ("(" * 200, "too long"),
    ],
)
def test_what_is_not_understood_is_named(text: str, said: str) -> None:
    """An error names the term, and what would be understood."""
    with pytest.raises(QueryError, match=re.escape(said)):
        parse(text)


def test_text_without_spaces_becomes_pairs() -> None:
    """Chinese is found by any of its parts; words beside it stay words."""
    assert fold("读取文件 now").split() == ["读取", "取文", "文件", "件", "now"]
    assert phrase("取文件") == '"取文 文件"'
    assert phrase("文") == '"文" *'
    assert phrase("read_file now") == '"read file now"'
    assert phrase("--") is None


def test_a_word_that_is_too_long_is_found_by_its_beginning() -> None:
    """Base64 takes no room of its own in the index, and a query for all of it still finds it."""
    long = "QUJD" * 100
    assert fold(f"a {long} b") == f"a {long[:64]} b"
    assert phrase(long) == f'"{long[:64]}"'


def test_what_no_database_takes_is_left_out() -> None:
    """Lone surrogates and zero bytes are spaces."""
    assert fold("a\ud800b\x00c") == "a b c"
    assert fold("a\x00c") == "a c"


def test_a_snippet_shows_where_the_words_are() -> None:
    """Case and accents do not matter; the spans are those of the text that is shown."""
    text = "x " * 200 + "the CAFÉ is\n\nopen" + " y" * 200
    shown = snippet(["first", text], [Words("cafe"), Words("open")])
    assert len(shown.text) <= LONGEST
    assert [shown.text[start:end] for start, end in shown.spans] == ["CAFÉ", "open"]
    assert "\n" not in shown.text
    assert shown.text.startswith("…")
    assert shown.text.endswith("…")


def test_a_snippet_without_the_words_is_the_beginning() -> None:
    """A text that does not show the words is shown from its beginning; no text at all is empty."""
    assert snippet(["some text"], [Words("absent")]).text == "some text"
    assert snippet([], [Words("absent")]).text == ""
    assert snippet(["ab abc"], [Words("ab")]).spans == ((0, 2),)
    assert snippet(["ab abc"], [Words("ab", begins=True)]).spans == ((0, 2), (3, 5))
