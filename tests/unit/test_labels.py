"""Labels: what holds now, whatever the order; and their files, whoever writes them."""

from __future__ import annotations

import itertools
import os
import random
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.errors import JournalError, LabelError
from dolphin_logger.journal.format import encode_fields
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelFollower, LabelWriter, read_labels
from dolphin_logger.journal.ledger import BadEntry, LedgerWriter
from dolphin_logger.journal.tombstones import Tombstone, write_tombstones
from dolphin_logger.label import Label, Labels, Marks, check

_count = itertools.count()


def label(kind: str, value: Any = None, message: int | None = None, *, time: str = "") -> Label:
    """Make a label of record r, each later than the one before."""
    number = next(_count)
    return Label(
        f"label-{number}", time or f"{number:09d}", "user", "r", kind, value, message, ("f", number)
    )


def marks(*labels: Label, message: int | None = None) -> Marks:
    """Say what holds, and that the order of arrival does not matter."""
    shuffled = list(labels)
    found = set()
    for _ in range(5):
        state = Labels()
        for each in shuffled:
            state.add(each)
        found.add(repr(state.marks("r", message=message)))
        last = state.marks("r", message=message)
        random.shuffle(shuffled)
    assert len(found) == 1
    return last


def test_the_last_one_wins() -> None:
    """Of one kind the last one holds; keep and drop answer the same question."""
    assert marks(label("rating", 5), label("rating", 2)).rating == 2
    assert marks(label("keep"), label("drop")).verdict == "drop"
    assert marks(label("drop"), label("keep")).verdict == "keep"
    assert marks(label("note", "a"), label("note", "")).note is None
    assert marks(label("keep"), label("rating", 4)) == Marks(rating=4, verdict="keep")


def test_equal_times_are_decided_by_file_and_offset() -> None:
    """Two labels of one moment have one order everywhere."""
    first, second = label("rating", 1, time="t"), label("rating", 2, time="t")
    assert marks(first, second).rating == 2


def test_tags_are_a_set() -> None:
    """Tags add up and go one by one."""
    added = label("tag", {"add": ["a", "b", "a"]})
    assert marks(added, label("tag", {"add": ["c"], "remove": ["a", "x"]})).tags == ("b", "c")


def test_redactions_and_preferences_add_up() -> None:
    """A second redaction does not uncover what the first one covers."""
    found = marks(
        label("redact", {"text": "secret"}),
        label("redact", {"text": "other"}),
        label("prefer", {"over": "x"}),
        label("prefer", {"over": "y"}),
    )
    assert [span["text"] for span in found.redactions] == ["secret", "other"]
    assert found.preferred_over == ("x", "y")


def test_undo_names_a_label() -> None:
    """An undo uncovers what was there before; an undone undo brings the label back."""
    first, second = label("rating", 1), label("rating", 5)
    undo = label("undo", second.id)
    assert marks(first, second, undo).rating == 1
    assert marks(first, second, undo, label("undo", undo.id)).rating == 5
    tag = label("tag", {"add": ["a"]})
    assert marks(tag, label("undo", tag.id)).tags == ()


def test_a_message_is_a_target_of_its_own() -> None:
    """What is said of one message says nothing of the whole."""
    whole, part = label("rating", 1), label("rating", 5, 2)
    edit = label("edit", {"text": "better"}, 2)
    assert marks(whole, part, edit) == Marks(rating=1)
    assert marks(whole, part, edit, message=2) == Marks(rating=5, edit={"text": "better"})


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("rating", 0, None),
        ("rating", 6, None),
        ("rating", True, None),
        ("rating", "5", None),
        ("tag", {}, None),
        ("tag", {"add": "a"}, None),
        ("tag", {"add": ["a b"]}, None),
        ("tag", {"add": ["-a"]}, None),
        ("tag", {"add": ["\x1b[2J"]}, None),
        ("tag", {"add": [["a"]]}, None),
        ("note", None, None),
        ("edit", {"text": "a"}, None),
        ("edit", {"text": 1}, 0),
        ("edit", {"text": "a", "parts": []}, 0),
        ("keep", "yes", None),
        ("prefer", {"over": ""}, None),
        ("redact", {"text": ""}, None),
        ("redact", {"start": 1, "end": 2}, None),
        ("redact", {"start": 2, "end": 2}, 0),
        ("redact", {"start": -1, "end": 2}, 0),
        ("undo", 1, None),
        ("love", None, None),
        ("keep", None, -1),
        ("keep", None, "0"),
        (["keep"], None, None),
    ],
)
def test_what_does_not_fit_is_refused(kind: Any, value: Any, message: Any) -> None:
    """A label that says nothing clear is not written."""
    with pytest.raises(LabelError):
        check(kind, value, message=message)


# --- files


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that does not exist yet."""
    return Home(tmp_path / "home")


def test_visible_at_once_and_after(home: Home) -> None:
    """A follower and a fresh reader see a label as soon as `write` has returned, in a private file."""
    follower = LabelFollower(home)
    assert list(follower.more()) == []
    writer = LabelWriter(home)
    written = [writer.write("r", "rating", 4), writer.write("r", "tag", {"add": ["ümläut"]})]
    assert list(follower.more()) == written
    assert list(follower.more()) == []
    last = writer.write("s", "edit", {"text": "x\ny\ud800"}, 3)
    assert list(follower.more()) == [last]
    assert read_labels(home).marks("r") == Marks(rating=4, tags=("ümläut",))
    (file,) = home.labels.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.labels.stat().st_mode) == 0o700
    assert file.read_bytes().count(b"\n") == 3


def test_damage_costs_no_other_label(home: Home) -> None:
    """A damaged, foreign, newer or hostile line is reported with its place; the others are read."""
    writer = LabelWriter(home)
    writer.write("r", "rating", 1)
    (file,) = home.labels.iterdir()
    good = file.read_bytes()
    target = {"record": "r"}
    base = {"id": "x", "time": "t", "by": "user", "target": target, "kind": "rating", "value": 5}
    hostile = [
        good.replace(b'"value":1', b'"value":5'),
        b'{"request":"original","response":"line"}\n',
        b"[]\n",
        b"\0" * 50 + b"\n",
        encode_fields({**base, "value": 10**400}),
        encode_fields({**base, "kind": {"a": 1}}),
        encode_fields({**base, "target": None}),
        encode_fields({**base, "by": 7}),
        encode_fields({**base, "v": 99}),
    ]
    file.write_bytes(b"".join(hostile) + good + good[:30])
    items = list(LabelFollower(home).more())
    assert [isinstance(item, BadEntry) for item in items] == [True] * len(hostile) + [False]
    assert [item.offset for item in items[:2]] == [0, len(hostile[0])]  # type: ignore[union-attr]
    assert read_labels(home).marks("r") == Marks(rating=1)


def test_labels_of_a_removed_record_are_gone(home: Home) -> None:
    """No reader sees the labels of a record that was removed."""
    LabelWriter(home).write("r", "note", "secret")
    write_tombstones(home, [Tombstone("r", "0" * 64)])
    assert list(read_labels(home).records()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_writes_a_file_of_its_own(home: Home) -> None:
    """After a fork neither process writes into the other's file."""
    writer = LabelWriter(home)
    writer.write("r", "rating", 1)
    child = os.fork()
    if not child:
        writer.write("r", "rating", 2)
        os._exit(0)
    os.waitpid(child, 0)
    writer.write("r", "rating", 3)
    assert sorted(path.read_bytes().count(b"\n") for path in home.labels.iterdir()) == [1, 2]
    assert read_labels(home).marks("r").rating == 3


def test_a_full_disk_leaves_no_half_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is taken back and said; the next label is whole."""
    writer = LabelWriter(home)
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:20]))
    with pytest.raises(JournalError, match="no space"):
        writer.write("r", "rating", 1)
    monkeypatch.undo()
    writer.write("r", "rating", 2)
    assert [item.value for item in LabelFollower(home).more()] == [2]  # type: ignore[union-attr]


_WRITER = """
import sys
from pathlib import Path
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter
writer = LabelWriter(Home(Path(sys.argv[1])), by=sys.argv[2])
for number in range(int(sys.argv[3])):
    print(writer.write("r", "note", f"{number} " + "x" * 500).id, flush=True)
"""


def test_two_writers_and_kill(home: Home) -> None:
    """Two processes write side by side, one is killed: each label that was confirmed is there, once."""
    command = [sys.executable, "-c", _WRITER, str(home.path)]
    killed = subprocess.Popen([*command, "a", "1000000"], stdout=subprocess.PIPE, text=True)
    ended = subprocess.Popen([*command, "b", "200"], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    confirmed = [killed.stdout.readline().strip() for _ in range(150)]
    killed.send_signal(signal.SIGKILL)
    confirmed += killed.communicate()[0].split()
    confirmed += ended.communicate(timeout=60)[0].split()
    items = list(LabelFollower(home).more())
    assert not [item for item in items if isinstance(item, BadEntry)]
    ids = [item.id for item in items if isinstance(item, Label)]
    assert len(ids) == len(set(ids))
    assert {each for each in confirmed if len(each) == 36} <= set(ids)


def test_a_ledger_survives_its_folder(tmp_path: Path) -> None:
    """A deleted folder is made again; nothing is written into a file without a name."""
    ledger = LedgerWriter(tmp_path / "l")
    ledger.append({"id": "1"})
    next((tmp_path / "l").iterdir()).unlink()
    (tmp_path / "l").rmdir()
    ledger.append({"id": "2"})
    assert len(list((tmp_path / "l").iterdir())) == 1
