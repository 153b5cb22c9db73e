"""An import into a temporary home, and what it left there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.importers import detect
from dolphin_logger.importers.intake import Brought, Intake
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import StoredRecord, import_segments, read_segment
from dolphin_logger.messages import Message, Text


def bring(home: Path, *paths: Path) -> Brought:
    """Import files."""
    brought = Brought()
    with Intake(Home(home), user=home.parent) as intake:
        for path in paths:
            intake.bring(path, detect, brought)
    return brought


def records(home: Path) -> list[dict[str, Any]]:
    """Give the imported records; a damaged line is a failure."""
    found = []
    for path in import_segments(Home(home)):
        for item in read_segment(path):
            assert isinstance(item, StoredRecord), item
            found.append(item.fields)
    return found


def history(fields: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]]) -> list[Message]:
    """Give all that was said before an answer, and the answer: the rule of the record format."""
    dialect = DIALECTS[fields["dialect"]]
    after = fields["imported"]["after"]
    said = [] if after is None else history(by_id[after], by_id)
    said += dialect.read_request(fields["request"]).messages
    return [
        *said,
        *(one.message for one in dialect.read_response(fields["response"] or {}).choices),
    ]


def text(message: Message) -> str:
    """Join the texts of a message."""
    return "".join(part.text for part in message.parts if isinstance(part, Text))


def answers(found: list[dict[str, Any]]) -> list[str]:
    """Give the text of each answer."""
    by_id = {fields["id"]: fields for fields in found}
    return [text(history(fields, by_id)[-1]) for fields in found]
