"""Withdrawals: conversations that were taken back, and stay out of every dataset for ever.

    <home>/datasets/withdrawn.jsonl      one object a line: conversation, time

Lines are only ever added. It knows ids, not what was said.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home, make_private_folder

_MODE: Final = 0o600


def withdrawn_ids(home: Home) -> set[str]:
    """Give the conversations that were withdrawn.

    Raises:
        DatasetError: the list is damaged: to guess could publish what was taken back.
    """
    path = _path(home)
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return set()
    try:
        return {str(json.loads(line)["conversation"]) for line in lines if line.strip()}
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: a line is damaged: {error}; mend it by hand") from error


def withdraw(home: Home, conversation: str, *, time: str) -> None:
    """Note that a conversation is taken back; once."""
    if conversation in withdrawn_ids(home):
        return
    make_private_folder(home.datasets)
    line = json.dumps({"conversation": conversation, "time": time}).encode() + b"\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(_path(home), flags, _MODE)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _path(home: Home) -> Path:
    return home.datasets / "withdrawn.jsonl"
