"""From what was recorded and imported to the files of a dataset."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from dolphin_logger.curate.recipes import built_in, find_recipe
from dolphin_logger.errors import DatasetError
from tests.support.built import (
    AGAIN,
    CONFIG_KEY,
    CONVERSATIONS,
    ENDS,
    IMPORTED,
    PLANTED_KEY,
    Chat,
    command,
    label,
    make,
    recipe,
    record,
    rejected,
    rows,
    selecting,
    tree,
)

SFT = find_recipe("sft").recipe
Recorded = tuple[Path, dict[str, Chat]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record a home once for all tests."""
    home = tmp_path_factory.mktemp("recorded") / "home"
    return home, record(home)


@pytest.fixture
def copy(recorded: Recorded, tmp_path: Path) -> Callable[[], Recorded]:
    """Give the home to one test."""

    def give() -> Recorded:
        shutil.copytree(recorded[0], tmp_path / "copied")
        return tmp_path / "copied", recorded[1]

    return give


def _texts(row: dict[str, list[dict[str, str]]]) -> list[str]:
    return [chat["content"] for chat in row["messages"]]


def test_a_command_builds_rows_and_says_where(copy: Callable[[], Recorded]) -> None:
    """Each conversation is a row with what was said in it; the manifest has the sums of its files."""
    home, _ = copy()
    done = command(home, "build", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    folder = home / "datasets" / "sft"
    assert told["folder"] == str(folder)
    (written,) = told["exports"][0]["files"]
    data = (folder / written["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == written["sha256"]
    found = [_texts(json.loads(line)) for line in data.splitlines()]
    assert len(found) == told["counts"]["rows"] == written["rows"] == ENDS
    assert [
        "What is chat 0?",
        "Answer 1 to: What is chat 0?",
        "And what comes after chat 0?",
        "Answer 1 to: And what comes after chat 0?",
    ] in found
    assert json.loads((folder / "manifest.json").read_bytes()) == {
        key: value for key, value in told.items() if key not in ("folder", "schema_version")
    }
    assert told["models"] == ["m"]
    assert told["providers"] == ["openai"]
    assert len(told["conversations"]) == CONVERSATIONS
    listed = json.loads(command(home, "ls", "--json").stdout)["datasets"]
    assert [(one["name"], one["rows"], one["publishable"]) for one in listed] == [
        ("sft", ENDS, True)
    ]


def test_nobody_else_can_read_a_dataset(copy: Callable[[], Recorded]) -> None:
    """Folders are 0700 and files 0600; nothing of the work is left."""
    home, _ = copy()
    manifest = make(home, SFT)
    for path in [manifest.folder, *manifest.folder.rglob("*"), home / "datasets" / "key"]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    assert sorted(path.name for path in (home / "datasets").iterdir()) == ["d", "key"]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_any_number_of_workers_gives_the_same_bytes(
    copy: Callable[[], Recorded], form: str
) -> None:
    """One process, two and a second time: every file has the same bytes."""
    home, _ = copy()
    wanted = recipe(
        exports=["messages", "turns", "preference", "log", "atif"], format=form, validation=0.4
    )
    first = tree(make(home, wanted).folder)
    assert tree(make(home, wanted, workers=2).folder) == first
    assert tree(make(home, wanted, fresh=True).folder) == first
    assert len(first) > 8


def test_what_is_left_out_has_a_reason(copy: Callable[[], Recorded]) -> None:
    """A failure, an imported session and a poor answer are in no row, and each says why."""
    home, chats = copy()
    label(home, chats["chat 1"].ids[1], "rating", 1)
    manifest = make(home, SFT)
    reasons = rejected(manifest)
    assert reasons[chats["failing"].ids[0]] == "outcome provider_error"
    assert reasons[chats["chat 1"].ids[1]] == "rating"
    assert list(reasons.values()).count("imported") == IMPORTED
    assert not any("chat 1?" in str(row) for row in rows(manifest, "messages"))
    assert manifest.fields["counts"]["rejected"]["selection: rating"] == 1


def test_imported_sessions_come_when_they_are_asked_for(copy: Callable[[], Recorded]) -> None:
    """A recipe that wants imported sessions has them, as rows and as a session's file."""
    home, _ = copy()
    wanted = recipe(exports=["messages", "traces"], selection={"imported": True})
    manifest = make(home, wanted)
    sources = [row["metadata"]["source"] for row in rows(manifest, "messages")]
    assert sources.count("claude-code") == 1
    assert sources.count(None) == ENDS
    traces = list((manifest.folder / "data" / "traces").glob("train-*.jsonl"))
    assert len(traces) == CONVERSATIONS + 1


def test_a_dropped_record_is_in_nothing(copy: Callable[[], Recorded]) -> None:
    """What was dropped is neither an answer nor in the history of a later one, whatever the shape."""
    home, chats = copy()
    label(home, chats["chat 2"].ids[0], "drop")
    wanted = recipe(exports=["messages", "turns", "log", "traces", "atif", "preference", "kto"])
    manifest = make(home, wanted)
    data = b"".join(tree(manifest.folder / "data").values())
    assert b"chat 2" not in data
    assert b"chat 3" in data
    reasons = rejected(manifest)
    assert reasons[chats["chat 2"].ids[0]] == "dropped"
    assert reasons[chats["chat 2"].ids[1]] == "dropped"  # the conversation's first is all of it


def test_a_dropped_answer_takes_what_came_after_it(copy: Callable[[], Recorded]) -> None:
    """Of a conversation whose last turn was dropped the turns before stay."""
    home, chats = copy()
    label(home, chats["chat 3"].ids[1], "drop")
    manifest = make(home, recipe(exports=["turns", "messages"]))
    prompts = [row["prompt"][-1]["content"] for row in rows(manifest, "turns")]
    assert "What is chat 3?" in prompts
    assert "And what comes after chat 3?" not in prompts


def test_a_poor_answer_spoils_the_conversation_but_not_what_came_after(
    copy: Callable[[], Recorded],
) -> None:
    """No whole conversation has a poor answer in it; a later answer may stand alone behind it."""
    home, chats = copy()
    label(home, chats["again"].ids[1], "rating", 2)
    manifest = make(home, recipe(exports=["messages", "turns", "kto"]))
    assert rejected(manifest)[chats["again"].ids[2]] == "rating of history"
    whole = [row["metadata"]["record"] for row in rows(manifest, "messages")]
    alone = [row["metadata"]["record"] for row in rows(manifest, "turns")]
    assert chats["again"].ids[2] not in whole
    assert chats["again"].ids[2] in alone
    assert chats["again"].ids[1] not in alone
    (verdict,) = rows(manifest, "kto")
    assert (verdict["label"], verdict["metadata"]["record"]) == (False, chats["again"].ids[1])


def test_keep_says_more_than_a_rating(copy: Callable[[], Recorded]) -> None:
    """What somebody rated low and marked as worth keeping is there."""
    home, chats = copy()
    label(home, chats["chat 4"].ids[1], "rating", 1)
    label(home, chats["chat 4"].ids[1], "keep")
    manifest = make(home, SFT)
    (row,) = [row for row in rows(manifest, "messages") if "chat 4" in str(row)]
    assert row["metadata"]["rating"] == 1
    only = make(home, selecting(SFT, only_kept=True))
    assert len(rows(only, "messages")) == 1


def test_an_edit_stands_in_every_row(copy: Callable[[], Recorded]) -> None:
    """What a person wrote in the place of an answer is there, also in the history of the next one."""
    home, chats = copy()
    label(home, chats["chat 5"].ids[0], "edit", {"text": "Edited!"}, message=1)
    manifest = make(home, recipe(exports=["messages", "turns", "preference"]))
    data = b"".join(tree(manifest.folder / "data" / "messages").values())
    assert b"Answer 1 to: What is chat 5?" not in data
    (row,) = [row for row in rows(manifest, "messages") if "chat 5" in str(row)]
    assert _texts(row)[1] == "Edited!"
    pairs = [row for row in rows(manifest, "preference") if row["signal"] in ("edit", "label")]
    assert [row["chosen"][0]["content"] for row in pairs] == ["Edited!"]


def test_marked_text_is_gone_everywhere(copy: Callable[[], Recorded]) -> None:
    """A text that was marked, and a span that was, are in no file of the dataset."""
    home, chats = copy()
    label(home, chats["chat 0"].ids[0], "redact", {"text": "comes after"})
    label(home, chats["chat 1"].ids[1], "redact", {"start": 0, "end": 11}, message=0)
    manifest = make(home, recipe(exports=["messages", "turns", "log", "traces"]))
    data = b"".join(tree(manifest.folder).values())
    assert b"comes after chat 0" not in data
    assert b"What is chat 0" in data
    assert b"What is cha" not in b"".join(
        line for line in data.splitlines() if chats["chat 1"].ids[0].encode() in line
    )


def test_a_mark_that_names_nothing_holds_the_conversation_back(
    copy: Callable[[], Recorded],
) -> None:
    """A span that lies outside of its message lets nothing of its conversation leave."""
    home, chats = copy()
    label(home, chats["chat 1"].ids[1], "redact", {"start": 900, "end": 911}, message=0)
    manifest = make(home, SFT)
    assert not any("chat 1" in str(row) for row in rows(manifest, "messages"))
    assert "redact" in rejected(manifest)[chats["chat 1"].ids[1]]


def test_keys_are_in_no_file(copy: Callable[[], Recorded]) -> None:
    """Neither a planted key nor the configuration's own is in any file; each is a finding."""
    home, _ = copy()
    manifest = make(home, recipe(exports=["messages", "turns", "log", "traces"]))
    for name, data in tree(manifest.folder).items():
        for secret in (PLANTED_KEY, CONFIG_KEY, "jo@corp.dev"):
            assert secret.encode() not in data, name
    assert b"does not work" in b"".join(tree(manifest.folder / "data").values())
    assert (
        manifest.fields["findings"]["known-secret"] == 2 * 4
    )  # in question and answer, in each shape
    found = (manifest.folder / "local" / "findings.jsonl").read_text()
    assert "known-secret" in found


def test_a_canary_stops_the_build(copy: Callable[[], Recorded], tmp_path: Path) -> None:
    """A string that must never appear ends the build with exit code 6; nothing is left of it."""
    home, _ = copy()
    path = tmp_path / "mine.toml"
    path.write_text('extends = "sft"\n[redaction]\ncanaries = ["comes after chat 4"]\n')
    for workers in ("1", "2"):
        done = command(home, "build", str(path), "--workers", workers)
        assert done.returncode == 6, done.stderr
        assert "comes after" not in done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        assert [one.name for one in (home / "datasets").iterdir()] == ["key"]


def test_a_regeneration_is_a_pair(copy: Callable[[], Recorded]) -> None:
    """Of two answers to the same question the one that was gone on from is the better one."""
    home, chats = copy()
    manifest = make(home, find_recipe("preference").recipe)
    (pair,) = rows(manifest, "preference")
    assert pair["prompt"][-1]["content"] == AGAIN
    assert pair["chosen"][0]["content"] == f"Answer 2 to: {AGAIN}"
    assert pair["rejected"][0]["content"] == f"Answer 1 to: {AGAIN}"
    assert pair["metadata"]["chosen_record"] == chats["again"].ids[1]
    label(home, chats["again"].ids[0], "drop", message=1)
    with pytest.raises(DatasetError, match="nothing is left"):
        make(home, find_recipe("preference").recipe)


def test_a_conversation_is_in_one_split(copy: Callable[[], Recorded]) -> None:
    """Turns of a conversation are never on both sides; both sides have some."""
    home, _ = copy()
    manifest = make(home, recipe(exports=["turns", "messages"], validation=0.5))
    sides = {
        split: {
            row["metadata"]["conversation"]
            for export in ("turns", "messages")
            for path in (manifest.folder / "data" / export).glob(f"{split}-*")
            for row in map(json.loads, path.read_bytes().splitlines())
        }
        for split in ("train", "validation")
    }
    assert not sides["train"] & sides["validation"]
    assert len(sides["train"] | sides["validation"]) == CONVERSATIONS
    assert sides["train"]
    assert sides["validation"]


def test_parquet_says_what_json_lines_say(copy: Callable[[], Recorded]) -> None:
    """Columns of JSON come back from Parquet as the values that were written."""
    pytest.importorskip("pyarrow")
    import pyarrow
    import pyarrow.parquet

    home, _ = copy()
    plain = rows(make(home, SFT), "messages")
    manifest = make(home, recipe(format="parquet"), name="p")
    (path,) = (manifest.folder / "data" / "messages").glob("*.parquet")
    table = pyarrow.parquet.read_table(path)
    listed, lone = pyarrow.list_(pyarrow.json_()), pyarrow.json_()
    assert table.schema.types == [listed, listed, lone]
    said = [
        {
            "messages": [json.loads(one) for one in row["messages"]],
            "tools": [json.loads(one) for one in row["tools"]],
            "metadata": json.loads(row["metadata"]),
        }
        for row in table.to_pylist()
    ]
    assert said == plain


def test_a_query_chooses_conversations(copy: Callable[[], Recorded]) -> None:
    """Only what the index finds is in the dataset."""
    home, _ = copy()
    manifest = make(home, selecting(SFT, query='"chat 3"'))
    (row,) = rows(manifest, "messages")
    assert "What is chat 3?" in _texts(row)


def test_every_recipe_can_be_tried(copy: Callable[[], Recorded]) -> None:
    """Each recipe that comes with the program builds, or says that nothing is left."""
    home, _ = copy()
    for name in built_in():
        try:
            assert make(home, find_recipe(name).recipe, name=name).rows
        except DatasetError as error:
            assert "nothing is left" in str(error), name  # noqa: PT017 - either will do
    assert {path.name for path in (home / "datasets").iterdir()} >= {
        "sft",
        "turns",
        "preference",
        "agent-traces",
    }
