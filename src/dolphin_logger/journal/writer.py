"""The writer: one per process, one segment per process and day, one write(2) per record.

It knows lines and files, not proxies. A segment is created with O_EXCL and never written to by
anyone else, so a torn tail can never swallow another record; the lock on it says that it is open.
Invariants: no torn line stays in a segment; a record that cannot be written is kept in a bounded
window and tried again; what falls out of the window is counted, never silent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import uuid
import weakref
from collections import deque
from pathlib import Path

from dolphin_logger.errors import JournalError
from dolphin_logger.exchange import Exchange
from dolphin_logger.journal.blobs import BlobWriter
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import (
    Home,
    make_private_folder,
    open_private_file,
    sync_folder,
)
from dolphin_logger.journal.locks import try_lock

# An agent sends its whole history with every request, and a sealed segment keeps that history once:
# the larger a segment, the less is kept. See docs/decisions/0005-sealing.md.
SEGMENT_BYTES = 1024 * 1024 * 1024
_DAY_SECONDS = 86_400
WINDOW_BYTES = 64 * 1024 * 1024

_log = logging.getLogger(__name__)


class Journal:
    """Appends exchanges to the segments of one home folder. Safe to call from several threads."""

    def __init__(self, home: Home, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.home = home
        self.records = 0
        self.dropped = 0
        self.trouble: str | None = None  # why records wait in memory, None when they do not
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._seq = 0
        self._descriptor = -1
        self._day = 0  # since the epoch, UTC
        self._size = 0
        self._unsynced = False
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self.segment: Path | None = None
        if hasattr(os, "register_at_fork"):
            own = weakref.ref(self)
            os.register_at_fork(after_in_child=lambda: _disown_after_fork(own))

    def append(self, exchange: Exchange) -> bool:
        """Write one exchange; return whether it is in a file now (else it waits in memory)."""
        with self._lock:
            self._seq += 1
            line = encode(exchange, seq=self._seq)
            if self._waiting and not self._write_waiting():
                self._keep(line)
                return False
            return self._try(line)

    def blob(self) -> BlobWriter:
        """Start a blob of this home.

        Raises:
            OSError: the disk is full or gone.
        """
        return BlobWriter(self.home.blobs)

    def waiting(self) -> int:
        """Count the records that wait in memory."""
        return len(self._waiting)

    def tend(self) -> None:
        """Do what must happen about twice a second: retry, leave what is deleted or of yesterday, fsync."""
        with self._lock:
            self._leave_deleted_segment()
            if self._descriptor >= 0 and _today() != self._day:
                self._close_segment()  # nothing may come for days: let it be sealed
            if self._waiting:
                self._write_waiting()
            if not self._unsynced or self._descriptor < 0:
                return
            self._unsynced = False
            descriptor = os.dup(self._descriptor)
        try:
            _sync(descriptor)
        except OSError as error:
            # After a failed fsync the kernel may have dropped the pages: never trust this file again.
            _log.error("fsync of %s failed (%s): a new segment follows", self.segment, error)
            with self._lock:
                self._close_segment()
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Flush and close; what still waits in memory is counted as dropped."""
        self.tend()
        with self._lock:
            if self._waiting:
                self.dropped += len(self._waiting)
                _log.error("%d records could not be written and are lost", len(self._waiting))
                self._waiting.clear()
            self._close_segment()

    def _try(self, line: bytes) -> bool:
        try:
            self._write(line)
        except (OSError, JournalError) as error:
            if self.trouble is None:
                _log.error("records cannot be written (%s): they wait in memory", error)
            self.trouble = str(error)
            self._keep(line)
            return False
        self.trouble = None
        return True

    def _keep(self, line: bytes) -> None:
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        while self._waiting_bytes > WINDOW_BYTES:
            self._waiting_bytes -= len(self._waiting.popleft())
            self.dropped += 1

    def _write_waiting(self) -> bool:
        """Write what waits, oldest first; return whether nothing waits any more."""
        while self._waiting:
            line = self._waiting.popleft()
            self._waiting_bytes -= len(line)
            try:
                self._write(line)
            except (OSError, JournalError) as error:
                self.trouble = str(error)
                self._waiting.appendleft(line)
                self._waiting_bytes += len(line)
                return False
        self.trouble = None
        _log.warning("records can be written again")
        return True

    def _write(self, line: bytes) -> None:
        day = _today()
        if self._descriptor < 0 or day != self._day or self._size >= self._segment_bytes:
            self._open_segment(day)
        written = 0
        try:
            written = os.write(self._descriptor, line)
        finally:
            if written != len(line):
                self._take_back()
        if written != len(line):
            raise JournalError(
                f"{self.segment}: only {written} of {len(line)} bytes fit: disk full?"
            )
        self._size += written
        self.records += 1
        self._unsynced = True

    def _take_back(self) -> None:
        """Remove what a full disk took of a line; where that fails, never write behind the torn part."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError as error:
            _log.error("%s keeps a torn line (%s): a new segment follows", self.segment, error)
            self._close_segment()

    def _open_segment(self, day: int) -> None:
        self._close_segment()
        make_private_folder(self.home.logs)
        date = time.strftime("%Y-%m-%d", time.gmtime(day * _DAY_SECONDS))
        self.segment = self.home.logs / f"{date}_{uuid.uuid4()}.jsonl"
        self._descriptor = open_private_file(self.segment, append=True)
        try_lock(self._descriptor)
        self._day = day
        self._size = 0
        sync_folder(self.home.logs)

    def _leave_deleted_segment(self) -> None:
        """Notice that the file was removed or replaced: writing on would lose records silently."""
        if self._descriptor < 0 or self.segment is None:
            return
        try:
            there = self.segment.stat()
            mine = os.fstat(self._descriptor)
            if (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
                return
        except OSError:
            pass
        _log.error("%s was removed or replaced: a new segment follows", self.segment)
        self._close_segment()

    def _close_segment(self) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                _sync(self._descriptor)
            os.close(self._descriptor)
        self._descriptor = -1

    def _disown(self) -> None:
        """In a forked child: leave the parent's segment, window and lock to the parent."""
        self._lock = threading.Lock()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._waiting.clear()
        self._waiting_bytes = 0


def _today() -> int:
    return int(time.time()) // _DAY_SECONDS


def _disown_after_fork(journal: weakref.ref[Journal]) -> None:
    living = journal()
    if living is not None:
        living._disown()


def _sync(descriptor: int) -> None:
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)
