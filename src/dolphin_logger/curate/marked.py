"""Marked: the texts that people marked in a conversation with `redact`.

It knows labels and recorded bodies. Invariant: a mark that cannot be read any more is told, so that
nothing of its conversation leaves.
"""

from __future__ import annotations

from dolphin_logger.curate.redaction import marked_text
from dolphin_logger.curate.spool import Gathered
from dolphin_logger.dialects.sent import text_sent
from dolphin_logger.label import Labels
from dolphin_logger.messages import Message, Text


def marked_texts(gathered: Gathered, labels: Labels) -> list[str] | None:
    """Give the marked texts, sorted; None when a mark does not say which text any more."""
    marks = {
        one.id: [label for label in labels.in_force(one.id) if label.kind == "redact"]
        for one in gathered.around
    }
    found = {
        str(label.value["text"]) for own in marks.values() for label in own if "text" in label.value
    }
    spans = {record for record, own in marks.items() if any("start" in one.value for one in own)}
    for one, fields in gathered.records if spans else ():
        if one.id not in spans:
            continue
        spans.discard(one.id)
        for label in marks[one.id]:
            if "start" not in label.value:
                continue
            said = text_sent(fields.get("request"), fields.get("response"), label.message or 0)
            text = marked_text(label.value, Message("user", (Text(said),)) if said else None)
            if text is None:
                return None
            found.add(text)
    return None if spans & {one.id for one, _ in gathered.records} else sorted(found)
