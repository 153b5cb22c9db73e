"""Private: files with recorded text that a command writes, or has written, for its user alone."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from dolphin_logger.errors import DolphinError
from dolphin_logger.journal.home import open_private_file


def write_private(path: Path, text: str) -> None:
    """Put a text into a file, readable by its owner alone, whole or not at all.

    Raises:
        DolphinError: it cannot be written there.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(open_private_file(new), "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
        new.replace(path)
    except OSError as error:
        raise DolphinError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink()


def keep_private() -> None:
    """Have every file of this process, also those that packages write, be its owner's alone."""
    os.umask(0o077)
