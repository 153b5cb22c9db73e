"""Reading the clients' own files, to learn what they are set to.

It never writes and never fails: what cannot be read says nothing. JSON may have comments.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.errors import DolphinError
from dolphin_logger.setup import dotenv, jsonc
from dolphin_logger.setup._api import Client, Format

_LIMIT = 4 << 20  # bytes; settings are small


def read_object(path: Path, kind: Format) -> dict[str, Any]:
    """Read a file of settings as an object; an empty one when it cannot be."""
    try:
        with path.open("rb") as file:
            text = file.read(_LIMIT).decode("utf-8-sig")
        value = _parse(text, kind)
    except (OSError, ValueError, RecursionError, DolphinError):
        return {}
    return value if isinstance(value, dict) else {}


def surroundings(client: Client, environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment as the client sees it, with what its own files add."""
    result = dict(environ)
    for existing in client.existing:
        value: Any = read_object(existing.place.path(environ), existing.format)
        for step in existing.path:
            value = value.get(step) if isinstance(value, dict) else None
        if existing.variable is not None:
            value = {existing.variable: value}
        for name, text in value.items() if isinstance(value, dict) else ():
            if isinstance(text, str) and text:
                # settings win over the environment, a file of variables does not
                result[name] = result.get(name) or text if existing.format == "dotenv" else text
    return result


def _parse(text: str, kind: Format) -> Any:
    if kind == "toml":
        return tomllib.loads(text)
    if kind == "dotenv":
        return dotenv.parse(text)
    return jsonc.parse(text) if kind == "json" else json.loads(text)
