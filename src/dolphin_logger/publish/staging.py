"""Staging: everything that one publication would change in a repository, as files on this disk.

What was built is compared with what the repository has: rows that are there stay out, rows of this
machine that are there in another form are replaced, what was taken back goes. It reads from the Hub
and writes only into its folder. Invariants: only files under this contributor's names are touched, the
card and its pictures excepted; the same dataset over the same repository gives the same bytes.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from dolphin_logger._version import __version__
from dolphin_logger.curate.rows import decode_row, read_lines
from dolphin_logger.curate.writers import open_shard
from dolphin_logger.errors import DatasetError, LeakError
from dolphin_logger.publish import card as cards
from dolphin_logger.publish.built import Built, BuiltFile
from dolphin_logger.publish.card import Shape
from dolphin_logger.publish.carried import Again, Clean, carry, findings_in, is_gone
from dolphin_logger.publish.changes import Changes, RemoteFile, read_changes
from dolphin_logger.publish.contributions import (
    FOLDER,
    LARGEST,
    Contribution,
    GivenFile,
    Origin,
    hash_row,
    read_contribution,
)
from dolphin_logger.publish.facts import facts_of, shapes_of
from dolphin_logger.publish.fresh import Known
from dolphin_logger.publish.hub import Hub, Pull, Remote
from dolphin_logger.publish.summary import Summary, summarise

_LARGEST_CARD: Final = 4 << 20  # bytes: a larger one is nobody's that we could mend
_IMAGE: Final = re.compile(rb"images/[0-9a-f]{64}\.\w{1,8}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants published.

    Attributes:
        built: the dataset; None when only what was given before is looked at again.
        contributor: this home's name. license: of the dataset, as the Hub spells it.
        removed: ids of records and conversations that were removed or withdrawn.
        languages: codes for the card. check_others: whether other contributors' rows are scanned too.
        waiting: pull requests, anybody's, that are not merged yet: what ours hold is not sent again, and no
            file that one of them changes is changed here too.
    """

    built: Built | None
    contributor: str
    license: str
    removed: Collection[str] = ()
    languages: tuple[str, ...] = ()
    check_others: bool = True
    waiting: tuple[Pull, ...] = ()


@dataclass(slots=True)
class Staged:
    """What would change, and what a reviewer wants to know of it.

    Attributes:
        changes: the exact files. base: the commit that they were made for.
        new: rows by export. conversations: those that are new. summary: what is told of the new rows.
        known: rows of the dataset that the repository has already, or others gave.
        dropped, cleaned: rows of this machine that go, or are cleaned again, by path.
        others: rows of other contributors in which something was found, by path.
        unreadable: files of theirs that hold no rows.
        files: the new ones, by shape. whose: the conversations of their rows; one where a file is one.
        busy: pull requests that change our files already; those files wait for them to be merged.
    """

    changes: Changes
    base: str
    new: dict[str, int] = field(default_factory=dict)
    conversations: set[str] = field(default_factory=set)
    summary: Summary = field(default_factory=Summary)
    known: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    cleaned: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    files: list[tuple[str, Path]] = field(default_factory=list)
    whose: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _New:
    """New rows of one built file, written but not named yet."""

    shape: Shape
    file: BuiltFile
    path: Path
    origins: tuple[Origin, ...]


class Staging:
    """Puts together one publication. Use once."""

    def __init__(
        self, hub: Hub, remote: Remote, wish: Wish, *, folder: Path, clean: Clean, check: Clean
    ) -> None:
        """Begin; `clean` is for rows that are there, `check` for new ones, which must be clean."""
        self._hub, self._remote, self._wish = hub, remote, wish
        self._clean, self._check = clean, check
        self._files = folder / "files"
        self._fetched = folder / "fetched"
        for one in (self._files, folder / "work"):
            shutil.rmtree(one, ignore_errors=True)
        self._work = folder / "work"
        self._files.mkdir(parents=True, mode=0o700)
        self._work.mkdir(mode=0o700)
        self._tree = hub.tree(remote.head) if remote.head else {}
        self._given = list(self._read_given())
        self._deletions: list[str] = []
        self._numbers = itertools.count()
        self._busy = self._find_busy()
        self._staged = Staged(Changes(()), remote.head)

    def run(self) -> Staged:
        """Write all files; say what they change."""
        added = self._stage_new()
        kept = self._stage_carried()
        if self._wish.check_others:
            self._look_at_others()
        touched = added is not None or bool(self._deletions) or any(self._files.iterdir())
        if touched:
            self._stage_card([*kept, *([added] if added else [])])
        self._staged.changes = read_changes(self._files, deletions=self._deletions)
        return self._staged

    @property
    def _ours(self) -> list[Contribution]:
        return [one for one in self._given if one.contributor == self._wish.contributor]

    @property
    def _theirs(self) -> list[Contribution]:
        return [one for one in self._given if one.contributor != self._wish.contributor]

    def _read_given(self) -> Iterator[Contribution]:
        for path in sorted(self._tree):
            if (
                path.startswith(f"{FOLDER}/")
                and path.endswith(".json")
                and self._tree[path].size <= LARGEST
            ):
                found = read_contribution(self._fetch(path).read_bytes())
                if found is not None and found.path == path:
                    yield found

    def _find_busy(self) -> dict[str, str]:
        """Give the paths that a waiting pull request changes, with its address.

        Our own files wait for our own pull requests alone: a stranger's must not hold up what is taken back.
        """
        found: dict[str, str] = {}
        for pull in self._wish.waiting:
            tree = self._hub.tree(pull.ref)
            for path in tree.keys() | self._tree.keys():
                is_ours = pull.author == self._remote.user and f"-{self._wish.contributor}-" in path
                if (is_ours or path == cards.PATH) and tree.get(path) != self._tree.get(path):
                    found[path] = pull.url
        return found

    def _read_waiting(self) -> Iterator[Contribution]:
        for pull in self._wish.waiting:
            if pull.author != self._remote.user:
                continue
            for path in sorted(self._hub.tree(pull.ref)):
                if path.startswith(f"{FOLDER}/{self._wish.contributor}-"):
                    folder = self._fetched / f"pr-{pull.number}"
                    source = self._hub.download(path, revision=pull.ref, folder=folder)
                    found = read_contribution(source.read_bytes())
                    if found is not None:
                        yield found

    def _fetch(self, path: str) -> Path:
        """Bring a file of the base commit here; files are kept by commit, for a run that resumes."""
        return self._hub.download(
            path, revision=self._remote.head, folder=self._fetched / self._remote.head
        )

    # what is new

    def _stage_new(self) -> Contribution | None:
        """Write the rows that the repository does not have, file by file, under names of their own."""
        built = self._wish.built
        if built is None:
            return None
        known = Known(self._theirs, [*self._ours, *self._read_waiting()], self._wish.removed)
        digest, summary = hashlib.sha256(), self._staged.summary
        made: list[_New] = []
        for shape, files in built.files.items():
            for file in files:
                new = self._stage_file(shape, file, known, digest.update)
                if new is not None:
                    made.append(new)
                    self._count(new)
        self._staged.known = known.met
        if not made:
            return None
        batch = digest.hexdigest()[:8]
        given = [self._name(new, number, batch) for number, new in enumerate(made)]
        summary.conversations = len(self._staged.conversations)
        contribution = Contribution(
            contributor=self._wish.contributor,
            batch=batch,
            files=tuple(given),
            summary=replace(summary, findings=Counter(built.findings)),
            shapes=tuple(built.files),
            rules=dict(built.rules),
            tool=f"dolphin-logger {__version__}",
            first=built.first,
            last=built.last,
        )
        self._write(contribution.path, contribution.to_json())
        return contribution

    def _stage_file(
        self, shape: Shape, file: BuiltFile, known: Known, take: Callable[[bytes], object]
    ) -> _New | None:
        """Write the new rows of one file; None where it has none."""
        if shape.is_file_each:
            data = file.path.read_bytes()
            origin = Origin(file.conversations[0], hash_row(data))
            if not known.is_new(shape.name, origin):
                return None
            rows: Iterable[tuple[Origin, bytes]] = [
                (origin, line) for line in data.splitlines(keepends=True)
            ]
        else:
            rows = self._fresh_rows(shape, file, known)
        path = self._work / f"new-{next(self._numbers)}"
        origins: list[Origin] = []
        with open_shard(path, shape.typed, form=shape.suffix) as shard:
            for origin, line in rows:
                self._need_clean(line, file)
                shard.add(line)
                origins.append(origin)
                take(line)
                self._stage_images(line)
        if not origins:
            path.unlink()
            return None
        if shape.is_file_each:
            origins = origins[:1]
        return _New(shape, file, path, tuple(origins))

    def _need_clean(self, line: bytes, file: BuiltFile) -> None:
        if self._check(decode_row(line))[1]:
            raise LeakError(
                f"{file.path}: a row holds what must not leave as of today (a rule or a secret that was not known "
                "when it was built); run `dolphin-logger dataset build` again"
            )

    def _fresh_rows(
        self, shape: Shape, file: BuiltFile, known: Known
    ) -> Iterator[tuple[Origin, bytes]]:
        lines = (line for line, _ in read_lines(file.path))
        for conversation, line in zip(file.conversations, lines, strict=True):
            origin = Origin(conversation, hash_row(line))
            if known.is_new(shape.name, origin):
                yield origin, line

    def _count(self, new: _New) -> None:
        name = new.shape.name
        rows = (row for _, row in read_lines(new.path, form=new.shape.suffix))
        found = summarise(name, rows)
        self._staged.summary.add(found)
        self._staged.new[name] = self._staged.new.get(name, 0) + found.rows[name]
        self._staged.conversations |= {origin.conversation for origin in new.origins}

    def _name(self, new: _New, number: int, batch: str) -> GivenFile:
        """Put a written file where it will stand in the repository."""
        shape, who = new.shape, self._wish.contributor
        ending = f"{batch}-{number:05d}"
        if shape.is_file_each:
            ending = new.file.path.stem.partition("-")[2]
        path = f"data/{shape.name}/{new.file.split}-{who}-{ending}.{shape.suffix}"
        target = self._files / path
        target.parent.mkdir(parents=True, exist_ok=True)
        new.path.rename(target)
        self._staged.files.append((shape.name, target))
        self._staged.whose[target] = tuple([origin.conversation for origin in new.origins])
        return GivenFile(path, shape.name, new.file.split, new.origins)

    def _stage_images(self, line: bytes) -> None:
        built = self._wish.built
        assert built is not None
        for found in _IMAGE.findall(line):
            path = found.decode()
            sources = [folder / path for folder in built.folders]
            source = next((one for one in sources if one.is_file()), None)
            if path not in self._tree and source is not None:
                self._write(path, source.read_bytes())

    # what was given before

    def _stage_carried(self) -> list[Contribution]:
        """Look at this machine's own files again; give its contributions as they will be."""
        said_again = self._said_again()
        kept = []
        for one in self._ours:
            busy = {self._busy[file.path] for file in one.files if file.path in self._busy}
            if busy:
                self._staged.busy |= busy
                kept.append(one)
                continue
            shapes = {shape.name: shape for shape in one.shapes}
            again = [
                self._carry(file, shapes[file.export], said_again)
                for file in one.files
                if file.export in shapes and file.path in self._tree
            ]
            if not any(found.is_changed for found in again):
                kept.append(one)
                continue
            files = tuple([found.given for found in again if found.path is not None])
            if not files:
                self._deletions.append(one.path)
                continue
            better = self._summed_up(one, files, again)
            self._write(better.path, better.to_json())
            kept.append(better)
        return kept

    def _said_again(self) -> dict[tuple[str, str], set[str]]:
        """Give, by export and conversation, the hashes of the rows that the dataset has today."""
        found: dict[tuple[str, str], set[str]] = {}
        if self._wish.built is None or not self._ours:
            return found
        for shape, files in self._wish.built.files.items():
            for file in files:
                if shape.is_file_each:
                    key = (shape.name, file.conversations[0])
                    found.setdefault(key, set()).add(hash_row(file.path.read_bytes()))
                    continue
                lines = (line for line, _ in read_lines(file.path))
                for conversation, line in zip(file.conversations, lines, strict=True):
                    found.setdefault((shape.name, conversation), set()).add(hash_row(line))
        return found

    def _carry(
        self, file: GivenFile, shape: Shape, said_again: Mapping[tuple[str, str], set[str]]
    ) -> Again:
        staged = self._files / file.path
        if staged.exists():  # written anew under the same name
            return Again(GivenFile(file.path, file.export, file.split, ()), None)

        def gone(origin: Origin, row: object) -> bool:
            today = said_again.get((file.export, origin.conversation))
            if today is not None and origin.hash not in today:
                return True
            return is_gone(origin, row, removed=self._wish.removed)

        try:
            again = carry(
                file,
                self._fetch(file.path),
                shape=shape,
                gone=gone,
                clean=self._clean,
                target=self._work / hashlib.sha256(file.path.encode()).hexdigest(),
            )
        except (ValueError, RecursionError) as error:
            raise DatasetError(
                f"{file.path} of {self._remote.name} bears this machine's name and cannot be read: somebody "
                "changed it there; undo that change, or delete the file"
            ) from error
        if again.dropped:
            self._staged.dropped[file.path] = again.dropped
        if again.cleaned:
            self._staged.cleaned[file.path] = again.cleaned
        if again.path is None:
            self._deletions.append(file.path)
        elif again.is_changed:
            staged.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(again.path, staged)
        return again

    def _summed_up(
        self, one: Contribution, files: tuple[GivenFile, ...], again: list[Again]
    ) -> Contribution:
        summary = Summary()
        for found in again:
            if found.path is not None:
                rows = (row for _, row in read_lines(found.path, form=_form(found.given.path)))
                summary.add(summarise(found.given.export, rows))
        summary.findings.update(one.summary.findings)
        made = Contribution(
            one.contributor,
            one.batch,
            files,
            summary,
            one.shapes,
            one.rules,
            one.tool,
            one.first,
            one.last,
        )
        summary.conversations = len(made.conversations)
        return made

    def _look_at_others(self) -> None:
        for one in self._theirs:
            for file in one.files:
                if file.path not in self._tree:
                    continue
                try:
                    count = findings_in(self._fetch(file.path), self._clean)
                except (ValueError, RecursionError):
                    self._staged.unreadable.add(file.path)
                    continue
                if count:
                    self._staged.others[file.path] = count

    # the card

    def _stage_card(self, ours: list[Contribution]) -> None:
        """Write the card where it is ours to write: none is there yet, it lacks a shape, or we own it."""
        every = [*self._theirs, *ours]
        present = self._tree.get(cards.PATH)
        text = self._read_card() if present else ""
        if text is None:
            return
        above = cards.written_above(text) if text else ""
        shapes = shapes_of(every)
        if cards.PATH in self._busy:
            return
        is_bare = not present or not text.strip()
        lacks = any(f"config_name: {shape.name}\n" not in text for shape in shapes)
        if not is_bare and (above is None or not (self._remote.may_write or lacks)):
            return
        facts = facts_of(
            every,
            repository=self._remote.name,
            license_=self._wish.license,
            languages=self._wish.languages,
        )
        self._write(cards.PATH, cards.write_card(facts, above=above or "").encode())
        for path, drawn in cards.plots_of(facts.summary).items():
            self._write(path, drawn.encode())

    def _read_card(self) -> str | None:
        """Read the card that is there; None when it is none that could be mended."""
        if self._tree[cards.PATH].size > _LARGEST_CARD:
            return None
        try:
            return self._fetch(cards.PATH).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None

    def _write(self, path: str, data: bytes) -> None:
        """Stage a file, if the repository does not have it so."""
        if _is_same(self._tree.get(path), data):
            return
        target = self._files / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _form(path: str) -> str:
    return path.rpartition(".")[2]


def _is_same(found: RemoteFile | None, data: bytes) -> bool:
    if found is None or found.size != len(data):
        return False
    if found.sha256 is not None:
        return found.sha256 == hashlib.sha256(data).hexdigest()
    oid = hashlib.sha1(b"blob %d\x00" % len(data) + data, usedforsecurity=False).hexdigest()
    return found.oid == oid
