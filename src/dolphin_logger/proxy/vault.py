"""The vault: what a client's language cannot carry of an answer, until the client sends its calls back.

    cache/vault/YYYY-MM-DD_<uuid>.jsonl     one line per answer: {"ids": [...], "kept": ...}

Append-only, one file per process and day, so that several processes share it and a restart loses nothing.
It knows keys and JSON values, not languages. It is a cache: nothing here is a record, a damaged line is
passed over, and a file goes when it is 30 days old. What must not be recorded stays in memory.
Invariant: `recall` finds exactly what `keep` was given, or None.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from dolphin_logger.errors import JournalError
from dolphin_logger.journal.home import make_private_folder, open_private_file

DAYS: Final = 30
_MEMORY: Final = 16 * 1024 * 1024  # bytes of values that need no disk
_MOST_KEYS: Final = 200_000
_HEAD: Final = re.compile(rb'\{"ids":(\[.*?\]),"kept":')
_log = logging.getLogger(__name__)


class Vault:
    """The values of one home, by key; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._recent_bytes = 0
        self._places: OrderedDict[str, tuple[Path, int, int]] = OrderedDict()
        self._read: dict[Path, int] = {}  # how far each file has been read
        self._descriptor = -1
        self._day = ""
        self._path = folder

    def keep(self, values: Mapping[str, Any], *, on_disk: bool) -> None:
        """Keep JSON values by key; a disk that refuses costs only the memory of a restart."""
        for value, keys in _grouped(values):
            with self._lock:
                for key in keys:
                    self._remember(key, value)
                if on_disk:
                    self._append(b'{"ids":%s,"kept":%s}\n' % (orjson.dumps(keys), value))

    def recall(self, scope: str) -> Callable[[str], Any]:
        """Begin to ask for one request: by the rest of a key, a value or None.

        Other processes' files are looked at once, when the first key is unknown here: a long history asks
        for hundreds.
        """
        caught_up = False

        def recall(rest: str) -> Any:
            nonlocal caught_up
            key = scope + rest
            with self._lock:
                if key not in self._recent and key not in self._places and not caught_up:
                    caught_up = True
                    self._catch_up()
                value = self._recent.get(key) or self._fetch(key)
            return None if value is None else orjson.loads(value)

        return recall

    def warm(self) -> None:
        """Read what lies there, and remove what is too old; for a thread at the start."""
        with self._lock:
            self._remove_old()
            self._catch_up()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    # --- all below with the lock held

    def _remember(self, key: str, value: bytes) -> None:
        self._recent_bytes += len(value) - len(self._recent.pop(key, b""))
        self._recent[key] = value
        while self._recent_bytes > _MEMORY and len(self._recent) > 1:
            _, oldest = self._recent.popitem(last=False)
            self._recent_bytes -= len(oldest)

    def _append(self, line: bytes) -> None:
        try:
            self._open()
            written = os.write(self._descriptor, line)
            if written < len(line):  # a full disk: end the half line, readers pass it over
                os.write(self._descriptor, b"\n")
        except (OSError, JournalError) as error:
            _log.warning("the vault cannot be written (%s): signatures are kept in memory", error)
            self._close()

    def _open(self) -> None:
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        if self._descriptor >= 0 and day == self._day and self._path.exists():
            return
        self._close()
        make_private_folder(self._folder)
        self._path = self._folder / f"{day}_{uuid.uuid4()}.jsonl"
        self._descriptor = open_private_file(self._path, append=True)
        self._day = day
        self._remove_old()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _remove_old(self) -> None:
        oldest = (datetime.now(UTC) - timedelta(days=DAYS)).strftime("%Y-%m-%d")
        for path in self._folder.glob("*.jsonl"):
            if path.name[:10] < oldest:
                path.unlink(missing_ok=True)
                self._read.pop(path, None)

    def _catch_up(self) -> None:
        """Read what this or another process has appended since."""
        for path in sorted(self._folder.glob("*.jsonl")):
            start = self._read.get(path, 0)
            try:
                if path.stat().st_size <= start:
                    continue
                with path.open("rb") as file:
                    file.seek(start)
                    for line in file:
                        if not line.endswith(b"\n"):
                            break  # is being written
                        self._note(line, path, start)
                        start += len(line)
            except OSError:
                continue
            self._read[path] = start

    def _note(self, line: bytes, path: Path, offset: int) -> None:
        head = _HEAD.match(line)
        if head is None:
            return
        try:
            keys = orjson.loads(head[1])
        except orjson.JSONDecodeError:
            return
        for key in keys:
            self._places[key] = (path, offset + head.end(), len(line) - head.end() - 2)
        while len(self._places) > _MOST_KEYS:
            self._places.popitem(last=False)

    def _fetch(self, key: str) -> bytes | None:
        place = self._places.get(key)
        if place is None:
            return None
        path, offset, length = place
        try:
            with path.open("rb") as file:
                file.seek(offset)
                value = file.read(length)
            orjson.loads(value)
        except (OSError, orjson.JSONDecodeError):  # removed, or damaged
            del self._places[key]
            return None
        self._remember(key, value)
        return value


def _grouped(values: Mapping[str, Any]) -> list[tuple[bytes, list[str]]]:
    """Write each value once, with all of its keys: the calls of one answer share theirs."""
    groups: dict[bytes, list[str]] = {}
    for key, value in values.items():
        try:
            groups.setdefault(orjson.dumps(value), []).append(key)
        except TypeError:  # what orjson refuses (a lone surrogate) no provider would take back
            continue
    return list(groups.items())
