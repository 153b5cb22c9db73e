"""Contamination: tests found in conversations, whatever file they are in."""

# ruff: noqa: RUF001 -- letters of other scripts are part of this
from __future__ import annotations

import csv
import json
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.filtered import answer, example, gives, says, user

from dolphin_logger.curate import contamination
from dolphin_logger.curate.contamination import Contamination, Settings, make, runs_of, texts_in
from dolphin_logger.curate.said import words_of
from dolphin_logger.errors import DatasetError

QUESTION = (
    "Natalia sold clips to forty-eight of her friends in April, and then she sold half as many clips"
    " in May; how many did she sell altogether in April and May?"
)
OTHER = "A farmer has seventeen sheep, and all but nine of them run away one night: how many are left to him?"


def _made(path: Path, **settings: Any) -> Contamination:
    made = make(Settings(files=(str(path),), **settings))
    assert made is not None
    return made


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    elif path.suffix == ".json":
        path.write_text(json.dumps({"version": 1, "examples": rows}))
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            lines = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            lines.writerows([row.values() for row in rows])
    elif path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        path.write_text("\n\n".join(" ".join(map(str, row.values())) for row in rows))
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "tsv", "parquet", "txt", "md"])
def test_a_test_is_found_from_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    """The keys of rows do not matter, nor does the form."""
    rows = [{"id": "1", "wherever": QUESTION, "n": 5}, {"id": "2", "wherever": OTHER, "n": 6}]
    made = _made(_write(tmp_path / f"gsm.{suffix}", rows))
    reason = made.reason(example(user("Solve: " + QUESTION), says("72")))
    assert reason is not None
    assert reason.endswith("are in gsm." + suffix + ", at most 0.0%")
    assert made.reason(example(user(OTHER.replace("farmer", "shepherd")), says("9"))) is not None
    assert made.reason(example(user("How many clips did she sell?"), says("Many. " * 40))) is None


def test_the_reason_counts_runs(tmp_path: Path) -> None:
    """Share and file are told, and the limit is a share."""
    path = _write(tmp_path / "tests.jsonl", [{"question": QUESTION}])
    words = len(words_of(QUESTION))
    asked = example(user(QUESTION + " word" * 30), says("72"))
    hits, runs = words - 12, words + 30 - 12 + 1  # the answer is one
    assert _made(path).reason(asked) == (
        f"{hits} of {runs} runs of 13 words ({hits / runs:.1%}) are in tests.jsonl, at most 0.0%"
    )
    assert _made(path, most=0.9).reason(asked) is None
    assert _made(path, most=0.1).reason(asked) is not None


def test_of_two_files_the_one_with_more_is_named(tmp_path: Path) -> None:
    """Each run belongs to the file that has it."""
    files = [
        _write(tmp_path / f"{at}.jsonl", [{"q": text}]) for at, text in enumerate([OTHER, QUESTION])
    ]
    made = make(Settings(files=tuple(map(str, files))))
    assert made is not None
    assert "in 1.jsonl" in str(made.reason(answer(QUESTION)))
    assert "in 0.jsonl" in str(made.reason(answer(OTHER)))


@pytest.mark.parametrize(
    "said",
    [
        QUESTION.upper(),
        QUESTION.replace(" ", "\n  "),
        QUESTION.replace(",", " --").replace(";", "!"),
        f"**{QUESTION}**",
    ],
)
def test_case_spaces_and_punctuation_do_not_hide_it(tmp_path: Path, said: str) -> None:
    """Words are compared, not characters."""
    made = _made(_write(tmp_path / "t.txt", [{"q": QUESTION}]))
    assert made.reason(answer(said)) is not None


def test_all_that_was_said_and_thought_is_looked_at(tmp_path: Path) -> None:
    """People's words, the model's and its thoughts count; instructions and results of tools do not."""
    made = _made(_write(tmp_path / "t.txt", [{"q": QUESTION}]))
    assert made.reason(example(user("a"), says("b", reasoning_content=QUESTION))) is not None
    system = {"role": "system", "content": QUESTION}
    assert made.reason(example(system, user("a"), gives(QUESTION), says("b"))) is None


def test_short_tests_count_as_a_whole(tmp_path: Path) -> None:
    """A question of eight to twelve words is found whole; a word of an answer is not looked for."""
    path = _write(
        tmp_path / "t.jsonl",
        [{"q": "Which of these eight planets is the hottest one?", "a": "Venus"}],
    )
    made = _made(path)
    assert made.reason(answer("Which of these eight planets is the hottest one? Venus")) is not None
    assert made.reason(answer("Which of these eight planets is the largest one? Venus")) is None


def test_chinese_tests_are_found(tmp_path: Path) -> None:
    """Without spaces, characters are what is compared."""
    made = _made(
        _write(tmp_path / "t.jsonl", [{"q": "小明有三个苹果他又买了五个苹果请问一共有几个"}])
    )
    assert (
        made.reason(answer("题目：小明有三个苹果，他又买了五个苹果。请问一共有几个？")) is not None
    )
    assert made.reason(answer("小明有三个苹果。")) is None


def test_every_run_is_kept_and_no_other(tmp_path: Path) -> None:
    """Ten thousand runs are found again after the table has grown, and none that was not there."""
    rng = random.Random(1)
    text = " ".join(f"w{rng.randrange(5000)}" for _ in range(10_000))
    made = _made(_write(tmp_path / "t.txt", [{"q": text}]))
    words = text.split()
    for at in range(0, len(words) - 13, 97):
        assert made.reason(answer(" ".join(words[at : at + 13]))) is not None
        swapped = [*words[at : at + 12], "never"]
        assert made.reason(answer(" ".join(swapped))) is None


def test_hashes_are_the_same_in_every_process(tmp_path: Path) -> None:
    """They are handed to workers as they are, so no hash may depend on the process."""
    made = _made(_write(tmp_path / "t.txt", [{"q": QUESTION}]))
    assert pickle.loads(pickle.dumps(made)).reason(answer(QUESTION)) is not None
    program = "from dolphin_logger.curate.contamination import runs_of; print(list(runs_of(['a', 'b', 'c'], 2)))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {f"{list(runs_of(['a', 'b', 'c'], 2))}\n"}


def test_too_many_runs_are_refused_before_memory_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is told, with the cure."""
    monkeypatch.setattr(contamination, "_MOST_RUNS", 100)
    path = _write(tmp_path / "t.txt", [{"q": " ".join(map(str, range(500)))}])
    with pytest.raises(DatasetError, match="more than 100 runs of words; name fewer files"):
        _made(path)


def test_a_long_field_of_a_table_is_read(tmp_path: Path) -> None:
    """Python's own limit of 128 KiB a field does not stop it."""
    path = _write(tmp_path / "t.csv", [{"q": "word " * 50_000}])
    assert len(next(texts_in(path))) == 250_000


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("a.jsonl", b'{"q": "x"}\n{"q"', "a.jsonl line 2 is no JSON"),
        ("a.json", b"{", "a.json is no JSON"),
        ("a.txt", b"\xff\xfe\x00", "a.txt cannot be read"),
        ("a.parquet", b"no parquet", "a.parquet is no Parquet file"),
        ("a.txt", b"too short", "a.txt has no text of 8 words or more"),
        ("missing.txt", None, "missing.txt cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, written: bytes | None, message: str
) -> None:
    """A recipe whose tests cannot be read builds nothing, rather than too much."""
    if written is not None:
        (tmp_path / name).write_bytes(written)
    with pytest.raises(DatasetError, match=message):
        _made(tmp_path / name)


@pytest.mark.parametrize("settings", [{"words": 2}, {"most": 1.0}, {"most": -0.1}])
def test_settings_out_of_range_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Two words are in every text, and the whole of an example is never refused."""
    with pytest.raises(DatasetError, match=r"contamination\.(words|most)"):
        _made(tmp_path / "t.txt", **settings)
    assert make(Settings()) is None
