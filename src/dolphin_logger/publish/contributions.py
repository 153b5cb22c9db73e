"""Contributions: what each machine gave to a repository, as small files beside the rows.

    contributions/<contributor>-<batch>.json     data/<export>/<split>-<contributor>-<batch>-00000.jsonl

Every contributor writes under names of its own, so that no two pull requests ever touch the same file.
A contributor is a random name that lies in the home; nobody's account or machine. Strangers' files are
read as what they are, strangers': one that names files or shapes otherwise than this program does is none.
Invariants: a row's origin is the conversation it was made of and the hash of its bytes; what is read names
only files that bear its contributor's name.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home, make_private_folder, open_private_file
from dolphin_logger.publish.card import Shape
from dolphin_logger.publish.summary import Summary, read_summary

FOLDER: Final = "contributions"
VERSION: Final = 1
_NAME: Final = re.compile(r"[0-9a-f]{8}")
LARGEST: Final = 256 << 20  # bytes of one such file that are read
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # of exports, splits, columns, rules
_VERSION: Final = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
_KIND: Final = re.compile(r"[a-z0-9_<>]{1,40}")
_SUFFIX: Final = re.compile(r"jsonl|parquet")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{1,20}Z")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row comes from: its conversation, and the hash of its bytes."""

    conversation: str
    hash: str


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file of rows that a contributor gave; `origins` in the order of its rows."""

    path: str
    export: str
    split: str
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one machine gave at one time."""

    contributor: str
    batch: str
    files: tuple[GivenFile, ...]
    summary: Summary
    shapes: tuple[Shape, ...]
    rules: Mapping[str, str] = field(default_factory=dict)
    tool: str = ""
    first: str | None = None
    last: str | None = None

    @property
    def path(self) -> str:
        """Where it lies in the repository."""
        return f"{FOLDER}/{self.contributor}-{self.batch}.json"

    @property
    def conversations(self) -> set[str]:
        """The conversations of all its rows."""
        return {origin.conversation for file in self.files for origin in file.origins}

    def to_json(self) -> bytes:
        """Write it; the same contribution gives the same bytes."""
        fields = {
            "v": VERSION,
            "contributor": self.contributor,
            "batch": self.batch,
            "tool": self.tool,
            "rules": dict(sorted(self.rules.items())),
            "first": self.first,
            "last": self.last,
            "shapes": [_shape_fields(shape) for shape in self.shapes],
            "summary": self.summary.to_json(),
            "files": [_file_fields(file) for file in self.files],
        }
        return (json.dumps(fields, indent=1, ensure_ascii=False) + "\n").encode()


def hash_row(line: bytes) -> str:
    """Hash the bytes of a row."""
    return blake2b(line.rstrip(b"\n"), digest_size=8).hexdigest()


def contributor_of(home: Home) -> str:
    """Give this home's name as a contributor, made once."""
    path = home.datasets / "contributor"
    try:
        known = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        make_private_folder(home.datasets)
        known = secrets.token_hex(4)
        with os.fdopen(open_private_file(path), "w", encoding="ascii") as file:
            file.write(known + "\n")
    if not _NAME.fullmatch(known):
        raise DatasetError(
            f"{path}: {known!r} is no contributor's name: expected 8 hexadecimal digits"
        )
    return known


def read_contribution(data: bytes) -> Contribution | None:
    """Read what somebody gave; None for what is no contribution."""
    if len(data) > LARGEST:
        return None
    try:
        fields = json.loads(data)
        who = _fit(_NAME, fields["contributor"])
        return Contribution(
            contributor=who,
            batch=_fit(_NAME, fields["batch"]),
            files=tuple(_read_files(fields["files"], who)),
            summary=read_summary(fields.get("summary") or {}),
            shapes=tuple(_read_shapes(fields.get("shapes") or [])),
            rules={
                _fit(_WORD, name): _fit(_VERSION, value)
                for name, value in dict(fields.get("rules") or {}).items()
            },
            tool=str(fields.get("tool") or ""),
            first=_day(fields.get("first")),
            last=_day(fields.get("last")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _fit(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError("not what this program writes")
    return value


def _day(value: Any) -> str | None:
    return None if value is None else _fit(_DAY, value)


def _read_files(files: Sequence[Mapping[str, Any]], who: str) -> Iterator[GivenFile]:
    for file in files:
        origins = tuple([Origin(str(one[0]), str(one[1])) for one in file["origins"]])
        export, split = _fit(_WORD, file["export"]), _fit(_WORD, file["split"])
        named = re.compile(rf"data/{re.escape(export)}/{re.escape(split)}-{who}-[\w.-]+")
        yield GivenFile(_fit(named, file["path"]), export, split, origins)


def _read_shapes(shapes: Sequence[Mapping[str, Any]]) -> Iterator[Shape]:
    for shape in shapes:
        yield Shape(
            name=_fit(_WORD, shape["name"]),
            unit=_fit(_WORD, shape["unit"]),
            splits=tuple([_fit(_WORD, split) for split in shape["splits"]]),
            suffix=_fit(_SUFFIX, shape["suffix"]),
            columns=tuple(
                [(_fit(_WORD, name), _fit(_KIND, kind)) for name, kind in shape["columns"]]
            ),
            is_file_each=bool(shape.get("is_file_each")),
        )


def _shape_fields(shape: Shape) -> dict[str, Any]:
    return {
        "name": shape.name,
        "unit": shape.unit,
        "splits": list(shape.splits),
        "suffix": shape.suffix,
        "columns": [list(column) for column in shape.columns],
        "is_file_each": shape.is_file_each,
    }


def _file_fields(file: GivenFile) -> dict[str, Any]:
    origins = [[origin.conversation, origin.hash] for origin in file.origins]
    return {"path": file.path, "export": file.export, "split": file.split, "origins": origins}
