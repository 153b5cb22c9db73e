"""Summary: one record in one line, for `ls` and `tail`.

It knows where each wire language keeps the user's words, and nothing else about them.
Invariant: takes whatever was recorded, of any shape, and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dolphin_logger.cli.output import shorten
from dolphin_logger.journal.reader import SHORTEST_ID, StoredRecord

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
        preview(fields["request"]),
    ]


def as_json(record: StoredRecord) -> dict[str, Any]:
    """Write one record's facts without its bodies."""
    kept = ("id", "time", "dialect", "path", "stream", "model", "provider", "provider_model")
    more = ("status", "outcome", "error", "usage", "timing", "client")
    fields = record.fields
    facts = {name: fields[name] for name in (*kept, *more)}
    return facts | {
        "time_approximate": bool(fields.get("time_approximate")),
        "preview": preview(fields["request"]),
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


def preview(request: Any) -> str:
    """Write the beginning of the first user message on one line."""
    return shorten(_first_user_text(request), limit=PREVIEW)


def _first_user_text(request: Any) -> str:
    if not isinstance(request, dict):
        return ""
    for key in ("messages", "input", "contents", "prompt"):
        given = request.get(key)
        if isinstance(given, str):
            return given
        for message in given if isinstance(given, list) else []:
            if isinstance(message, dict) and message.get("role", "user") == "user":
                return _text_of(message.get("content", message.get("parts")))
    return ""


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    for part in content if isinstance(content, list) else []:
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            return text
    return ""
