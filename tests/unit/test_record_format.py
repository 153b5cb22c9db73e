"""The record on disk: what the format and the writer promise, tried with real files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dolphin_logger.errors import RecordError
from dolphin_logger.exchange import Exchange, Failure, Outcome, new_id
from dolphin_logger.journal import writer
from dolphin_logger.journal.blobs import BlobWriter
from dolphin_logger.journal.format import decode, encode
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import (
    BadLine,
    StoredRecord,
    body,
    raw_bytes,
    read_home,
    read_segment,
)
from dolphin_logger.journal.splice import value_span
from dolphin_logger.journal.writer import Journal

NOW = 1_795_361_046_123_456_789  # 2026-11-22T15:24:06.123456789Z


def exchange(**fields: object) -> Exchange:
    """Make an exchange with little in it."""
    given_fields: dict[str, object] = {"id": new_id(NOW), "time_ns": NOW, "dialect": "openai.chat"}
    return Exchange(**{**given_fields, "path": "/v1/chat/completions", **fields})  # type: ignore[arg-type]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of its own."""
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def records_of(home: Home) -> list[StoredRecord]:
    """Read a home in which every line must be whole."""
    items = list(read_home(home))
    bad = [item for item in items if isinstance(item, BadLine)]
    assert bad == []
    return [item for item in items if isinstance(item, StoredRecord)]


space = st.sampled_from(["", " ", "\n", "\r\n\t", "  \n"])
keys = st.sampled_from(["a", "b", "request", "response", "crc", "v", "id", 'q"uote\\'])
strings = st.one_of(
    st.text(st.characters(exclude_categories=())).map(json.dumps),  # \ud800 and friends as escapes
    st.text(st.characters(exclude_categories=("Cs",))).map(
        lambda s: json.dumps(s, ensure_ascii=False)
    ),
    st.sampled_from(
        [r'"\ud800"', r'"\"},\"crc\":\"00000000\"}"', r'"\\"', r'"\u0000"', '"\u2028"']
    ),
)
numbers = st.one_of(
    st.integers(-(10**40), 10**40).map(str),
    st.sampled_from(["-0", "1e400", "0.1000000000000000055511151231257827", "1E5", "9" * 5000]),
)
scalars = st.one_of(st.sampled_from(["null", "true", "false"]), strings, numbers)


def arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Write JSON arrays with any space between the tokens."""
    items = st.lists(inner, max_size=4)
    return st.builds(lambda gap, these: f"[{gap}{f'{gap},'.join(these)}{gap}]", space, items)


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Write JSON objects, with repeated keys too."""

    def write(gap: str, pairs: list[tuple[str, str]]) -> str:
        members = f",{gap}".join(f"{key}{gap}:{gap}{value}" for key, value in pairs)
        return f"{{{gap}{members}{gap}}}"

    return st.builds(write, space, st.lists(st.tuples(keys.map(json.dumps), inner), max_size=4))


json_texts = st.recursive(
    scalars, lambda inner: st.one_of(arrays(inner), objects(inner)), max_leaves=12
)


def exactly(text: bytes) -> object:
    """Parse so that digits, repeated keys and lone surrogates can be compared."""
    return json.loads(
        text, parse_int=str, parse_float=str, object_pairs_hook=lambda pairs: ("{}", pairs)
    )


@given(request=json_texts, response=json_texts)
@settings(max_examples=300, deadline=None)
def test_bodies_survive(request: str, response: str) -> None:
    """Any JSON body is in the line with every digit, escape, key and order, on one line."""
    line = encode(exchange(request=request.encode(), response=response.encode()), seq=1)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    for name, text in (("request", request), ("response", response)):
        span = value_span(line, name.encode())
        assert span is not None
        assert exactly(line[slice(*span)]) == exactly(text.encode())
    assert decode(line)["seq"] == 1


def test_line_is_plain_json() -> None:
    """The line is what the format's page shows: JSON, the original's keys first, the CRC last."""
    line = encode(exchange(request=b'{"a":1}', model="m"), seq=17)

    fields = json.loads(line)
    assert list(fields)[:6] == ["v", "id", "seq", "time", "request", "response"]
    assert list(fields)[-1] == "crc"
    assert fields["time"] == "2026-11-22T15:24:06.123456Z"
    assert fields["usage"]["input_tokens"] is None
    assert "raw" not in fields


def test_facts_survive() -> None:
    """Failures, names with lone surrogates and raw bytes come back as they went in."""
    failure = Failure(kind="idle", at="provider", status=None, message="nothing for 300 s")
    line = encode(
        exchange(
            model="a\ud800b", outcome=Outcome.TIMEOUT, error=failure, raw_response=b"\xff\x00"
        ),
        seq=1,
    )

    fields = decode(line)
    assert fields["model"] == "a\ud800b"
    assert fields["outcome"] == "timeout"
    assert fields["error"]["message"] == "nothing for 300 s"
    assert fields["raw"] == {"request": None, "response": "/wA="}


@pytest.mark.parametrize("depth", [1, 900, 1024, 1025, 50_000])
def test_deep_bodies_cost_nothing(home: Home, depth: int) -> None:
    """A body too deep for any parser is kept and given back; the rest of its record is readable."""
    text = b"[" * depth + b"]" * depth
    Journal(home).append(exchange(request=text, response=b'{"a":1}', model="deep"))

    (record,) = records_of(home)
    assert record.fields["model"] == "deep"
    assert raw_bytes(record, "request") == text


def test_number_beyond_every_limit(home: Home) -> None:
    """An integer of more digits than Python reads is kept; its record is readable."""
    Journal(home).append(exchange(request=b'{"n":%s,"m":[1]}' % (b"9" * 5000)))
    (record,) = records_of(home)
    assert raw_bytes(record, "request") == b'{"n":%s,"m":[1]}' % (b"9" * 5000)
    assert record.fields["request"] == {"n": float("inf"), "m": [1]}


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    """Whatever single bit flips in a line: it is reported, nothing wrong is read, the next record stays."""
    first = encode(exchange(request=b'{"v":1,"id":"x"}', response=b'{"crc":"1"}', model="m"), seq=1)
    second = encode(exchange(model="n"), seq=2)
    good = [decode(first), decode(second)]
    file = tmp_path / "flipped.jsonl"
    for position in range(len(first)):
        for bit in range(8):
            damaged = bytearray(first)
            damaged[position] ^= 1 << bit
            file.write_bytes(bytes(damaged) + second)
            items = list(read_segment(file))
            records = [item.fields for item in items if isinstance(item, StoredRecord)]
            assert any(isinstance(item, BadLine) and not item.incomplete for item in items), (
                position,
                bit,
            )
            assert all(fields in good for fields in records), (position, bit)
            assert good[1] in records, (position, bit)


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_every_changed_byte_is_found(position: int, byte: int) -> None:
    """A line with any one byte changed is refused, unless only its line end became another one."""
    line = bytearray(encode(exchange(request=b'{"a":"b"}', model="m"), seq=1))
    position %= len(line)
    unchanged = line[position] == byte or (position == len(line) - 1 and byte == 0x0D)
    line[position] = byte
    if unchanged:
        assert decode(bytes(line))["model"] == "m"
    else:
        with pytest.raises(RecordError):
            decode(bytes(line))


def test_torn_lines(tmp_path: Path) -> None:
    """A line cut anywhere is unfinished at the end of a file, and damaged once a newline follows."""
    line = encode(exchange(request=b'{"a":{"b":[1]}}'), seq=1)
    file = tmp_path / "torn.jsonl"
    for cut in range(1, len(line) - 1):
        file.write_bytes(line + line[:cut])
        whole, torn = read_segment(file)
        assert isinstance(whole, StoredRecord)
        assert isinstance(torn, BadLine)
        assert torn.incomplete
        assert torn.offset == len(line)
        file.write_bytes(line[:cut] + b"\n" + line)
        torn, whole = read_segment(file)
        assert isinstance(torn, BadLine)
        assert not torn.incomplete
        assert isinstance(whole, StoredRecord)


def test_newer_version_says_what_to_do() -> None:
    """A record of a later version is refused with the cure."""
    with pytest.raises(RecordError, match=r"newer than this program.*update dolphin-logger"):
        decode(b'{"v":2,"id":"x","crc":"00000000"}\n')


def test_blobs(home: Home) -> None:
    """A large body has a file named by its sha256, private, once, and comes back by the record."""
    data = b'{"big":"' + b"x" * 100_000 + b'"}'
    for _ in range(2):
        blob = BlobWriter(home.blobs)
        blob.write(data[:10])
        blob.write(data[10:])
        reference = blob.commit(media_type="application/json")
    Journal(home).append(exchange(request=reference.to_json()))

    assert [path.name for path in home.blobs.iterdir()] == [hashlib.sha256(data).hexdigest()]
    (record,) = records_of(home)
    assert raw_bytes(record, "request") == data
    assert body(record, "request") == json.loads(data)
    (home.blobs / reference.sha256).unlink()
    with pytest.raises(RecordError, match="cannot be read"):
        raw_bytes(record, "request")


def test_discarded_blob_leaves_nothing(home: Home) -> None:
    """A blob that is given up leaves no file."""
    blob = Journal(home).blob()
    blob.write(b"half")
    blob.discard()
    assert list(home.blobs.iterdir()) == []


def test_body_that_only_looks_like_a_blob(home: Home) -> None:
    """A client's body shaped almost like a reference is a body, and leads to no other file."""
    for text in (
        b'{"blob":{"sha256":"../../etc/passwd","bytes":1,"type":"x"}}',
        b'{"blob":{"sha256":"a"}}',
    ):
        Journal(home).append(exchange(request=text))
    for record in records_of(home):
        assert raw_bytes(record, "request").startswith(b'{"blob":')


@pytest.fixture
def no_umask() -> Iterator[None]:
    """The widest umask there is."""
    old = os.umask(0)
    yield
    os.umask(old)


@pytest.mark.usefixtures("no_umask")
def test_private_whatever_the_umask(tmp_path: Path) -> None:
    """Files are 0600 and folders 0700 even under umask 0, also when the home is made anew while running."""
    home = Home(tmp_path / "outer" / "home")
    home.prepare()
    journal = Journal(home)
    blob = journal.blob()
    blob.write(b"x")
    blob.commit(media_type="a/b")
    journal.append(exchange())
    shutil.rmtree(tmp_path / "outer")
    journal.tend()
    journal.append(exchange())
    journal.blob().discard()

    for path in (tmp_path / "outer").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE((tmp_path / "outer").stat().st_mode) == 0o700
    assert len(records_of(home)) == 1


def test_rotation_by_size(home: Home) -> None:
    """A segment that is full is left; no record is split or lost."""
    journal = Journal(home, segment_bytes=2000)
    for number in range(20):
        journal.append(exchange(model=f"m{number}"))

    sizes = [path.stat().st_size for path in home.logs.iterdir()]
    assert len(sizes) > 3
    assert max(sizes) < 2000 + 1000
    assert {record.fields["model"] for record in records_of(home)} == {f"m{n}" for n in range(20)}


def test_rotation_at_midnight(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first record of a day (UTC) starts a segment with that day in its name."""
    journal = Journal(home)
    new_year = 1_798_761_600  # 2027-01-01T00:00:00Z
    for now in (new_year - 60, new_year - 0.001, new_year, new_year + 60):
        monkeypatch.setattr(writer.time, "time", lambda now=now: now)
        monkeypatch.setattr(writer.time, "time_ns", lambda now=now: int(now * 1e9))
        journal.append(exchange())
    days = [record.file.name[:10] for record in records_of(home)]
    assert days == ["2026-12-31"] * 2 + ["2027-01-01"] * 2


def test_two_journals_never_share_a_file(home: Home) -> None:
    """Two writers of one home write two files, and later writers open neither."""
    for _ in range(2):
        first, second = Journal(home), Journal(home)
        for _ in range(3):
            first.append(exchange())
            second.append(exchange())
        assert first.segment != second.segment
        first.close()
        second.close()
    assert len(list(home.logs.iterdir())) == 4
    assert len(records_of(home)) == 12


FORK = """
import os, sys
from pathlib import Path
from dolphin_logger.exchange import Exchange
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.writer import Journal

def exchange(name):
    return Exchange(id=name, time_ns=0, dialect="openai.chat", path="/")

home = Home(Path(sys.argv[1]))
home.prepare()
journal = Journal(home)
journal.append(exchange("before"))
journal.close()
home.logs.rename(home.path / "aside")
home.logs.write_text("in the way")
assert not journal.append(exchange("waits"))
home.logs.unlink()
(home.path / "aside").rename(home.logs)
child = os.fork()
if child == 0:
    getattr(journal, sys.argv[2])(*([exchange("child")] if sys.argv[2] == "append" else []))
    if sys.argv[2] == "tend":
        journal.append(exchange("child"))
    journal.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
journal.append(exchange("parent"))
journal.close()
"""


@pytest.mark.parametrize("first_call", ["append", "tend"])
def test_fork(tmp_path: Path, first_call: str) -> None:
    """A forked child writes its own segment and leaves the parent's waiting records to the parent."""
    subprocess.run(
        [sys.executable, "-c", FORK, tmp_path / "home", first_call], check=True, timeout=30
    )

    home = Home(tmp_path / "home")
    by_file: dict[Path, list[str]] = {}
    for record in records_of(home):
        by_file.setdefault(record.file, []).append(record.id)
    assert sorted(by_file.values()) == [["before"], ["child"], ["waits", "parent"]]


def test_records_wait_while_the_folder_cannot_be_made(home: Home) -> None:
    """What cannot be written waits in memory, in order, and is written when it can be."""
    journal = Journal(home)
    home.logs.rmdir()
    home.logs.write_text("in the way")
    assert not journal.append(exchange(id="a"))
    assert not journal.append(exchange(id="b"))
    assert journal.waiting() == 2
    assert journal.trouble is not None
    home.logs.unlink()

    journal.tend()
    assert journal.waiting() == 0
    assert journal.trouble is None
    assert [record.id for record in records_of(home)] == ["a", "b"]


def test_what_falls_out_of_the_window_is_counted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window is bounded: the oldest records go first, and are counted."""
    monkeypatch.setattr(writer, "WINDOW_BYTES", 3 * len(encode(exchange(id="0"), seq=1)))
    journal = Journal(home)
    home.logs.rmdir()
    home.logs.write_text("in the way")
    for number in range(5):
        journal.append(exchange(id=str(number)))
    assert (journal.waiting(), journal.dropped) == (3, 2)
    home.logs.unlink()
    journal.close()
    assert [record.id for record in records_of(home)] == ["2", "3", "4"]
    assert journal.dropped == 2


def test_folder_deleted_while_running(home: Home) -> None:
    """After the next look at the folder, records go to a new one."""
    journal = Journal(home)
    journal.append(exchange(id="gone"))
    shutil.rmtree(home.path)
    journal.tend()
    assert journal.append(exchange(id="kept"))
    assert [record.id for record in records_of(home)] == ["kept"]


def test_failed_truncation_leaves_the_segment(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a torn part cannot be taken back, nothing is written behind it."""
    journal = Journal(home)
    journal.append(exchange(id="first"))
    real_write = os.write

    def short_write(descriptor: int, line: bytes) -> int:
        return real_write(descriptor, line[:20])

    def failing_truncate(_descriptor: int, _size: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", short_write)
        broken.setattr(os, "ftruncate", failing_truncate)
        assert not journal.append(exchange(id="second"))
    journal.tend()
    journal.close()

    items = list(read_home(home))
    assert sorted(item.id for item in items if isinstance(item, StoredRecord)) == [
        "first",
        "second",
    ]
    assert [item.incomplete for item in items if isinstance(item, BadLine)] == [True]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a tmpfs of 1 MiB needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "dolphin-test", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting a tmpfs of 1 MiB is not allowed here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.root
def test_disk_full(small_disk: Path) -> None:
    """On a full disk no torn line stays, records wait in memory, and writing resumes by itself."""
    home = Home(small_disk / "home")
    home.prepare()
    journal = Journal(home)
    fill = b'{"fill":"%s"}' % (b"x" * 100_000)
    written = [journal.append(exchange(id=f"{number:02}", request=fill)) for number in range(15)]
    assert written[0]
    assert not written[-1]
    assert journal.trouble is not None
    assert journal.waiting() == written.count(False)
    on_disk = [record.id for record in records_of(home)]
    assert on_disk == [f"{number:02}" for number in range(written.count(True))]

    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    journal.tend()
    journal.close()
    assert journal.trouble is None
    assert journal.dropped == 0
    assert [record.id for record in records_of(home)] == [f"{number:02}" for number in range(15)]
