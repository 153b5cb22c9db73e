"""Native: the lines of a client's own session file, as they were archived when it was imported.

It knows the archive and what an importer makes of a file. Invariant: a file is given only when every
turn in it is among the records that were chosen: nothing goes out beside the selection, and nothing
that was removed comes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final

from dolphin_logger.errors import SourceError
from dolphin_logger.importers import find
from dolphin_logger.importers._api import Content, Turn
from dolphin_logger.importers.intake import imported_id
from dolphin_logger.journal.archive import Archive
from dolphin_logger.journal.home import Home

_READ_AS_TRACES: Final = frozenset(("claude-code", "codex", "pi"))
"""Whose files the Hub and `datasets` know as sessions; one of another kind, and none of a folder is read.

Source: huggingface.co/docs/hub/agent-traces.
"""


class NoFiles:
    """Gives none: for a session that is to be told in our own words only."""

    def lines(self, records: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Give no lines."""
        del records
        return []


class SessionFiles:
    """The session files that a home has archived."""

    def __init__(self, home: Home) -> None:
        self._archive = Archive(home)

    def lines(self, records: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Give the lines of the file that the first imported record came from; none if it holds more."""
        ids: set[str] = set()
        first: Mapping[str, Any] | None = None
        for fields in records:
            imported = fields.get("imported")
            if imported:
                ids.add(str(fields.get("id")))
                first = first or imported
        if first is None or first["source"] not in _READ_AS_TRACES:
            return []
        data = self._archive.latest(str(first["source"]), str(first["file"]))
        if data is None or not _turns(str(first["source"]), data, str(first["file"])) <= ids:
            return []
        try:
            return [json.loads(line) for line in data.splitlines() if line.strip()]
        except ValueError:
            return []


def _turns(source: str, data: bytes, file: str) -> set[str]:
    """Name the records that a file's turns are imported as."""
    try:
        importer = find(source)
    except SourceError:
        return {""}
    items = importer.read(Content(data, PurePath(file)))
    return {
        imported_id(source, item.session, item.line) for item in items if isinstance(item, Turn)
    }
