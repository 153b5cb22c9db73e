"""Selection: which records may be in a dataset, by their facts, their marks and what came before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.built import label
from tests.support.chats import Chats, assistant, user
from tests.support.curated import surveyed

from dolphin_logger.curate.recipe import Selection
from dolphin_logger.curate.selection import Pick, select
from dolphin_logger.errors import DatasetError
from dolphin_logger.exchange import Outcome
from dolphin_logger.journal.labels import read_labels

A, B, C = user("first"), assistant("one"), user("second")


class Home:
    """A conversation of two turns, and one of another model."""

    def __init__(self, folder: Path) -> None:
        self.chats = Chats(folder)
        self.first = self.chats.ask(A, answer=B)
        self.second = self.chats.ask(A, B, C, answer=assistant("two"))
        self.other = self.chats.ask(user("other"), answer=assistant("three"), model="Big-1", client="c")  # fmt: skip

    def select(self, **wanted: Any) -> tuple[dict[str, Pick], dict[str, str]]:
        """Select; give the picks and the reasons by record."""
        home, reasons = self.chats.home, {}
        found, withdrawn = wanted.pop("found", None), wanted.pop("withdrawn", ())
        picks = select(
            surveyed(home),
            read_labels(home),
            Selection(**wanted),
            found=found,
            withdrawn=withdrawn,
            omit=lambda one, reason: reasons.update({one.id: reason}),
        )
        return {name: pick for own in picks.values() for name, pick in own.items()}, reasons

    def label(self, record: str, kind: str, value: Any = None, **more: Any) -> None:
        """Write a label."""
        label(self.chats.home.path, record, kind, value, **more)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Record them."""
    return Home(tmp_path / "home")


def test_without_a_wish_every_answer_is_a_turn_and_every_end_a_leaf(home: Home) -> None:
    """What was completed is chosen; of two turns the last one ends the conversation."""
    picks, reasons = home.select()
    assert {name: (one.is_turn, one.is_leaf) for name, one in picks.items()} == {
        home.first: (True, False),
        home.second: (True, True),
        home.other: (True, True),
    }
    assert reasons == {}


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"model": ("big-*",)}, "model"),
        ({"client": ("c",)}, "client"),
        ({"provider": ("anthropic",)}, "provider"),
        ({"finish_reason": ("length",)}, "finish_reason"),
        ({"tag": ("good",)}, "tag"),
        ({"since": "2026-11-23"}, "date"),
        ({"until": "2026-11-21"}, "date"),
        ({"only_rated": True}, "not rated"),
        ({"only_kept": True}, "not kept"),
        ({"outcome": ("timeout",)}, "outcome completed"),
        ({"found": frozenset()}, "query"),
    ],
)
def test_what_is_not_wanted_has_its_reason(home: Home, wanted: dict[str, Any], reason: str) -> None:
    """Each condition leaves out what does not meet it, and says so."""
    _, reasons = home.select(**wanted)
    assert reasons[home.first] == reasons[home.second] == reason
    assert (home.other in reasons) == (reason not in ("model", "client"))


def test_days_are_of_utc_and_the_last_is_included(home: Home) -> None:
    """Records of the day itself are within it."""
    _, reasons = home.select(since="2026-11-22", until="2026-11-22")
    assert reasons == {}


def test_a_conversation_is_named_by_any_record_of_it(home: Home) -> None:
    """The end of an id is enough; one that nobody has is an error."""
    _, reasons = home.select(conversation=(home.second[-8:],))
    assert reasons == {home.other: "conversation"}
    with pytest.raises(DatasetError, match="there is no 'ffffffff'"):
        home.select(conversation=("ffffffff",))


def test_a_drop_goes_on_to_what_follows_and_not_back(home: Home) -> None:
    """A later answer has the dropped one in its history; another conversation does not."""
    home.label(home.second, "drop")
    picks, reasons = home.select()
    assert reasons == {home.second: "dropped"}
    assert set(picks) == {home.first, home.other}
    home.label(home.second, "keep")  # the last word counts
    assert home.select()[1] == {}


def test_what_may_not_be_published_is_in_no_history(home: Home) -> None:
    """Neither a record whose policy forbids it nor what went on from it is chosen, nor dropped messages."""
    home.label(home.second, "drop", message=2)
    third = home.chats.ask(A, B, C, assistant("two"), user("third"), answer=assistant("three"))
    _, reasons = home.select()
    assert reasons == {home.second: "dropped", third: "dropped in history"}


def test_a_low_rating_is_for_verdicts_only(home: Home) -> None:
    """It is no turn and no leaf, but known as low; `rating` moves the border, `keep` lifts it."""
    home.label(home.second, "rating", 2)
    picks, reasons = home.select()
    assert (picks[home.second].is_low, picks[home.second].is_turn) == (True, False)
    assert reasons == {home.second: "rating"}
    assert home.select(rating=2)[1] == {}
    home.label(home.second, "keep")
    assert home.select()[1] == {}


def test_a_rating_of_the_first_is_the_conversations(home: Home) -> None:
    """It holds for records without one of their own."""
    home.label(home.first, "rating", 5)
    home.label(home.first, "tag", {"add": ["good"]})
    picks, _ = home.select()
    second = picks[home.second]
    assert (second.rating, second.is_own, second.tags) == (5, False, ("good",))
    home.label(home.second, "rating", 4)
    assert (home.select()[0][home.second].rating, home.select()[0][home.second].is_own) == (4, True)
    _, reasons = home.select(without_tag=("GO*",))
    assert reasons == {home.first: "tag", home.second: "tag"}


def test_failures_may_be_in_a_session_but_are_no_answers(home: Home) -> None:
    """A try that failed is picked for nothing of its own."""
    failed = home.chats.ask(A, B, C, user("again"), answer=None, outcome=Outcome.PROVIDER_ERROR)
    picks, reasons = home.select()
    assert reasons == {failed: "outcome provider_error"}
    assert not (picks[failed].is_turn)
    assert not (picks[failed].is_leaf)
    assert not (picks[failed].is_low)


def test_one_model_is_refused_where_there_are_two(home: Home) -> None:
    """The error names them, and how to choose."""
    with pytest.raises(DatasetError, match=r"2 models: Big-1, a; say which: model = \[\"Big-1\"\]"):
        home.select(one_model=True)
    assert home.select(one_model=True, model=("a",))[1] == {home.other: "model"}


def test_what_was_withdrawn_is_in_nothing(home: Home) -> None:
    """A conversation that was taken back is omitted whole, and by its reason."""
    picks, reasons = home.select(withdrawn={home.first})
    assert list(picks) == [home.other]
    assert reasons[home.first] == "withdrawn"
    assert set(reasons) == {home.first, home.second}
