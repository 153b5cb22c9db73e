"""What is chosen is brought together by conversations, from segments of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.curated import gathered, record, surveyed
from tests.support.homes import write_segment
from tests.support.imported import bring
from tests.support.indexed import session
from tests.support.session_files import Sample, claude_code, jsonl, write

from dolphin_logger.curate import gather as gathering
from dolphin_logger.curate import workers
from dolphin_logger.curate.gather import gather, read_bucket
from dolphin_logger.journal.blobs import BlobWriter
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import StoredRecord, read_segment
from dolphin_logger.journal.seal import seal_segment
from dolphin_logger.journal.tombstones import Tombstone, write_tombstones


def home_of(folder: Path) -> Home:
    """Write sessions of three agents into three segments, side by side."""
    home = Home(folder / "home")
    made = [line for name in "abc" for _, line in session(name, turns=9, start=100 * ord(name))]
    for number in range(3):
        write_segment(home, number, *made[number::3])
    return home


def fields_of(home: Home) -> dict[str, Any]:
    """Read every record as the journal does."""
    found = [item for path in home.logs.iterdir() for item in read_segment(path)]
    return {item.id: item.fields for item in found if isinstance(item, StoredRecord)}


def test_each_conversation_is_whole_and_in_the_order_of_time(tmp_path: Path) -> None:
    """Every record comes with the fields that the journal gives, beside all others of its conversation."""
    home = home_of(tmp_path)
    found, known = surveyed(home), fields_of(home)
    made = gathered(home, found, known)
    assert len(made) == 3
    for one in made:
        records = list(one.records)
        assert [surveyed_.id for surveyed_, _ in records] == [near.id for near in one.around]
        assert list(one.around) == found.conversation(one.conversation)
        assert [fields for _, fields in records] == [known[near.id] for near in one.around]
        assert one.records[-1][0] == one.around[-1]
        assert [near.id for near, _ in one.records[1:3]] == [near.id for near in one.around[1:3]]


def test_what_is_not_wanted_is_not_there(tmp_path: Path) -> None:
    """Of a conversation only the chosen records have bodies; others none at all."""
    home = home_of(tmp_path)
    found = surveyed(home)
    leaves = [one.id for one in found if one.is_leaf]
    (made,) = gathered(home, found, leaves[:1])
    assert [one.id for one, _ in made.records] == leaves[:1]
    assert len(made.around) == 9


def test_cuts_seals_and_workers_change_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Buckets are the same whatever their segments look like and however many processes there are."""
    home = home_of(tmp_path)
    found = surveyed(home)
    wanted = [one.id for one in found]
    given: dict[str, Any] = {"buckets": 2, "advance": lambda _: None}
    whole = gather(home, found, wanted, spool=tmp_path / "a", workers=1, **given)
    monkeypatch.setattr(workers, "WORTH_IT", 0)
    monkeypatch.setattr(gathering, "_PART_BYTES", 5000)
    cut = gather(home, found, reversed(wanted), spool=tmp_path / "b", workers=2, **given)
    for path in list(home.logs.iterdir()):
        assert seal_segment(path, progress=lambda _: None)
    sealed = gather(home, surveyed(home), wanted, spool=tmp_path / "c", workers=1, **given)
    for paths in (cut, sealed):
        assert [path.name for path in paths] == [path.name for path in whole]
        assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in whole]


def test_a_finished_bucket_is_kept(tmp_path: Path) -> None:
    """What lies there already is neither read nor written again; other wishes make other buckets."""
    home = home_of(tmp_path)
    found = surveyed(home)
    wanted = [one.id for one in found]
    told: list[int] = []
    given: dict[str, Any] = {"spool": tmp_path / "s", "buckets": 10**6, "workers": 1}
    first = gather(home, found, wanted, advance=told.append, **given)
    assert sum(told) == sum(one.length for one in found)
    times = [path.stat().st_mtime_ns for path in first]
    first[0].unlink()
    told.clear()
    again = gather(home, found, wanted, advance=told.append, **given)
    assert again == first
    assert 0 < sum(told) < sum(one.length for one in found)
    assert [path.stat().st_mtime_ns for path in first[1:]] == times[1:]
    other = gather(home, found, wanted[:-1], advance=told.append, **given)
    assert other != first


def test_what_comes_unsaid_before_is_gathered_too(tmp_path: Path) -> None:
    """The last turn of a transcript brings the turns whose words it goes on from."""
    home = Home(tmp_path / "home")
    bring(home.path, write(tmp_path, Sample("claude-code", "s.jsonl", jsonl(claude_code()), ())))
    found = surveyed(home)
    first, last = found
    (made,) = gathered(home, found, [last.id])
    assert [one.id for one, _ in made.records] == [first.id, last.id]


def test_edited_records_come_along_with_their_conversation(tmp_path: Path) -> None:
    """A record of `along` is there where its conversation is wanted, and nowhere else."""
    home = home_of(tmp_path)
    found = surveyed(home)
    leaf = next(one for one in found if one.is_leaf)
    along = [one.id for one in found if one.messages == 1]
    (made,) = gathered(home, found, [leaf.id], along=along)
    assert [one.id for one, _ in made.records] == [made.around[0].id, leaf.id]
    assert len(along) == 3


def test_bodies_in_blobs_are_put_in(tmp_path: Path) -> None:
    """A record whose answer lies in a file of its own comes with the answer."""
    home = Home(tmp_path / "home")
    answer = {"choices": [{"message": {"role": "assistant", "content": "Teal."}}]}
    blob = BlobWriter(home.blobs)
    blob.write(json.dumps(answer).encode())
    reference = blob.commit(media_type="application/json")
    asked = {"messages": [{"role": "user", "content": "hi"}]}
    _, line = record(1, asked, json.loads(reference.to_json()))
    write_segment(home, 1, line)
    found = surveyed(home)
    (made,) = gathered(home, found, [one.id for one in found])
    assert made.records[0][1]["response"] == answer


def test_what_was_removed_since_the_survey_is_not_there(tmp_path: Path) -> None:
    """A tombstone holds at once, and a line that was erased is no record."""
    home = home_of(tmp_path)
    found = surveyed(home)
    first, second, *rest = found.conversation(next(iter(found)).id)
    write_tombstones(home, [Tombstone(first.id, "00")])
    path = home.logs / second.segment
    text = path.read_bytes()
    blank = b" " * (second.length - 1) + b"\n"
    path.write_bytes(text[: second.offset] + blank + text[second.offset + second.length :])
    (made,) = gathered(home, found, [one.id for one in (first, second, *rest)])
    assert [one.id for one, _ in made.records] == [one.id for one in rest]


def test_lines_of_the_original_program_have_the_shape_of_today(tmp_path: Path) -> None:
    """A line without an id comes with the id and the answer that the journal reads from it."""
    home = Home(tmp_path / "home")
    line = b'{"request":{"messages":[{"role":"user","content":"hi"}]},"response":"Teal."}\n'
    write_segment(home, 1, line)
    found = surveyed(home)
    (made,) = gathered(home, found, [one.id for one in found])
    ((one, fields),) = made.records
    assert fields["id"] == one.id
    assert fields["response"]["choices"][0]["message"]["content"] == "Teal."


def test_two_records_that_a_lost_newline_joined_are_both_there(tmp_path: Path) -> None:
    """A record behind another on one line is found by its place."""
    home = Home(tmp_path / "home")
    (_, one), (_, two) = session("a", turns=2)
    write_segment(home, 1, one.rstrip(b"\n"), two)
    found = surveyed(home)
    assert len(found) == 2
    (made,) = gathered(home, found, [near.id for near in found])
    assert [fields["id"] for _, fields in made.records] == [near.id for near in found]


def test_buckets_hold_conversations_in_sorted_order(tmp_path: Path) -> None:
    """Within a bucket conversations follow each other by their ids."""
    home = home_of(tmp_path)
    found = surveyed(home)
    (path,) = gather(
        home,
        found,
        [one.id for one in found],
        spool=tmp_path / "s",
        buckets=1,
        workers=1,
        advance=lambda _: None,
    )
    names = [one.conversation for one in read_bucket(path)]
    assert names == sorted({one.conversation for one in found})
