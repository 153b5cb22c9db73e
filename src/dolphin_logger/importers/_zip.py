"""Archives that services send: the members that may hold conversations, unpacked with limits.

A member is never written to a path of its own name. It knows zip files, not their contents.
Invariants: what is unpacked at a time is at most MEMBER_LIMIT, of one archive TOTAL_LIMIT; a member
that is more than it says, or packed beyond reason, is passed over and named.

Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from dolphin_logger.importers._api import Unknown

MEMBER_LIMIT = 2 * 1024 * 1024 * 1024
TOTAL_LIMIT = 8 * 1024 * 1024 * 1024
RATIO_LIMIT = 200  # text of conversations packs to a tenth or so; what packs better is checked
_FREE = 16 * 1024 * 1024  # bytes below which the ratio does not matter
_MEMBERS = 100_000
_CHUNK = 1024 * 1024
_SUFFIXES = (".json", ".jsonl")


def is_zip(head: bytes) -> bool:
    """Tell a zip file by its first bytes."""
    return head.startswith(b"PK\x03\x04")


def unpack(file: IO[bytes], scratch: IO[bytes]) -> Iterator[PurePosixPath | Unknown]:
    """Unpack the JSON members one after another into `scratch`; give the name of each."""
    try:
        with zipfile.ZipFile(file) as archive:
            total = 0
            for member in archive.infolist()[:_MEMBERS]:
                name = PurePosixPath(member.filename.replace("\\", "/"))
                if member.is_dir() or name.suffix.lower() not in _SUFFIXES:
                    continue
                scratch.seek(0)
                scratch.truncate()
                total += member.file_size
                if _is_bomb(member) or total > TOTAL_LIMIT:
                    yield Unknown("member beyond the limits")
                elif _copy(archive, member, scratch):
                    yield name
                else:
                    yield Unknown("damaged member")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        yield Unknown("damaged zip")


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    if member.file_size > MEMBER_LIMIT:
        return True
    return member.file_size > max(_FREE, member.compress_size * RATIO_LIMIT)


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, scratch: IO[bytes]) -> bool:
    """Unpack one member; zipfile gives no more bytes than it claims, and checks their sum."""
    try:
        with archive.open(member) as packed:
            shutil.copyfileobj(packed, scratch, _CHUNK)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ):
        return False
    scratch.flush()
    return True
