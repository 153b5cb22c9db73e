"""Which entry a name, a prefix or a remembered id means."""

from __future__ import annotations

from pathlib import Path

import pytest

from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.config.model import Skipped
from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.routing import Memory, Routes

NAMES = ("claude-*", "claude", "claude-opus-*", "gpt-5", "gpt-*", "org/model:free")


def routes(*names: str, skipped: tuple[Skipped, ...] = ()) -> Routes:
    """Configure these models at one provider."""
    return Routes(Config(Path("c"), tuple(ModelEntry("openai", n) for n in names), skipped))


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("claude", "claude"),
        ("claude-", "claude-*"),
        ("claude-haiku", "claude-*"),
        ("claude-opus-5", "claude-opus-*"),
        ("claude-opus", "claude-*"),
        ("gpt-5", "gpt-5"),
        ("gpt-5.5", "gpt-*"),
        ("org/model:free", "org/model:free"),
        ("GPT-5", None),
        ("claud", None),
        ("*", None),
        ("gpt", None),
    ],
)
def test_exact_names_win_then_the_longest_beginning(name: str, entry: str | None) -> None:
    """In whatever order the file lists them; case counts, and a star is no name."""
    for order in (NAMES, NAMES[::-1]):
        found = routes(*order).find(name)
        assert (found and found.model) == entry


def test_a_star_alone_takes_the_rest() -> None:
    """`*` is the shortest beginning: everything that no other takes."""
    made = routes("*", "gpt-*")
    assert [made.by_name(name).model for name in ("x", "gpt-1")] == ["*", "gpt-*"]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        (None, 400, "must provide a model"),
        ("", 400, "non-empty string"),
        (7, 400, "not 7"),
        (["x"] * 100, 400, "..."),
        ("claudee", 404, "did you mean `claude`?"),
        ("x" * 1000, 404, "x" * 200 + "`"),
        ("old", 404, "cannot be used: because"),
    ],
    ids=str,
)
def test_other_names_are_refused_with_the_cure(name: object, status: int, words: str) -> None:
    """Every refusal lists what is configured, and is short."""
    made = routes(*NAMES, skipped=(Skipped(0, "old", "because"),))
    with pytest.raises(RequestError) as caught:
        made.by_name(name)
    assert caught.value.status == status
    assert caught.value.param == "model"
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500
    if words != "non-empty string":
        assert ("Configured: " in str(caught.value)) == (name is None or isinstance(name, str))


def test_many_names_are_not_all_listed() -> None:
    """Twenty are shown, the others counted."""
    with pytest.raises(RequestError, match="m19 and 80 more"):
        routes(*(f"m{n}" for n in range(100))).by_name("x")
    with pytest.raises(RequestError, match="No model is configured"):
        routes().by_name("x")


def test_a_prefix_names_an_entry_as_it_is_written() -> None:
    """`/p/claude-*/` is that entry, `/p/claude-x/` none: no pattern is applied."""
    assert routes(*NAMES).by_prefix("claude-*").model == "claude-*"
    with pytest.raises(RequestError) as caught:
        routes(*NAMES).by_prefix("claude-x")
    assert caught.value.status == 404


def test_the_only_one_that_can_be_meant() -> None:
    """One candidate is taken; of none or two none is guessed."""
    made = routes("a", "b", "c")
    assert made.only_one(lambda entry: entry.model == "b").model == "b"
    for speaks, words in (
        (lambda e: e.model != "b", "more than one"),
        (lambda e: False, "no conf"),
    ):
        with pytest.raises(RequestError, match=words) as caught:
            made.only_one(speaks)
        assert caught.value.status == 400
        assert "/p/<model>/" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        (b'{"id":"resp_68af","object":"response"}', "/v1/responses/resp_68af/input_items"),
        (b'{"object":"file","id":"file-aB9_-x"}', "/v1/files/file-aB9_-x/content"),
        (b'{"id": "batch_1"}', "/v1/batches/batch_1"),
        (b'{"id":"msgbatch_01"}', "/v1/messages/batches/msgbatch_01/results"),
        (b'{"id":"vs_1"}', "/v1/vector_stores/vs_1/files"),
    ],
)
def test_an_id_leads_to_the_entry_that_made_it(answer: bytes, path: str) -> None:
    """Also in the middle of a path; another id, or a part of one, leads nowhere."""
    memory = Memory()
    memory.keep(answer, entry="mine")
    assert memory.entry_of(path) == "mine"
    assert memory.entry_of(path.replace("1", "12").replace("68", "6").replace("aB", "aBB")) is None
    assert memory.entry_of("/v1/files") is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest id goes first."""
    monkeypatch.setattr("dolphin_logger.proxy.routing._REMEMBERED", 2)
    memory = Memory()
    for n in range(3):
        memory.keep(b'{"id":"resp_%d"}' % n, entry=f"e{n}")
    assert [memory.entry_of(f"/x/resp_{n}") for n in range(3)] == [None, "e1", "e2"]


def test_rivals_of_one_name_are_told_apart_by_language() -> None:
    """Of two entries with one wildcard the one whose provider speaks the language is meant."""
    entries = tuple(ModelEntry(name, "*") for name in ("openai", "anthropic"))
    rivals = Routes(Config(Path("c"), entries))
    for wanted in entries:
        assert rivals.by_name("any", lambda entry, wanted=wanted: entry is wanted) is wanted
    assert rivals.by_name("any", lambda _: False) is entries[0]
    assert rivals.find("any") is entries[0]
