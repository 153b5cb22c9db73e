"""The intake: files of other programs go in; untouched copies and records of their turns come out.

For each file: a private copy of its bytes, from which alone everything else is made; that into the
archive; the turns that are new into `imports/`; a note that this file is through. It knows no source.
Invariants: killed anywhere, the next import loses and doubles nothing; a file that cannot be read
stops no other.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import IO, TypeAlias

from dolphin_logger.errors import SourceError
from dolphin_logger.exchange import Exchange
from dolphin_logger.importers._api import HEAD_BYTES, Content, Importer, Turn, Unknown, Waiting
from dolphin_logger.importers._fields import json_text, kind_of
from dolphin_logger.importers._snapshot import Snapshot, mapped, snapshot, stamp
from dolphin_logger.importers._zip import is_zip, unpack
from dolphin_logger.journal.archive import Archive, Copy
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.imports import ImportWriter, Notes, SeenFile
from dolphin_logger.journal.locks import importing
from dolphin_logger.journal.tombstones import removed_ids

_IMPORTED = uuid.UUID("8b0c6c55-5d4e-5a3b-9c1f-3e8f4a9d2b70")  # our namespace for ids of turns

Choose: TypeAlias = Callable[[bytes, str], Importer | None]  # by a file's first bytes and its name
Part: TypeAlias = tuple[Importer, Content] | Unknown


@dataclass(slots=True)
class Brought:
    """What one import brought.

    Attributes:
        files: how many were read; those that nobody has written to since are `unchanged`.
        turns: how many are new; `known` ones were imported before.
        waiting: how many answers may still grow; they are left for a later import.
        sessions: source and name of each session met.
        unknown: what nobody understood, by kind; the archive has it.
        failed: a sentence for each file that could not be read.
    """

    files: int = 0
    unchanged: int = 0
    turns: int = 0
    known: int = 0
    waiting: int = 0
    sessions: set[tuple[str, str]] = field(default_factory=set)
    unknown: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


class Intake:
    """Brings files into one home. Use as a context: it holds the home's import lock.

    `user` is the folder that the names of files are given from, as `~`; `patience` says for how many
    seconds to wait for another import.
    """

    def __init__(self, home: Home, *, user: Path, patience: float = 0.0) -> None:
        self._home = home
        self._user = user
        self._patience = patience
        self._archive = Archive(home)
        self._removed: Collection[str] = ()
        self._stack = ExitStack()

    def __enter__(self) -> Intake:
        """Take the lock, and find out what was imported already.

        Raises:
            JournalError: another import is running, or the home cannot be written.
        """
        with ExitStack() as stack:
            stack.enter_context(importing(self._home, patience=self._patience))
            self._notes = Notes(self._home)
            stack.callback(self._notes.close)
            self._notes.catch_up()
            self._removed = removed_ids(self._home)
            self._writer = ImportWriter(self._home, self._notes)
            stack.callback(self._writer.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def bring(self, path: Path, choose: Choose, brought: Brought) -> None:
        """Import one file, if anything about it is new.

        Raises:
            JournalError: our own home cannot be written.
        """
        try:
            mark = stamp(path)
            seen = self._notes.file(_key(path))
            if seen is not None and seen.stamp == mark and not seen.waiting:
                brought.unchanged += 1
                return
            with snapshot(path, folder=self._home.cache) as shot:
                self._bring(shot, mark, choose, brought)
        except SourceError as error:
            brought.failed.append(str(error))

    def _bring(self, shot: Snapshot, mark: str, choose: Choose, brought: Brought) -> None:
        path, copy, waiting = shot.content.path, None, brought.waiting
        for part in _parts(shot, choose, folder=self._home.cache):
            if isinstance(part, Unknown):
                brought.unknown[part.kind] += 1
                continue
            importer, content = part
            copy = copy or self._keep(shot, importer.name)
            for item in importer.read(content):
                if isinstance(item, Turn):
                    self._take(item, importer.name, content, brought)
                else:
                    _count(item, brought)
        if copy is None:
            raise SourceError(f"{path}: holds nothing that an importer knows: name the source")
        self._writer.commit()
        brought.files += 1
        self._notes.set_file(_key(path), SeenFile(mark, brought.waiting - waiting, copy))

    def _take(self, turn: Turn, source: str, content: Content, brought: Brought) -> None:
        brought.sessions.add((source, turn.session))
        try:
            exchange = as_exchange(turn, source=source, content=content, file=self._name(content))
        except RecursionError:
            brought.unknown["nested too deeply"] += 1
            return
        if self._writer.has(exchange.id) or exchange.id in self._removed:
            brought.known += 1  # what was removed for ever does not come back
        else:
            self._writer.append(exchange)
            brought.turns += 1

    def _keep(self, shot: Snapshot, source: str) -> Copy:
        """Archive the bytes; the log beside a database is a part of it."""
        path, name = _key(shot.content.path), self._name(shot.content)
        if shot.log is not None:
            log = self._keep_file(shot, shot.log, source, f"{path}-wal", f"{name}-wal")
            self._notes.set_file(f"{path}-wal", SeenFile("", 0, log))
        return self._keep_file(shot, shot.file, source, path, name)

    def _keep_file(
        self, shot: Snapshot, file: IO[bytes], source: str, path: str, origin: str
    ) -> Copy:
        seen = self._notes.file(path)
        return self._archive.keep(
            file,
            source=source,
            origin=origin,
            modified_ns=shot.content.modified_ns,
            earlier=seen.copy if seen else None,
        )

    def _name(self, content: Content) -> str:
        """Name a file without naming the user."""
        for user in (self._user, self._user.resolve()):
            if content.path.is_relative_to(user):
                return f"~/{content.path.relative_to(user).as_posix()}"
        return content.path.as_posix()


def look_at(path: Path, choose: Choose, brought: Brought) -> None:
    """Count what an import of one file would meet; write nothing."""
    try:
        with snapshot(path, folder=None) as shot:
            brought.files += 1
            for part in _parts(shot, choose, folder=None):
                if isinstance(part, Unknown):
                    brought.unknown[part.kind] += 1
                    continue
                importer, content = part
                for item in importer.read(content):
                    if isinstance(item, Turn):
                        brought.sessions.add((importer.name, item.session))
                        brought.turns += 1
                    else:
                        _count(item, brought)
    except SourceError as error:
        brought.failed.append(str(error))


def imported_id(source: str, session: str, line: str) -> str:
    """Name an imported turn: uuid5 (RFC 9562) of source, session and line."""
    name = "\n".join((source, session, line)).encode("utf-8", "surrogatepass")
    return str(uuid.uuid5(_IMPORTED, name.decode("utf-8", "backslashreplace")))


def as_exchange(turn: Turn, *, source: str, content: Content, file: str) -> Exchange:
    """Put a turn into the form that records are written from; its usage is the wire's to count."""
    after = None if turn.after is None else imported_id(source, turn.session, turn.after)
    return Exchange(
        id=imported_id(source, turn.session, turn.line),
        time_ns=turn.time_ns or content.modified_ns,
        dialect=turn.dialect,
        path="",
        model=turn.model,
        provider_request_id=turn.provider_request_id,
        outcome=turn.outcome,
        client=replace(turn.client, name=turn.client.name or source),
        request=json_text(turn.request),
        response=None if turn.response is None else json_text(turn.response),
        imported={
            "source": source,
            "session": turn.session,
            "line": turn.line,
            "file": file,
            "after": after,
            **({"time_approximate": True} if turn.time_ns is None else {}),
        },
    )


def _key(path: PurePath) -> str:
    """Write a path as a text that any database takes, also one that is no UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _count(item: Unknown | Waiting, brought: Brought) -> None:
    if isinstance(item, Unknown):
        brought.unknown[item.kind] += 1
    else:
        brought.waiting += 1


def _parts(shot: Snapshot, choose: Choose, *, folder: Path | None) -> Iterator[Part]:
    """Give the file, or each member of an archive, with the importer that knows it."""
    content = shot.content
    head = content.data[:HEAD_BYTES]
    if not is_zip(head):
        importer = choose(head, content.path.name)
        if importer is not None:
            yield importer, content
        return
    with tempfile.TemporaryFile(dir=folder) as scratch:
        for member in unpack(shot.file, scratch):
            if isinstance(member, Unknown):
                yield member
                continue
            with mapped(scratch) as data:
                importer = choose(data[:HEAD_BYTES], member.name)
                if importer is None:
                    yield Unknown(f"member {kind_of(member.name)}")
                else:
                    yield importer, replace(content, data=data)
