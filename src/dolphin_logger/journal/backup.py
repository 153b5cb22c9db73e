"""Backup: a whole home in one file (`tar`, compressed by Zstandard), and a home out of such a file.

What can be made again (cache/) or belongs to running processes (run/) stays behind, and so does
config.json, which may hold keys, unless it is asked for. It knows files, not records.
Invariants: a running home may be copied: each growing file up to its last finished line, and every
blob that a copied line names; neither a copy nor a home is there under its name before it was read
back whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

import zstandard

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import (
    Home,
    make_private_folder,
    open_private_file,
    sync_folder,
)
from dolphin_logger.journal.lines import end_of_lines
from dolphin_logger.journal.sealed import WINDOW_LOG

# blobs after the lines that name them: they were written before
FOLDERS = ("tombstones", "labels", "logs", "imports", "connected", "archive", "blobs")
_CONFIG = "config.json"
_CONTENTS = "backup.json"  # the last member: what the others are
_PIECE = 1024 * 1024
_LEVEL = 3

Progress = Callable[[int], object]  # told how many bytes are through


@dataclass(slots=True)
class Contents:
    """What a backup holds: sha256 and size of each file, by its path below the home."""

    files: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Add up the sizes."""
        return sum(size for _, size in self.files.values())


def size_of(home: Home) -> int:
    """Add up the bytes of what a backup copies."""
    return sum(path.stat().st_size for path in _files(home) if path.is_file())


def write_backup(home: Home, target: Path, *, with_config: bool, progress: Progress) -> Contents:
    """Copy a home into a new file, and read it back. The caller holds the home's upkeep lock.

    Raises:
        JournalError: the file exists, the disk is full, or what was read back differs.
    """
    if target.exists():
        raise JournalError(f"{target}: exists; choose another name")
    part = target.with_name(f".{target.name}.{uuid.uuid4()}.part")
    try:
        with os.fdopen(open_private_file(part), "wb") as file:
            contents = _write(home, file, with_config=with_config, progress=progress)
            file.flush()
            os.fsync(file.fileno())
        if _read(part, take=_skip, progress=progress).files != contents.files:
            raise JournalError(f"{target}: did not read back as it was written; nothing is kept")
        part.replace(target)
        sync_folder(target.parent)
        return contents
    except OSError as error:
        raise JournalError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def restore_backup(source: Path, home: Home, *, progress: Progress) -> Contents:
    """Put the files of a backup into a home that has none. The caller holds the home's upkeep lock.

    Raises:
        JournalError: the home is not empty, or the backup is damaged; the home stays as it was.
    """
    full = next((path for path in _files(home) if path.is_file()), None)
    if full is not None:
        raise JournalError(
            f"{home.path}: is not empty ({full.relative_to(home.path)}); "
            "restore into an empty folder with DOLPHIN_LOGGER_HOME"
        )
    staging = home.path / f".restore-{uuid.uuid4()}"
    make_private_folder(staging)
    try:
        contents = _read(source, take=_into(staging), progress=progress)
        for path in sorted(staging.iterdir()):
            place = home.path / path.name
            if path.name == _CONFIG and place.exists():
                continue  # what is there was made on purpose
            path.replace(place)
        sync_folder(home.path)
        return contents
    except OSError as error:
        raise JournalError(f"{home.path}: cannot be restored: {error.strerror}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _files(home: Home) -> Iterator[Path]:
    """Give the files to copy, in an order in which nothing that is named is missing."""
    for folder in FOLDERS:
        for path in sorted((home.path / folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path


def _write(home: Home, file: IO[bytes], *, with_config: bool, progress: Progress) -> Contents:
    contents = Contents()
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=WINDOW_LOG, enable_ldm=True, write_checksum=True
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    with (
        compressor.stream_writer(file, closefd=False) as frame,
        tarfile.open(fileobj=frame, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in _files(home):
            _add(archive, path, home=home, contents=contents, progress=progress)
        if with_config and home.config.is_file():
            _add(archive, home.config, home=home, contents=contents, progress=progress)
        text = json.dumps(
            {"v": 1, "time": format_time(time.time_ns()), "files": contents.files}
        ).encode()
        archive.addfile(
            _member(_CONTENTS, size=len(text), modified_ns=time.time_ns()), io.BytesIO(text)
        )
    return contents


def _add(
    archive: tarfile.TarFile, path: Path, *, home: Home, contents: Contents, progress: Progress
) -> None:
    """Copy one file as long as it is now: what is appended meanwhile belongs to the next backup."""
    name = path.relative_to(home.path).as_posix()
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        status = os.fstat(file.fileno())
        size = end_of_lines(path) if _grows(path) else status.st_size
        copied = _Copied(file, size, progress)
        archive.addfile(_member(name, size=size, modified_ns=status.st_mtime_ns), copied)
        contents.files[name] = (copied.digest.hexdigest(), size)


def _grows(path: Path) -> bool:
    return path.suffix == ".jsonl"


def _member(name: str, *, size: int, modified_ns: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    seconds, rest = divmod(modified_ns, 10**9)
    member.pax_headers = {"mtime": f"{seconds}.{rest:09d}"}  # a float would lose digits
    return member


def _modified_ns(member: tarfile.TarInfo) -> int:
    seconds, _, rest = member.pax_headers["mtime"].partition(".")
    return int(seconds) * 10**9 + int(rest.ljust(9, "0")[:9])


class _Copied(io.RawIOBase):
    """The beginning of a file, hashed while it is read."""

    def __init__(self, file: IO[bytes], size: int, progress: Progress) -> None:
        self._file = file
        self._left = size
        self._progress = progress
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        self.digest.update(piece)
        self._progress(len(piece))
        return piece


Take = Callable[[tarfile.TarInfo], contextlib.AbstractContextManager[IO[bytes]]]


def _read(source: Path, *, take: Take, progress: Progress) -> Contents:
    """Read a backup through, and check every file against its list of contents."""
    found = Contents()
    listed: object = None
    try:
        with (
            source.open("rb") as file,
            zstandard.ZstdDecompressor(max_window_size=1 << WINDOW_LOG).stream_reader(
                file, read_across_frames=True
            ) as frame,
            tarfile.open(fileobj=frame, mode="r|") as archive,
        ):
            for member in archive:
                data = archive.extractfile(member)
                if data is None or not _is_ours(member.name):
                    raise JournalError(f"{source}: holds {member.name!r}, which no backup has")
                if member.name == _CONTENTS:
                    listed = json.loads(data.read()).get("files")
                    continue
                with take(member) as target:
                    found.files[member.name] = _copy(data, target, progress=progress)
    except (
        zstandard.ZstdError,
        tarfile.TarError,
        ValueError,
        LookupError,
        AttributeError,
        EOFError,
    ) as error:
        raise JournalError(f"{source}: is no whole backup: {error}") from error
    if listed != {name: list(facts) for name, facts in found.files.items()}:
        raise JournalError(f"{source}: is damaged or cut off; nothing was taken from it")
    return found


def _is_ours(name: str) -> bool:
    """Say whether a member's name is one that a backup has: nothing may lie outside the home."""
    path = PurePosixPath(name)
    if name in (_CONTENTS, _CONFIG):
        return True
    clean = not path.is_absolute() and ".." not in path.parts and "\\" not in name
    return clean and len(path.parts) > 1 and path.parts[0] in FOLDERS


def _copy(data: IO[bytes], target: IO[bytes], *, progress: Progress) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := data.read(_PIECE):
        digest.update(piece)
        size += len(piece)
        target.write(piece)
        progress(len(piece))
    return digest.hexdigest(), size


@contextlib.contextmanager
def _skip(_member: tarfile.TarInfo) -> Iterator[IO[bytes]]:
    """Take nothing: the bytes are only hashed."""
    with Path(os.devnull).open("wb") as nowhere:
        yield nowhere


def _into(folder: Path) -> Take:
    """Take each member into a private file below a folder, with its time."""

    @contextlib.contextmanager
    def take(member: tarfile.TarInfo) -> Iterator[Any]:
        path = folder / member.name
        make_private_folder(path.parent)
        with os.fdopen(open_private_file(path), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.utime(path, ns=(_modified_ns(member),) * 2)

    return take
