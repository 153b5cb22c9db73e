"""Summary: one record in one line, for `ls` and `tail`.

A record's dialect finds the user's words; of the wire languages themselves it knows nothing.
Invariant: takes whatever was recorded, of any shape, and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dolphin_logger.cli.output import shorten
from dolphin_logger.conversation.canonical import clean
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import Dialect
from dolphin_logger.journal.reader import SHORTEST_ID, StoredRecord
from dolphin_logger.messages import Text

PREVIEW = 60  # characters
COLUMNS = ("id", "time", "model", "provider", "outcome", "in", "out", "seconds", "first user text")
WIDTHS = (8, 19, 18, 10, 13, 6, 6, 8, PREVIEW)  # for lines that come one by one


def row(record: StoredRecord) -> list[str]:
    """Write the cells of one record, in the order of COLUMNS; unknown is empty, never 0."""
    fields = record.fields
    usage = fields["usage"]
    total = fields["timing"]["total_ms"]
    status = "" if fields["status"] is None else f" {fields['status']}"
    return [
        record.id[-SHORTEST_ID:],
        local_time(fields),
        fields["model"] or "",
        fields["provider"] or "",
        f"{fields['outcome']}{status}",
        "" if usage["input_tokens"] is None else str(usage["input_tokens"]),
        "" if usage["output_tokens"] is None else str(usage["output_tokens"]),
        "" if total is None else f"{total / 1000:.3f}",
        preview(fields),
    ]


def as_json(record: StoredRecord) -> dict[str, Any]:
    """Write one record's facts without its bodies."""
    kept = ("id", "time", "dialect", "path", "stream", "model", "provider", "provider_model")
    more = ("status", "outcome", "error", "usage", "timing", "client")
    fields = record.fields
    facts = {name: fields[name] for name in (*kept, *more)}
    return facts | {
        "time_approximate": bool(fields.get("time_approximate")),
        "preview": preview(fields),
        "file": str(record.file),
        "offset": record.offset,
    }


def local_time(fields: Mapping[str, Any]) -> str:
    """Write the time as it was here, to the second; `~` marks a guess."""
    mark = "~" if fields.get("time_approximate") else ""
    try:
        return mark + f"{datetime.fromisoformat(fields['time']).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return mark + str(fields["time"])


def dialect_named(name: Any) -> Dialect:
    """Find a record's wire language; one that is not known here is read as opaque."""
    known = DIALECTS.get(name) if isinstance(name, str) else None
    return known or DIALECTS["opaque"]


def preview(fields: Mapping[str, Any]) -> str:
    """Write the beginning of the first user text on one line."""
    return shorten(_first_user_text(fields), limit=PREVIEW)


def _first_user_text(fields: Mapping[str, Any]) -> str:
    request = fields["request"]
    if not isinstance(request, dict):
        return ""
    dialect = dialect_named(fields["dialect"])
    first = dialect.first_user_text(request)
    if first is not None and (text := clean(first)):  # what clients put around it is not the user's
        return text
    for message in dialect.read_request(request).messages:
        for part in message.parts:
            if message.role == "user" and isinstance(part, Text) and (text := clean(part.text)):
                return text
    if first is not None:
        return first
    said = (request.get(key) for key in ("prompt", "input"))  # of what is no conversation
    return next((text for text in said if isinstance(text, str)), "")
