"""Filters on facts: turns, tokens, models, finish reasons, empty answers, calls without results."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from tests.support.filtered import answer, calls, example, gives, says, user

from dolphin_logger.curate.filters import (
    FILTERS,
    empty,
    finish_reason,
    first_reason,
    make_filters,
    models,
    presence,
    tokens,
    turns,
    unfinished,
)
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example

TWO_TURNS = example(user("a"), says("b"), user("c"), says("d"))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (turns.Settings(least=3), "2 turns, at least 3"),
        (turns.Settings(most=1), "2 turns, at most 1"),
        (turns.Settings(least=2, most=2), None),
    ],
)
def test_turns_are_the_answers_of_the_model(settings: Any, reason: str | None) -> None:
    """Too few or too many answers are refused with the number and the limit."""
    made = turns.make(settings)
    assert made is not None
    assert made.reason(TWO_TURNS) == reason


@pytest.mark.parametrize(
    "recorded",
    [
        1500,
        {"input_tokens": 1400, "output_tokens": 100},
        {"input": 1400, "output": 100},
        {"total_tokens": 1500},
    ],
)
def test_recorded_tokens_are_counted(recorded: Any) -> None:
    """What the provider counted decides, whatever the text looks like."""
    made = tokens.make(tokens.Settings(most=1499))
    assert made is not None
    assert made.reason(example(user("a"), says("b"), tokens=recorded)) == (
        "1,500 tokens, at most 1,499"
    )


@pytest.mark.parametrize("recorded", [None, {}, {"input_tokens": 5}, True, "12"])
def test_unrecorded_tokens_are_estimated_and_said_to_be(recorded: Any) -> None:
    """Without a whole count the text decides, and the reason tells that it is an estimate."""
    made = tokens.make(tokens.Settings(most=1000))
    assert made is not None
    reason = made.reason(example(user("word " * 2000), says("b"), tokens=recorded))
    assert reason is not None
    assert "tokens (estimated from the text), at most 1,000" in reason
    assert 2000 <= int(reason.split()[0].replace(",", "")) <= 3000


def test_an_estimate_holds_thoughts_calls_and_tools() -> None:
    """Everything that a model is given or wrote counts, in every script."""
    bare = tokens.estimate_tokens(answer("ok"))
    assert tokens.estimate_tokens(answer("ok", reasoning_content="hmm " * 40)) == bare + 40
    assert tokens.estimate_tokens(example(user("Well?"), calls("run", command="x" * 400))) > 100
    offered = Example("r", "c", [user("a")], 1, tools=[{"description": "x" * 400}])
    assert tokens.estimate_tokens(offered) > 100
    assert tokens.tokens_of_text("漢字" * 30) == 40


@pytest.mark.parametrize(
    "word", ["length", "max_tokens", "MAX_TOKENS", "content_filter", "SAFETY", "error"]
)
def test_an_answer_that_was_cut_is_refused(word: str) -> None:
    """The same fate is refused in the words of every vendor."""
    made = finish_reason.make(finish_reason.Settings())
    assert made is not None
    reason = made.reason(example(user("a"), says("b"), finish_reason=word))
    assert reason is not None
    assert repr(word) in reason


@pytest.mark.parametrize("word", ["stop", "end_turn", "tool_calls", "STOP", "unheard_of", None])
def test_an_answer_that_came_to_its_end_stays(word: str | None) -> None:
    """Own ends, unknown words and no word are no reason."""
    made = finish_reason.make(finish_reason.Settings())
    assert made is not None
    assert made.reason(example(user("a"), says("b"), finish_reason=word)) is None


@pytest.mark.parametrize(
    "silent",
    [
        answer(""),
        answer(" \n"),
        answer(None),
        answer([{"type": "text", "text": " "}]),
        answer("", reasoning_content="I thought a lot"),
        Example("r", "c", [user("a")], 1),
    ],
)
def test_an_answer_without_anything_is_empty(silent: Example) -> None:
    """Spaces, thoughts alone and nothing are empty."""
    made = empty.make(empty.Settings())
    assert made is not None
    assert made.reason(silent) is not None


@pytest.mark.parametrize(
    "speaking",
    [
        answer("0"),
        example(user("a"), calls("run")),
        answer([{"type": "image", "image": "https://x/y.png"}]),
        answer([{"type": "text", "text": ""}, {"type": "text", "text": "yes"}]),
    ],
)
def test_an_answer_with_something_is_not_empty(speaking: Example) -> None:
    """A text, a call or a picture is an answer."""
    made = empty.make(empty.Settings())
    assert made is not None
    assert made.reason(speaking) is None


@pytest.mark.parametrize(
    ("messages", "at_end", "within"),
    [
        ([user("a"), calls("run")], True, False),
        ([user("a"), calls("run"), gives("1", call="run"), says("b")], False, False),
        ([user("a"), calls("run", "see"), gives("1", call="run"), says("b")], False, True),
        ([user("a"), calls("run", "see"), gives("1", call="run")], True, False),
        ([user("a"), calls("run"), user("stop"), says("b")], False, True),
        (
            [user("a"), calls("run", "see", ids=False), gives("1"), gives("2"), says("b")],
            *[False] * 2,
        ),
        ([user("a"), calls("run", "see", ids=False), gives("1"), says("b")], False, True),
        ([user("a"), calls("run"), gives("1", call="other"), says("b")], False, True),
    ],
)
def test_a_call_without_result_is_told_where_it_is(
    messages: list[Any], at_end: bool, within: bool
) -> None:
    """Open calls at the end and before it are two things."""
    for settings, refused in [
        (unfinished.Settings(at_end=True, within=False), at_end),
        (unfinished.Settings(at_end=False, within=True), within),
    ]:
        made = unfinished.make(settings)
        assert made is not None
        assert (made.reason(example(*messages)) is not None) == refused, settings


def test_other_models_in_a_conversation_are_named() -> None:
    """Each model has to be one of those wanted; an unknown one is none."""
    made = models.make(models.Settings(only=("claude-*",)))
    assert made is not None
    assert made.reason(example(user("a"), says("b"), models=["claude-opus-4-1"])) is None
    assert made.reason(example(user("a"), says("b"), models=["claude-x", "gpt-5"])) == (
        "the model 'gpt-5' answered too, wanted claude-*"
    )
    assert made.reason(TWO_TURNS) == "the model is not known, wanted claude-*"


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        (presence.Settings(tool_calls="some"), [TWO_TURNS]),
        (presence.Settings(tool_calls="none"), [example(user("a"), calls("run"))]),
        (presence.Settings(reasoning="some"), [TWO_TURNS, example(user("a"), calls("run"))]),
        (presence.Settings(reasoning="none"), [answer("b", reasoning_content="hm")]),
    ],
)
def test_calls_and_thoughts_are_wanted_or_not(settings: Any, refused: list[Example]) -> None:
    """`some` refuses what lacks them, `none` what has them."""
    made = presence.make(settings)
    assert made is not None
    every = [TWO_TURNS, example(user("a"), calls("run")), answer("b", reasoning_content="hm")]
    kept = [one for one in every if made.reason(one) is None]
    assert [one for one in refused if one in kept] == []
    assert kept


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("turns", turns.Settings(least=3, most=2)),
        ("tokens", tokens.Settings(least=-1)),
        ("presence", presence.Settings(tool_calls="many")),
    ],
)
def test_settings_that_nothing_can_meet_are_refused(name: str, settings: Any) -> None:
    """The error names the filter and the value."""
    with pytest.raises(DatasetError, match=rf"filters\.{name}: .*(3|-1|many)"):
        make_filters({name: settings})


def test_an_unknown_filter_is_named_with_those_known() -> None:
    """A name that nobody knows is an error, not silence."""
    with pytest.raises(
        DatasetError, match=r"filters\.colour: unknown filter; known: finish_reason, "
    ):
        make_filters({"colour": turns.Settings()})


def test_filters_have_names_defaults_and_can_be_sent_to_other_processes() -> None:
    """Each filter is known by its own name; the first one that refuses gives the reason."""
    settings = {
        "turns": turns.Settings(least=3),
        "models": models.Settings(only=("x",)),
        "refusals": FILTERS["refusals"].settings(drop=True),
    }
    made = pickle.loads(pickle.dumps(make_filters(settings)))
    assert [one.name for one in made] == [
        *("finish_reason", "empty", "turns", "models", "unfinished", "refusals", "repetition")
    ]
    assert first_reason(made, TWO_TURNS) == ("turns", "2 turns, at least 3")
    assert first_reason(make_filters({}), TWO_TURNS) is None
