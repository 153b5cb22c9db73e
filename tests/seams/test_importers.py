"""The promise of importers, kept by each: found by content, once, whole, never raising."""

from __future__ import annotations

import importlib.metadata
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.support.imported import answers, bring, history, records, text
from tests.support.session_files import Sample, samples, write

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.errors import SourceError
from dolphin_logger.importers import IMPORTERS, Importer, detect, find
from dolphin_logger.importers._api import HEAD_BYTES, Content, Turn, Unknown, Waiting

SOURCES = sorted(IMPORTERS)
with tempfile.TemporaryDirectory() as _folder:
    OF_LINES = sorted(one.source for one in samples(Path(_folder)) if one.lines)


def sample_of(source: str, tmp_path: Path) -> Sample:
    """Make the session of one source."""
    folder = tmp_path / "made"
    folder.mkdir()
    return next(one for one in samples(folder) if one.source == source)


@pytest.fixture(params=SOURCES)
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Sample:
    """One session of each source."""
    return sample_of(request.param, tmp_path)


@pytest.fixture(params=OF_LINES)
def growing(request: pytest.FixtureRequest, tmp_path: Path) -> Sample:
    """One session of each source whose files are lines that are appended."""
    return sample_of(request.param, tmp_path)


def test_it_keeps_the_promise(sample: Sample) -> None:
    """An importer is what `_api` asks for, and is listed by its own name."""
    importer = IMPORTERS[sample.source]
    assert isinstance(importer, Importer)
    assert importer.name == sample.source


def test_it_alone_claims_its_file(sample: Sample) -> None:
    """Its file is told by content; no other importer, first in the list or not, claims it."""
    head, name = sample.data[:HEAD_BYTES], Path(sample.file).name
    assert [one.name for one in IMPORTERS.values() if one.claims(head, name)] == [sample.source]


def test_every_answer_becomes_a_record(sample: Sample, tmp_path: Path) -> None:
    """Each answer is a record that its dialect reads, with source, session, line, file; usage unknown."""
    brought = bring(tmp_path / "home", write(tmp_path, sample))
    found = records(tmp_path / "home")
    assert sorted(answers(found)) == sorted(sample.answers)
    assert brought.turns == len(found) == len({fields["id"] for fields in found})
    assert not brought.unknown
    for fields in found:
        assert fields["dialect"] in DIALECTS
        assert fields["imported"]["source"] == sample.source
        assert fields["imported"]["file"] == f"~/{sample.file}"
        assert set(fields["usage"].values()) == {None}
        assert fields["client"]["name"]


def test_each_history_begins_with_the_user(sample: Sample, tmp_path: Path) -> None:
    """Following `after` to its end gives the whole history, the question in front."""
    bring(tmp_path / "home", write(tmp_path, sample))
    found = records(tmp_path / "home")
    by_id = {fields["id"]: fields for fields in found}
    for fields in found:
        said = [one for one in history(fields, by_id) if one.role not in ("system", "developer")]
        assert said[0].role == "user"
        assert text(said[0]) or said[0].parts
        assert said[-1].role == "assistant"


def test_a_turn_comes_behind_the_one_it_follows(sample: Sample, tmp_path: Path) -> None:
    """`after` names a record that was written before; where a file has another order too."""
    data = sample.data
    if sample.source in ("chatgpt", "open-webui"):
        data = json.dumps(_turned_over(json.loads(data))).encode()
    bring(tmp_path / "home", write(tmp_path, sample, data=data))
    written: set[str | None] = {None}
    for fields in records(tmp_path / "home"):
        assert fields["imported"]["after"] in written
        written.add(fields["id"])
    assert len(written) == len(sample.answers) + 1


def _turned_over(value: Any) -> Any:
    """Give the same JSON with the keys of every object the other way round."""
    if isinstance(value, list):
        return [_turned_over(one) for one in value]
    if isinstance(value, dict):
        return {key: _turned_over(value[key]) for key in reversed(value)}
    return value


def test_again_gives_nothing_new(sample: Sample, tmp_path: Path) -> None:
    """The same file a second time is not read; written anew with the same bytes, it gives nothing new."""
    path = write(tmp_path, sample)
    first = bring(tmp_path / "home", path)
    before = records(tmp_path / "home")
    assert bring(tmp_path / "home", path).unchanged == 1
    path.unlink()
    again = bring(tmp_path / "home", write(tmp_path, sample))
    assert (again.turns, again.known) == (0, first.turns)
    assert records(tmp_path / "home") == before


def test_a_growing_file_gives_each_turn_once(growing: Sample, tmp_path: Path) -> None:
    """Imported after every line, a file gives the same records as imported whole at the end."""
    lines = growing.data.splitlines(keepends=True)
    for count in range(1, len(lines) + 1):
        path = tmp_path / growing.file
        path.write_bytes(b"".join(lines[:count]))  # written just now: its last answer may grow
        bring(tmp_path / "growing", path)
    bring(tmp_path / "growing", write(tmp_path, growing))
    bring(tmp_path / "whole", write(tmp_path, growing))
    assert _sorted(records(tmp_path / "growing")) == _sorted(records(tmp_path / "whole"))


def _sorted(found: list[dict[str, object]]) -> list[object]:
    """Give what must be the same; a time that is the file's changes with it."""
    kept = ("id", "request", "response", "client", "imported")
    times = [
        fields["time"] for fields in found if "time_approximate" not in str(fields["imported"])
    ]
    return [
        *sorted((tuple(fields[key] for key in kept) for fields in found), key=repr),
        sorted(times),
    ]


def test_strange_lines_are_counted_and_cost_nothing(growing: Sample, tmp_path: Path) -> None:
    """A line that is no JSON, one of an unknown type and one of bad UTF-8 are counted; the rest comes."""
    lines = growing.data.splitlines(keepends=True)
    strange = [b"{torn\n", b'{"type":"from-the-future","n":1}\n', b'{"type":"\xff"}\n', b"[]\n"]
    brought = bring(
        tmp_path / "home", write(tmp_path, growing, data=b"".join([lines[0], *strange, *lines[1:]]))
    )
    assert sorted(answers(records(tmp_path / "home"))) == sorted(growing.answers)
    assert sum(brought.unknown.values()) == len(strange)


@pytest.mark.parametrize("seed", range(3))
def test_it_never_raises(sample: Sample, seed: int) -> None:
    """Whatever bytes are changed, cut or doubled, it gives turns, unknowns and waiting, and no exception."""
    importer, chance = IMPORTERS[sample.source], random.Random(seed)
    for _ in range(60 if sample.file.endswith(".db") else 200):
        data = _mutate(sample.data, chance)
        importer.claims(data[:HEAD_BYTES], Path(sample.file).name)
        idle = chance.choice([0.0, 1e6])
        for item in importer.read(Content(data, Path(sample.file), 1, idle)):
            assert isinstance(item, Turn | Unknown | Waiting)


_VALUES = [
    b"null",
    b"[]",
    b"{}",
    b"0",
    b'""',
    b"true",
    b'"\\ud800"',
    b"1e999",
    b"-1",
    b'[[{"a":[]}]]',
]


def _mutate(data: bytes, chance: random.Random) -> bytes:
    """Change values, as drift would, or bytes, as damage would."""
    for _ in range(chance.randint(1, 4)):
        kind = chance.randrange(4)
        start = chance.randrange(len(data) or 1)
        if kind == 0:
            colon = data.find(b":", start)
            end = min((i for i in (data.find(c, colon) for c in (b",", b"}")) if i > 0), default=0)
            if 0 < colon < end:
                data = data[: colon + 1] + chance.choice(_VALUES) + data[end:]
        elif kind == 1:
            data = data[:start] + data[start + chance.randint(1, 40) :]
        elif kind == 2:
            data = data[:start] + bytes([chance.randrange(256)]) + data[start + 1 :]
        else:
            data = data[:start] + data[max(0, start - 60) :]
    return data


def test_a_file_of_nobody_is_claimed_by_nobody() -> None:
    """Neither an empty file, nor prose, nor somebody's JSON is taken for a session."""
    for data in (
        b"",
        b"\x00" * 100,
        b"hello\nworld\n",
        b'{"a":1}\n{"b":2}\n',
        b"[]",
        b"PK\x03\x04",
    ):
        assert detect(data, "file.jsonl") is None


def test_the_end_of_a_line_may_be_missing(growing: Sample) -> None:
    """A last line that is still being written is nothing strange; one that is never finished is."""
    importer, path = IMPORTERS[growing.source], Path(growing.file)
    cut = growing.data[:-20]
    writing = list(importer.read(Content(cut, path, 1, 1.0)))
    assert not [item for item in writing if isinstance(item, Unknown)]
    left = list(importer.read(Content(cut, path, 1, 1e6)))
    assert [item for item in left if isinstance(item, Unknown)] == [Unknown("not JSON")]


class _Plugin:
    """What a stranger's importer looks like."""

    name = "stranger"
    automatic = False

    def find(self, user: Path, env: dict[str, str]) -> list[Path]:
        return []

    def claims(self, head: bytes, name: str) -> bool:
        return False

    def read(self, content: Content) -> list[Turn]:
        return []


@pytest.mark.parametrize(
    ("loads", "says"),
    [(_Plugin, None), (_Plugin(), None), (object(), "promise"), (ZeroDivisionError, "promise")],
)
def test_a_plugin_is_found_by_its_name(
    monkeypatch: pytest.MonkeyPatch, loads: object, says: str | None
) -> None:
    """An importer of the entry-point group serves when it is named, if it keeps the promise."""

    class Point:
        value = "stranger:Importer"

        def load(self) -> object:
            return loads

    def entry_points(*, group: str, name: str) -> list[Point]:
        return [Point()] if (group, name) == ("dolphin_logger.importers", "stranger") else []

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    if says is None:
        assert find("stranger").name == "stranger"
    else:
        with pytest.raises(SourceError, match=says):
            find("stranger")
