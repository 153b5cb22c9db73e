"""Where a client's program is: on PATH, or where its installer puts it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from dolphin_logger.errors import DolphinError
from dolphin_logger.setup._api import Client, expand


def find_program(client: Client, environ: Mapping[str, str]) -> str:
    """Find the program of a client.

    Raises:
        DolphinError: it is not installed; the message says how to.
    """
    for name in client.programs:
        if "/" not in name:
            found = shutil.which(name, path=environ.get("PATH"))
        else:
            path = expand(name, environ)
            found = str(path) if path.is_file() and os.access(path, os.X_OK) else None
        if found:
            return found
    raise DolphinError(
        f"{client.title} is not installed (no {client.programs[0]!r} on PATH); cure: {client.install}"
    )
