"""Reading a home: whose records, in which order, with which damage, without reading too much."""

from __future__ import annotations

import json
import os
import uuid
from itertools import islice
from pathlib import Path

import pytest

from dolphin_logger.errors import JournalError, RecordError
from dolphin_logger.exchange import Exchange, new_id
from dolphin_logger.journal import lines as cutting
from dolphin_logger.journal.follower import Follower
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import (
    BadLine,
    StoredRecord,
    body,
    find,
    line_bytes,
    newest,
    raw_bytes,
    read_home,
    read_segment,
    segments,
)
from dolphin_logger.journal.writer import Journal

SECOND = 10**9
NOW = 1_795_361_046 * SECOND  # 2026-11-22


def line(*, second: int = 0, model: str = "m", **fields: object) -> bytes:
    """Encode a record that began some seconds after NOW."""
    time_ns = NOW + second * SECOND
    base: dict[str, object] = {"id": new_id(time_ns), "time_ns": time_ns, "dialect": "openai.chat"}
    return encode(Exchange(**{**base, "path": "/", "model": model, **fields}), seq=1)  # type: ignore[arg-type]


def write(home: Home, name: str, *lines: bytes, second: int = 0) -> Path:
    """Write a segment whose file time is some seconds after NOW."""
    path = home.logs / name
    path.write_bytes(b"".join(lines))
    os.utime(path, ns=(NOW + second * SECOND,) * 2)
    return path


def models(items: object) -> list[str]:
    """Name the models of the records among some items."""
    return [item.fields["model"] for item in items if isinstance(item, StoredRecord)]  # type: ignore[attr-defined]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of its own."""
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def test_segments_in_order_of_time(home: Home) -> None:
    """The day in the name counts, else the file's; within a day the file's time; other files are not ours."""
    write(home, "2026-11-22_b.jsonl", second=5)
    write(home, "2026-11-22_a.jsonl", second=9)
    write(home, "2026-11-21_z.jsonl", second=99)
    write(home, f"{uuid.uuid4()}.jsonl", second=7)
    write(home, "notes.txt")
    (home.logs / "folder.jsonl").mkdir()
    names = [path.name for path in segments(home)]
    assert [names[0], names[1], names[3]] == [
        "2026-11-21_z.jsonl",
        "2026-11-22_b.jsonl",
        "2026-11-22_a.jsonl",
    ]


def test_no_home_is_no_records(tmp_path: Path) -> None:
    """A home that is not there has no records and is not created by reading."""
    home = Home(tmp_path / "nothing")
    assert list(read_home(home)) == []
    assert list(read_home(home, newest_first=True)) == []
    assert list(read_segment(home.logs / "x.jsonl")) == []
    assert not home.path.exists()


def test_unreadable_file_is_named(home: Home) -> None:
    """What cannot be opened is an error that names the file."""
    with pytest.raises(JournalError, match="logs: cannot be read"):
        list(read_segment(home.logs))


def test_offset_and_length(home: Home) -> None:
    """Each record says where it lies, and reading can go on from there."""
    path = write(
        home, "2026-11-22_a.jsonl", line(model="a"), b"\n", line(model="b"), line(model="c")
    )
    records = [item for item in read_segment(path) if isinstance(item, StoredRecord)]
    text = path.read_bytes()
    for record in records:
        assert text[record.offset : record.offset + record.length] == line_bytes(record) + b"\n"
    assert models(read_segment(path, offset=records[1].offset)) == ["b", "c"]


def test_damage_costs_no_other_record(home: Home) -> None:
    """A damaged line is reported with its place; what lies before and behind it is read."""
    damaged = line(model="lost").replace(b"lost", b"l0st")
    path = write(
        home,
        "2026-11-22_a.jsonl",
        line(model="a"),
        damaged,
        b"\0" * 4096 + b"\n",
        b"[1]\n",
        line(model="b"),
    )
    forwards = list(read_segment(path))
    assert models(forwards) == ["a", "b"]
    reasons = [item.reason for item in forwards if isinstance(item, BadLine)]
    assert len(reasons) == 3
    assert "CRC" in reasons[0]
    assert models(read_home(home, newest_first=True)) == ["b", "a"]


def test_records_joined_by_damage_are_saved(home: Home) -> None:
    """A lost newline, or a torn line that another was written behind, costs no whole record."""
    torn = line(model="torn")[:100]
    path = write(
        home,
        "2026-11-22_a.jsonl",
        line(model="a")[:-1] + b"\x0b" + line(model="b"),
        torn + line(model="c"),
    )
    items = list(read_segment(path))
    assert models(items) == ["a", "b", "c"]
    assert [item.incomplete for item in items if isinstance(item, BadLine)] == [False, False]
    for record in items:
        if isinstance(record, StoredRecord):
            assert find(home, record.id).fields == record.fields
    assert models(read_home(home, newest_first=True)) == ["c", "b", "a"]


def test_hostile_line_is_bounded_work(tmp_path: Path) -> None:
    """A damaged line full of beginnings and ends of records takes no quadratic time."""
    path = tmp_path / "hostile.jsonl"
    path.write_bytes(b'{"v":1,"id":"x"' * 200_000 + b',"crc":"00000000"}' * 200_000 + b"\n")
    (item,) = read_segment(path)
    assert isinstance(item, BadLine)


def test_endless_line_is_skipped(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than any record is skipped without holding it, in both directions."""
    monkeypatch.setattr(cutting, "LINE_LIMIT", 5000)
    monkeypatch.setattr(cutting, "_BLOCK", 512)
    path = write(
        home, "2026-11-22_a.jsonl", line(model="a"), b"x" * 20_000 + b"\n", line(model="b")
    )
    items = list(read_segment(path))
    assert models(items) == ["a", "b"]
    (bad,) = [item for item in items if isinstance(item, BadLine)]
    assert (bad.offset, bad.length) == (len(line(model="a")), 20_001)
    backwards = list(read_home(home, newest_first=True))
    assert models(backwards) == ["b", "a"]
    assert [item for item in backwards if isinstance(item, BadLine)] == [bad]


@pytest.mark.parametrize("block", [1, 7, 64, 700, 1 << 18])
def test_backwards_is_forwards_reversed(
    home: Home, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """Read from its end, a file gives the same lines at the same places, whatever the block size."""
    lines = [
        line(second=n, model=f"m{n}", request=b'{"x":"%s"}' % (b"y" * n * 90)) for n in range(9)
    ]
    write(
        home, "2026-11-22_a.jsonl", *lines[:4], b"\n\nrubbish\n", *lines[4:], b'{"v":1', second=99
    )
    forwards = list(read_home(home))
    monkeypatch.setattr(cutting, "_BLOCK", block)
    assert list(read_home(home, newest_first=True)) == forwards[::-1]


def test_newest_first_interleaves_processes(home: Home) -> None:
    """Records of processes that ran side by side come in the order of time."""
    write(home, "2026-11-22_a.jsonl", *(line(second=n, model=str(n)) for n in (1, 3, 5)), second=6)
    write(home, "2026-11-22_b.jsonl", *(line(second=n, model=str(n)) for n in (2, 4, 6)), second=7)
    write(home, "2026-11-21_c.jsonl", line(second=-90_000, model="old"), second=-90_000)
    assert models(read_home(home, newest_first=True)) == ["6", "5", "4", "3", "2", "1", "old"]


def test_clock_jump_keeps_the_order_of_a_file(home: Home) -> None:
    """Within a file the order of writing counts, not the clock."""
    write(
        home,
        "2026-11-22_a.jsonl",
        line(second=9, model="first"),
        line(second=1, model="second"),
        second=9,
    )
    assert models(read_home(home, newest_first=True)) == ["second", "first"]


def test_newest_reads_no_more_than_it_must(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest 20 of a large home need the end of the newest file only."""
    for day in range(10, 20):
        lines = [line(second=(day - 22) * 86_400 + n, model=f"{day}.{n}") for n in range(1000)]
        write(home, f"2026-11-{day}_a.jsonl", *lines, second=(day - 22) * 86_400 + 1000)
    read: list[tuple[str, int]] = []
    real_block = cutting.read_block

    def counted(path: Path, start: int, length: int) -> bytes:
        read.append((path.name, length))
        return real_block(path, start, length)

    monkeypatch.setattr(cutting, "read_block", counted)
    assert models(newest(home, count=20)) == [f"19.{n}" for n in range(999, 979, -1)]
    assert {name for name, _ in read} == {"2026-11-19_a.jsonl"}
    assert sum(length for _, length in read) <= cutting._BLOCK


def test_find(home: Home) -> None:
    """An id, or at least its last 8 characters, finds one record; else the error says what to do."""
    ids = ["019ab000-0000-7000-8000-00001234abcd", "019ab000-0000-7000-8000-00011234abcd", "x" * 20]
    write(home, "2026-11-21_a.jsonl", *(line(id=identity) for identity in ids[:2]))
    write(home, "2026-11-22_a.jsonl", line(id=ids[2]))
    assert find(home, ids[0]).id == ids[0]
    assert find(home, ids[1][-10:].upper()).id == ids[1]
    assert find(home, " xxxxxxxx\n").id == ids[2]
    with pytest.raises(RecordError, match=f"ambiguous.*{ids[0]}, {ids[1]}"):
        find(home, "1234abcd")
    with pytest.raises(RecordError, match="last 8 characters"):
        find(home, "234abcd")
    with pytest.raises(RecordError, match="dolphin-logger ls"):
        find(home, "99999999")


def test_original_files(home: Home) -> None:
    """Lines of the original program read as records whose id stays and whose time is called a guess."""
    request = {"model": "gpt4.1", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    whole = {"object": "chat.completion", "choices": []}
    lines = [
        json.dumps({"request": request, "response": answer}).encode()
        for answer in ("text", whole, None)
    ]
    path = write(home, "0b7c6f7e-8f43-4f0e-9a59-1c2d3e4f5a6b.jsonl", b"\n".join(lines))
    records = [item for item in read_segment(path) if isinstance(item, StoredRecord)]
    text, completion, nothing = (record.fields for record in records)

    assert text["response"]["choices"][0]["message"] == {"role": "assistant", "content": "text"}
    assert completion["response"] == whole
    assert nothing["response"] is None
    assert (text["model"], text["stream"], text["outcome"]) == ("gpt4.1", True, "completed")
    assert (text["time"], text["time_approximate"]) == ("2026-11-22T15:24:06.000000Z", True)
    assert text["usage"]["input_tokens"] is None
    assert {record.id for record in records} == {
        r.id for r in read_home(home) if isinstance(r, StoredRecord)
    }
    assert len({record.id for record in records}) == 3
    assert find(home, records[1].id[-8:]).fields == completion
    assert raw_bytes(records[0], "request") == json.dumps(request).encode()
    assert raw_bytes(records[0], "response") == b'"text"'
    today = set(json.loads(line(request=b"{}")))
    assert set(text) - {"time_approximate"} == today - {"crc"}


@pytest.mark.parametrize(
    "text", [b"{}", b'{"prompt":1}', b'{"v":0,"request":{}}', b'{"request":{},"crc":"x"}']
)
def test_neither_old_nor_new(tmp_path: Path, text: bytes) -> None:
    """A JSON object that is no record of any version is reported, not guessed at."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(text + b"\n")
    (item,) = read_segment(path)
    assert isinstance(item, BadLine)


def test_original_of_any_shape(tmp_path: Path) -> None:
    """Whatever the original was sent, its line becomes a record."""
    path = tmp_path / "x.jsonl"
    requests = [None, [], "x", 5, {"model": {"a": 1}}, {"model": 7, "stream": "yes"}]
    path.write_text("".join(json.dumps({"request": r, "response": [1]}) + "\n" for r in requests))
    records = [item for item in read_segment(path) if isinstance(item, StoredRecord)]
    assert [record.fields["request"] for record in records] == requests
    assert {record.fields["model"] for record in records} == {None}


def test_raw_bytes_come_before_the_text(home: Home) -> None:
    """The bytes kept beside the parsed view are the truth; without them the text in the line is."""
    Journal(home).append(
        Exchange(
            id="abcdefgh",
            time_ns=NOW,
            dialect="openai.chat",
            path="/",
            request=b'{"n": 123456789012345678901234567890, "n": 1.50}',
            response=b'{"parsed": true}',
            raw_response=b"data: \xff\n\n",
        )
    )
    (record,) = newest(home, count=1)
    assert isinstance(record, StoredRecord)
    assert raw_bytes(record, "request") == b'{"n": 123456789012345678901234567890, "n": 1.50}'
    assert raw_bytes(record, "response") == b"data: \xff\n\n"
    assert body(record, "response") == {"parsed": True}


def test_big_integers_are_exact(home: Home) -> None:
    """A body is parsed with every digit of its numbers."""
    write(home, "2026-11-22_a.jsonl", line(request=b'{"n":123456789012345678901234567890}'))
    (record,) = newest(home, count=1)
    assert isinstance(record, StoredRecord)
    assert body(record, "request") == {"n": 123456789012345678901234567890}


def test_no_body_is_an_error_that_says_so(home: Home) -> None:
    """A record without a body has no bytes to give."""
    write(home, "2026-11-22_a.jsonl", line(id="abcdefgh"))
    with pytest.raises(RecordError, match="no response body"):
        raw_bytes(find(home, "abcdefgh"), "response")


def test_follower_gives_each_record_once(home: Home) -> None:
    """New lines, new files and late ends of lines are given once; what was there before is not."""
    old = write(
        home,
        "2026-11-22_a.jsonl",
        line(second=1, model="old"),
        line(second=2, model="older")[:50],
        second=3,
    )
    follower = Follower(home)
    assert models(follower.latest(10)) == ["old"]
    assert list(follower.more()) == []

    half = line(model="new")
    old.write_bytes(line(second=1, model="old") + half[:50])
    assert list(follower.more()) == []
    old.write_bytes(line(second=1, model="old") + half + b"rubbish\n")
    assert [type(item) for item in follower.more()] == [StoredRecord, BadLine]
    write(home, "2026-11-23_b.jsonl", line(model="next day"))
    with old.open("ab") as file:
        file.write(line(model="late"))
    assert sorted(models(follower.more())) == ["late", "next day"]
    assert list(follower.more()) == []


def test_follower_gives_what_came_in_between_once(home: Home) -> None:
    """A record written between the start and the first look is new, not one of the latest."""
    journal = Journal(home)
    journal.append(Exchange(id="1", time_ns=NOW, dialect="d", path="/", model="before"))
    follower = Follower(home)
    journal.append(Exchange(id="2", time_ns=NOW, dialect="d", path="/", model="between"))
    assert models(follower.latest(10)) == ["before"]
    assert models(follower.more()) == ["between"]


def test_follower_survives_removal(home: Home) -> None:
    """A file or a whole folder that goes away is no error; what comes after is given."""
    first = write(home, "2026-11-22_a.jsonl", line(model="a"))
    follower = Follower(home)
    first.unlink()
    assert list(follower.more()) == []
    home.logs.rmdir()
    assert list(follower.more()) == []
    Journal(home).append(Exchange(id="n", time_ns=NOW, dialect="d", path="/", model="back"))
    assert models(follower.more()) == ["back"]


def test_many_files_are_not_held_open(home: Home) -> None:
    """Reading a home of many files of the same time holds none of them open."""
    for number in range(50):
        write(home, f"{number}.jsonl", b'{"request":{"model":"m"},"response":"x"}\n')
    items = islice(read_home(home, newest_first=True), 3)
    assert len(models(items)) == 3
    held = [path.resolve() for path in Path("/proc/self/fd").iterdir()]
    assert not [path for path in held if path.is_relative_to(home.logs)]
