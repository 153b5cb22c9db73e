"""From sessions to trainers: of real clients, of other tools, of made-up worlds, in every shape."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.curate.check import checks_of, find_dataset, run_checks
from dolphin_logger.curate.kit import redactors_of
from dolphin_logger.curate.manifest import Manifest
from dolphin_logger.curate.redaction import Cleaner
from dolphin_logger.exporters import EXPORTERS
from dolphin_logger.journal.home import Home
from tests.support import session_homes
from tests.support.built import label, make, recipe, rows
from tests.support.curated import leaves, surveyed
from tests.support.rendering import render
from tests.support.stored import load

trl = pytest.importorskip("trl.data_utils")
HOMES = {
    "clients": session_homes.record_clients,
    "imports": session_homes.import_sessions,
    "world": session_homes.record_world,
}
# of traces, besides pi: every session of the clients has sub-agents, which sts has no place for
FLAVOURS = {"clients": (), "imports": ("sts", "native"), "world": ("sts",)}
BARE = [name for name, exporter in EXPORTERS.items() if not exporter.columns]
EMPTY = {"preference", "openai-dpo", "alpaca"}  # of clients: nobody asked twice, and all have tools
COSTLY = ("loading", "templates")  # once for a home; files of all forms are loaded elsewhere
Built = dict[str, Manifest]


@pytest.fixture(scope="module", params=HOMES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build every shape of a home once: JSON lines, Parquet, and the other flavours of traces."""
    folder = tmp_path_factory.mktemp(request.param)
    home = folder / "home"
    HOMES[request.param](home)
    rated = leaves(surveyed(Home(home)))
    for number, record in enumerate(rated[:8]):
        label(home, record, "rating", 5 if number % 2 else 1)
    wanted = {"selection": {"imported": True, "rating": 1}}
    columns = [name for name in EXPORTERS if name not in BARE]
    made = {
        "jsonl": make(home, recipe(exports=list(EXPORTERS), **wanted), name="jsonl"),
        "parquet": make(home, recipe(exports=columns, format="parquet", **wanted), name="parquet"),
    }
    for flavour in FLAVOURS[request.param]:
        told = recipe(exports=["traces"], flavour=flavour, **wanted)
        made[flavour] = make(home, told, name=flavour)
    return made


def _count(manifest: Manifest) -> dict[str, int]:
    return {
        export["name"]: sum(file["rows"] for file in export["files"])
        for export in manifest.fields["exports"]
    }


def _home(built: Built) -> Path:
    return built["jsonl"].folder.parents[1]


def _is_of_clients(built: Built) -> bool:
    return _home(built).parent.name.startswith("clients")


def test_every_shape_has_rows(built: Built) -> None:
    """Each shape is there, in both forms with as many rows; what is missing was never said."""
    counts = _count(built["jsonl"])
    assert list(counts) == list(EXPORTERS)
    assert {name: counts[name] for name in _count(built["parquet"])} == _count(built["parquet"])
    empty = {name for name, count in counts.items() if not count}
    assert empty == (EMPTY if _is_of_clients(built) else set())


def test_datasets_gives_back_every_row(built: Built, tmp_path: Path) -> None:
    """`datasets`, offline, reads each row of both forms as it was written; each file of traces is a session."""
    asked = [
        (form, name)
        for form, manifest in built.items()
        for name, count in _count(manifest).items()
        if count
    ]
    patterns = [
        built[form].folder / "data" / name / f"*.{'parquet' if form == 'parquet' else 'jsonl'}"
        for form, name in asked
    ]
    for (form, name), (_, found) in zip(asked, load(tmp_path, *patterns), strict=True):
        if EXPORTERS[name].is_file_each:
            assert len(found) == len(list((built[form].folder / "data" / name).iterdir())), form
            continue
        lines = rows(built["jsonl"], name)
        assert _read_again(found) == _read_again(lines), (form, name)


def _read_again(written: list[dict[str, Any]]) -> Any:
    """Give rows as all readers see them: `datasets` errs in the last digit, and has a cell in every column."""
    text = json.dumps([{k: v for k, v in row.items() if v is not None} for row in written])
    return json.loads(text, parse_float=lambda number: float(f"{float(number):.15g}"))


def test_the_check_finds_nothing(built: Built) -> None:
    """`dataset check` holds every dataset against all of its rules, and is content."""
    cleaner = Cleaner(redactors_of(recipe(), secrets=()), key=bytes(32))

    def scan(row: Any) -> list[tuple[str, str]]:
        return [(found.path, found.rule) for found in cleaner.scan(row)]

    for form, manifest in built.items():
        dataset = find_dataset(Home(_home(built)), manifest.folder.name)
        checks = checks_of(dataset, scan=scan)
        results = list(run_checks(checks, without=() if form == "jsonl" else COSTLY))
        assert [(one.name, one.problems) for one in results if one.is_failed] == [], form


@pytest.mark.parametrize("name", ["messages", "turns"])
@pytest.mark.parametrize("family", ["qwen3", "qwen3_6", "glm4moe", "lfm2_2_5", "nemotron_3_nano"])
def test_trl_renders_every_row(built: Built, name: str, family: str) -> None:
    """What TRL's trainers make of a row holds every word and every call in it, in order."""
    for row in rows(built["jsonl"], name):
        assert trl.is_conversational(row)
        rendered = render(row, family)
        text = "".join(rendered.get(part, "") for part in ("text", "prompt", "completion"))
        said = row["messages"] if name == "messages" else [*row["prompt"], *row["completion"]]
        at = 0
        for chat in said:
            words = chat["content"].rpartition("</think>")[2].strip()  # families cut thoughts out
            at = text.index(words, at) + len(words)
            assert all(call["function"]["name"] in text for call in chat.get("tool_calls", ()))


def test_every_leaf_is_a_conversation_and_nothing_is_doubled(built: Built) -> None:
    """Every leaf that was chosen is a row of each shape of conversations, or says why; none is twice."""
    lines = (built["jsonl"].folder / "local" / "rejected.jsonl").read_bytes().splitlines()
    rejected = [json.loads(line) for line in lines]
    out = {
        one["piece"]
        for one in rejected
        if one["stage"] != "shape" and one.get("unit", "leaf") == "leaf"
    }
    unfit = Counter((one["export"], one["reason"]) for one in rejected if one["stage"] == "shape")
    assert {pair for pair in unfit if pair[0] != "kto"} <= {("alpaca", "has tools")}
    wanted = set(leaves(surveyed(Home(_home(built))))) - out
    for name in ("messages", "vision", "sharegpt", "chatml"):
        written = rows(built["jsonl"], name)
        found = [row.get("record") or row["metadata"]["record"] for row in written]
        assert set(found) == wanted, name
        assert len(found) == len(set(found)), name


def test_calls_and_their_results_are_in_order(built: Built) -> None:
    """Behind each call stands its result before anybody speaks again; only who cuts histories has others."""
    for row in rows(built["jsonl"], "messages"):
        waiting: list[str] = []
        for chat in row["messages"]:
            if chat["role"] == "tool":
                waiting.remove(chat["tool_call_id"])
            else:
                assert waiting == [], row["metadata"]["record"]
                waiting = [call["id"] for call in chat.get("tool_calls", ())]


@pytest.mark.parametrize("built", ["clients"], indirect=True)
def test_real_clients_are_there_with_their_helpers_and_thoughts(built: Built) -> None:
    """A session is its main conversation and each helper's, thoughts kept, and every answer once a turn."""
    whole, turns = rows(built["jsonl"], "messages"), rows(built["jsonl"], "turns")
    ends = Counter(row["metadata"]["conversation"] for row in whole)
    assert sorted(ends.values()) == [2, 2, 2, 2, 3]
    answered = Counter(row["metadata"]["client"] for row in turns)
    assert answered == {"claude-code": 8, "codex": 15, "gemini-cli": 6, "opencode": 6}
    thinking = {
        row["metadata"]["client"] for row in turns if "reasoning_content" in row["completion"][0]
    }
    assert thinking == {
        "claude-code",
        "codex",
        "opencode",
    }  # gemini-cli does not send thoughts back
    for row in whole:
        assert row["messages"][0]["role"] == "system"
        assert [chat["role"] for chat in row["messages"]].count("system") == 1
        assert "TASK-" in str(row["messages"][1:3]) or "[encrypted_content]" in str(row["messages"])
        assert row["tools"]
        assert row["metadata"]["models"]
    data = b"".join(path.read_bytes() for path in built["jsonl"].folder.rglob("data/*/*.jsonl"))
    assert b"All is done." in data
    for name in (b"device_id", b"installation_id", b"client_metadata"):
        assert name not in data
