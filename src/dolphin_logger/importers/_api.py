"""The promise of an importer: the session files of one other program, decoded without I/O.

An importer says where its program keeps sessions, tells its files by their content, and turns the
bytes of one file into turns. It knows neither the journal nor the archive, and writes nothing.
Invariants: it never raises, whatever stands in a file; a turn that was given once is given the same
again when the file has grown.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Protocol, TypeAlias, runtime_checkable

from dolphin_logger.exchange import Client, Outcome

Buffer: TypeAlias = bytes | mmap.mmap

HEAD_BYTES = 64 * 1024  # what `claims` sees of a file
QUIET_SECONDS = 10.0  # after which an answer that says that it is whole is believed
SETTLED_SECONDS = 600.0  # after which nobody writes on: the last answer counts as it stands


@dataclass(frozen=True, slots=True)
class Content:
    """One file, as it was at one moment.

    Attributes:
        data: its bytes.
        path: where it lay; only its names tell something, it is not opened.
        modified_ns: when it was last written, UNIX nanoseconds.
        idle: for how many seconds nobody had written to it.
        log: the bytes of the write-ahead log beside an SQLite file.
    """

    data: Buffer
    path: PurePath
    modified_ns: int = 0
    idle: float = SETTLED_SECONDS
    log: Buffer = b""


@dataclass(frozen=True, slots=True)
class Turn:
    """One model call, decoded.

    `request` holds what is new since the answer of the turn `after`, in the shape of `dialect`;
    the whole history where `after` is None.

    Attributes:
        session: what names the thread within the source.
        line: what names the turn within its session: an id of the source, else a number of a line.
        after: the `line` of the turn that this one continues, in the same session.
        time_ns: when the answer was written down, UNIX nanoseconds; None when nothing tells.
        client: session, agent and parent as the client itself sends them to a proxy.
    """

    session: str
    line: str
    after: str | None
    dialect: str
    request: dict[str, Any]
    response: dict[str, Any] | None
    time_ns: int | None = None
    model: str | None = None
    client: Client = field(default_factory=Client)
    provider_request_id: str | None = None
    outcome: Outcome = Outcome.COMPLETED


@dataclass(frozen=True, slots=True)
class Unknown:
    """A line or value that the importer does not understand; `kind` says of which sort, in few words."""

    kind: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that may still grow: it is a turn when its file has been quiet for long enough."""


Item: TypeAlias = Turn | Unknown | Waiting


@runtime_checkable
class Importer(Protocol):
    """The sessions of one program.

    Attributes:
        name: what the command line and the records call it.
        automatic: whether `find` knows where they lie, so that `watch` may follow them.
    """

    name: str
    automatic: bool

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name the files that may hold sessions, given the user's home and the environment."""
        ...

    def claims(self, head: bytes, name: str) -> bool:
        """Say, by its first bytes, whether a file is one of this program's; `name` is a hint."""
        ...

    def read(self, content: Content) -> Iterator[Item]:
        """Decode one file; a turn comes behind the one that it follows."""
        ...
