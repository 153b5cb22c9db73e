"""The dataset card: what the Hub reads at its head, what people read below."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard
from tests.support.hub import running_hub
from tests.support.hub.repository import card_errors

from dolphin_logger.curate.licenses import check_license
from dolphin_logger.errors import DatasetError
from dolphin_logger.publish.card import (
    MARK,
    Facts,
    Shape,
    plots_of,
    size_of,
    write_card,
    written_above,
)
from dolphin_logger.publish.plots import bars
from dolphin_logger.publish.summary import Summary, read_summary, summarise

COLUMNS = (("messages", "list<json>"), ("tools", "list<json>"), ("metadata", "json"))


def row(**metadata: object) -> dict[str, object]:
    """Make a row of the shape `messages` with two answers, one of them a call."""
    call = {"type": "function", "function": {"name": "read|file`", "arguments": {}}}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "x"},
        {"role": "assistant", "content": "done"},
    ]
    known = {"models": ["gpt-4.1"], "providers": ["openai"], "client": "codex"}
    times = {
        "tokens": {"input_tokens": 3000, "output_tokens": 90},
        "time": ["2026-11-02T10:00:00Z"],
    }
    return {"messages": messages, "tools": [], "metadata": {**known, **times, **metadata}}


@pytest.fixture
def facts() -> Facts:
    """Gather the facts of a small dataset."""
    summary = summarise("messages", [row(), row(models=["<script>"])])
    summary.conversations = 2
    summary.findings = Counter({"email": 3})
    return Facts(
        repository="org/data",
        license="cc-by-4.0",
        summary=summary,
        shapes=(
            Shape("messages", "leaf", ("train", "validation"), "jsonl", COLUMNS),
            Shape("traces", "session", ("train",), "jsonl", is_file_each=True),
        ),
        first="2026-11-02T10:00:00Z",
        last="2026-11-03T10:00:00Z",
        languages=("en",),
        rules={"secrets": "1"},
    )


def test_the_head_says_what_the_hub_reads(facts: Facts) -> None:
    """License, configurations with their files, features and tags stand in the head."""
    head = yaml.safe_load(write_card(facts).split("---")[1])
    assert head["license"] == "cc-by-4.0"
    assert head["configs"][0] == {
        "config_name": "messages",
        "default": True,
        "data_files": [
            {"split": "train", "path": "data/messages/train-*.jsonl"},
            {"split": "validation", "path": "data/messages/validation-*.jsonl"},
        ],
    }
    assert head["configs"][1]["data_files"] == [{"split": "train", "path": "data/traces/*.jsonl"}]
    assert head["dataset_info"][0]["features"][0] == {"name": "messages", "list": "json"}
    assert {"agent-traces", "tool-use"} <= set(head["tags"])
    assert head["size_categories"] == ["n<1K"]


def test_without_tools_and_traces_no_tag_says_so(facts: Facts) -> None:
    """Tags are true: no agent traces where there are none."""
    summary = summarise("messages", [{"messages": [{"role": "assistant", "content": "x"}]}])
    plain = Facts("org/data", "mit", summary, facts.shapes[:1])
    head = yaml.safe_load(write_card(plain).split("---")[1])
    assert head["tags"] == ["dolphin-logger", "conversations"]


def test_the_hub_takes_it(facts: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It passes the Hub's rules, and the validation of huggingface_hub itself."""
    text = write_card(facts)
    assert card_errors(text) == []
    with running_hub(tmp_path / "hub") as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.repocard.constants.ENDPOINT", hub.url)
        card = DatasetCard(text)
        monkeypatch.setattr("huggingface_hub.repocard.get_session", redirecting(hub.url))
        card.validate(repo_type="dataset")
        assert hub.count("POST /api/validate-yaml") == 1
    assert card.data.license == "cc-by-4.0"


def redirecting(endpoint: str) -> object:
    """Give the client's session, led to another Hub: the address of this one call is fixed."""
    from huggingface_hub.utils import get_session

    class Session:
        def post(self, url: str, **more: object) -> object:
            where = endpoint + url[url.index("/api/") :]
            return get_session().post(where, **more)  # type: ignore[arg-type]

    return Session


def test_names_from_traffic_are_no_markup(facts: Facts) -> None:
    """A model called `<script>` and a tool with a pipe cannot break a table or a page."""
    text = write_card(facts)
    assert "`<script>`" in text
    assert "`read¦file'`" in text
    for drawn in plots_of(facts.summary).values():
        assert "<script>" not in drawn


def test_every_plot_is_shown_and_drawn(facts: Facts) -> None:
    """The card shows exactly the pictures that come with it."""
    text = write_card(facts)
    for path in plots_of(facts.summary):
        assert f"({path})" in text
    assert text.count("](assets/") == len(plots_of(facts.summary)) == 5


def test_what_people_wrote_above_stays(facts: Facts) -> None:
    """Writing the card again keeps the words over the mark, and nothing else of the old one."""
    first = write_card(facts, above="# Our chats\n\nFrom the lab.")
    above = written_above(first)
    assert above == "# Our chats\n\nFrom the lab."
    assert write_card(facts, above=above) == first
    assert written_above("# somebody else's") is None
    assert MARK in first


def test_summaries_add_up_and_survive_json() -> None:
    """Counts of two contributions are the counts of both; a stranger's nonsense is left out."""
    total = Summary()
    total.add(summarise("messages", [row()]))
    total.add(read_summary(summarise("messages", [row(), row()]).to_json()))
    assert total.rows == {"messages": 3}
    assert total.turns == {"2": 3}
    assert total.tokens == {"2": 3}
    assert total.months == {"2026-11": 3}
    assert read_summary({"models": {"x": "many"}, "tools": 3, "conversations": "all"}) == Summary()


def test_licenses_and_sizes() -> None:
    """An unknown license names the known ones; size categories are the Hub's."""
    with pytest.raises(DatasetError, match=r"'gpl'.*apache-2\.0"):
        check_license("gpl")
    assert [size_of(n) for n in (0, 999, 1000, 2_000_000)] == [
        "n<1K",
        "n<1K",
        "1K<n<10K",
        "1M<n<10M",
    ]


@pytest.mark.parametrize(
    ("shapes", "loaded", "trainer"),
    [
        ((("alpaca", "leaf"), ("messages", "leaf")), "messages", "SFTTrainer"),
        ((("kto", "turn"),), "kto", "KTOTrainer"),
        ((("log", "exchange"), ("preference", "pair")), "preference", "DPOTrainer"),
        ((("log", "exchange"),), "log", None),
    ],
)
def test_the_example_trains_on_rows_that_its_trainer_takes(
    shapes: tuple[tuple[str, str], ...], loaded: str, trainer: str | None
) -> None:
    """The rows that are loaded are those of the trainer that is named."""
    every = tuple([Shape(name, unit, ("train",), "jsonl") for name, unit in shapes])
    card = write_card(Facts("org/data", "mit", Summary(), every))
    assert f'load_dataset("org/data", "{loaded}", split="train")' in card
    assert (f"{trainer}(" in card) if trainer else ("Trainer" not in card)


def test_labels_fit_beside_their_bars() -> None:
    """They are cut by how wide they are."""
    drawn = bars("t", [("W" * 40, 1), ("漢" * 40, 1), ("short", 1)])
    assert ">" + "W" * 23 + "…<" in drawn
    assert ">" + "漢" * 11 + "…<" in drawn
    assert ">short<" in drawn
