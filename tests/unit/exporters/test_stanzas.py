"""What stands beside rows for trainers: nothing that a trainer would misread."""

from __future__ import annotations

import json

import pytest

from dolphin_logger.curate.check import axolotl
from dolphin_logger.exporters._stanzas import stanzas_of
from dolphin_logger.exporters.atif import Atif
from dolphin_logger.exporters.traces import Traces

FILES = {"train": ["train-00000-of-00001.parquet"], "validation": ["validation.jsonl"]}


@pytest.mark.parametrize(
    ("name", "field"), [("messages", "messages"), ("openai", "messages"), ("preference", "prompt")]
)
def test_shapes_of_messages_have_an_axolotl_stanza_alone(name: str, field: str) -> None:
    """LLaMA-Factory reads none of them whole, so it is told of none."""
    beside = stanzas_of(name, FILES)
    assert set(beside) == {"axolotl.yaml"}
    read = axolotl.stanza(beside["axolotl.yaml"])
    assert [(item["path"], item["ds_type"]) for item in read["datasets"]] == [
        ("train-00000-of-00001.parquet", "parquet")
    ]
    (item,) = read["test_datasets"]
    assert (item["path"], item["ds_type"], item["split"]) == ("validation.jsonl", "json", "train")
    assert item["field_messages"] == field
    assert read.get("rl") == ("dpo" if name == "preference" else None)


def test_shapes_that_no_trainer_reads_have_nothing_beside_them() -> None:
    """Ratings of message lists, records, traces and trajectories have no stanza."""
    for name in ("kto", "turns", "log", "openai-dpo"):
        assert stanzas_of(name, FILES) == {}
    assert Traces().beside(FILES) == Atif().beside(FILES) == {}


def test_a_split_without_files_is_not_named() -> None:
    """Without validation there is neither an entry nor a stanza for it."""
    beside = stanzas_of("alpaca", {"train": ["t.jsonl"], "validation": []})
    assert list(json.loads(beside["dataset_info.json"])) == ["alpaca_train"]
    assert "test_datasets" not in beside["axolotl.yaml"]
