"""Connections: the files that `connect` changes, the backups beside them, and the way back.

The receipt of a client, `<home>/connected/<client>.json`, says which files were changed and holds
no text of them. Invariants: a file is replaced whole or not at all, and only if it still is what was
shown; what was there before stays readable beside it until it is restored; the mode stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.errors import DolphinError
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home, make_private_folder, open_private_file
from dolphin_logger.setup._api import Circumstances, Client, Edit, adapted
from dolphin_logger.setup.edits import apply, compare, undo
from dolphin_logger.setup.jsonc import MalformedError

_BACKUP = ".before-dolphin-logger"
_LIMIT = 16 << 20  # bytes; settings are small
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Change:
    """One file: its bytes now (None: there is none) and afterwards (None: there will be none)."""

    path: Path
    before: bytes | None
    after: bytes | None
    note: str = ""
    backup: Path | None = None

    @property
    def changes(self) -> bool:
        """Whether anything becomes different."""
        return self.before != self.after

    def diff(self) -> str:
        """Write the difference for a person."""
        return compare(_text(self.before), _text(self.after), name=str(self.path))


def receipt_path(home: Home, client: Client) -> Path:
    """Say where a client's receipt lies."""
    return home.path / "connected" / f"{client.name}.json"


def plan_connect(client: Client, given: Circumstances) -> list[Change]:
    """Work out what connecting a client changes; nothing is written.

    Raises:
        DolphinError: a file cannot be read, or not be changed safely.
    """
    changes = []
    for edit in adapted(client, given).edits:
        path = _target(edit.place.path(given.environ))
        before = _read(path)
        if edit.whole and before is not None:
            raise DolphinError(f"{path} exists already and is not ours; move it away first")
        try:
            after = apply(edit, _decode(before, path), given)
        except MalformedError as fault:
            raise MalformedError(f"{path}: {fault}") from None
        changes.append(Change(path, before, after.encode(errors="surrogatepass")))
    return [change for change in changes if change.changes]


def connect(client: Client, home: Home, given: Circumstances, changes: list[Change]) -> None:
    """Write what was planned, each file with its backup, and the receipt first.

    Raises:
        DolphinError: a file changed meanwhile, or cannot be written.
    """
    files = []
    for change in changes:
        _check_still(change)
        backup = None if change.before is None else _back_up(change)
        files.append(
            {
                "path": str(change.path),
                "backup": backup and str(backup),
                "before": _digest(change.before),
                "after": _digest(change.after),
            }
        )
    make_private_folder(home.path)
    make_private_folder(home.path / "connected")
    facts = {
        "v": 1,
        "client": client.name,
        "time": format_time(time.time_ns()),
        "base": given.base,
        "model": given.model,
        "files": files,
    }
    replace_file(receipt_path(home, client), json.dumps(facts, indent=2).encode() + b"\n")
    for change in changes:
        assert change.after is not None
        replace_file(change.path, change.after)


def read_receipt(home: Home, client: Client) -> dict[str, Any] | None:
    """Read what was connected; None when nothing was.

    Raises:
        DolphinError: the receipt cannot be read.
    """
    path = receipt_path(home, client)
    try:
        facts = json.loads(path.read_bytes())
        return facts if isinstance(facts["files"], list) else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        cure = "restore by hand from the file that ends in " + _BACKUP
        raise DolphinError(f"{path}: cannot be read; {cure}") from None


def plan_disconnect(
    client: Client, receipt: Mapping[str, Any], environ: Mapping[str, str]
) -> list[Change]:
    """Work out how the files become what they were.

    Raises:
        DolphinError: a file cannot be read, or not be changed safely.
    """
    given = Circumstances(receipt["base"], environ, model=receipt.get("model"))
    edits = {str(_target(edit.place.path(environ))): edit for edit in adapted(client, given).edits}
    return [_way_back(file, edits.get(file["path"]), given) for file in receipt["files"]]


def disconnect(client: Client, home: Home, changes: list[Change]) -> None:
    """Write what was planned; backups that are restored, and the receipt, go.

    Raises:
        DolphinError: a file changed meanwhile, or cannot be written.
    """
    for change in changes:
        _check_still(change)
        if change.after is None:
            change.path.unlink(missing_ok=True)
        elif change.changes:
            replace_file(change.path, change.after)
        if change.backup is not None and not change.note:
            change.backup.unlink(missing_ok=True)
    receipt_path(home, client).unlink(missing_ok=True)


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place whole, with the mode that it had, or 0600.

    Raises:
        DolphinError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _PRIVATE
        with os.fdopen(open_private_file(draft), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DolphinError(f"{path}: cannot be written: {error.strerror}") from error


def _way_back(file: Mapping[str, Any], edit: Edit | None, given: Circumstances) -> Change:
    path = Path(file["path"])
    backup = Path(file["backup"]) if file["backup"] else None
    now, old = _read(path), None if backup is None else _read(backup)
    lost = backup is not None and _digest(old) != file["before"]
    if _digest(now) == file["after"] and not lost:
        return Change(path, now, old, backup=backup)
    if now is None or _digest(now) == file["before"]:
        return Change(path, now, now, backup=None if lost else backup)
    if edit is None or edit.whole:
        return Change(path, now, now, note="changed since; it stays as it is", backup=backup)
    try:
        text = undo(edit, _decode(now, path), given, before=None if lost else _text(old))
    except MalformedError as fault:
        raise MalformedError(f"{path}: {fault}") from None
    note = "changed since: only our keys are taken out"
    return Change(path, now, text.encode(errors="surrogatepass"), note=note, backup=backup)


def _back_up(change: Change) -> Path:
    """Keep what is there in a new file beside it, for its owner alone."""
    assert change.before is not None
    for number in range(1, 1000):
        name = change.path.name + _BACKUP + (f"-{number}" if number > 1 else "")
        backup = change.path.with_name(name)
        try:
            with os.fdopen(open_private_file(backup), "wb") as file:
                file.write(change.before)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            continue
        except OSError as error:
            raise DolphinError(f"{backup}: cannot be written: {error.strerror}") from error
        return backup
    raise DolphinError(f"{change.path}: too many backups beside it; remove the old ones")


def _check_still(change: Change) -> None:
    if _read(change.path) != change.before:
        raise DolphinError(f"{change.path} was changed by somebody else just now; try again")


def _target(path: Path) -> Path:
    """Follow links: the file behind them is the one to change."""
    return path.resolve()


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DolphinError(f"{path}: is no regular file")
            content = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DolphinError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > _LIMIT:
        raise DolphinError(f"{path}: is larger than {_LIMIT >> 20} MiB; nothing is changed")
    return content


def _decode(content: bytes | None, path: Path) -> str:
    try:
        return (content or b"").decode()
    except UnicodeDecodeError:
        raise MalformedError(f"{path}: is not UTF-8; nothing is changed") from None


def _text(content: bytes | None) -> str:
    return (content or b"").decode(errors="replace")


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
