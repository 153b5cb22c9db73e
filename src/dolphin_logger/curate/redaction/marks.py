"""What people marked in review, as texts to be taken out.

A `redact` label names a text, or a span of one message; a span is read as the text that stands there,
since the same words come again in every later request of a conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.messages import Message, Text


def marked_text(value: Mapping[str, Any], message: Message | None) -> str | None:
    """Read the value of a `redact` label.

    `message` is the one that the label names, as it was recorded. None: the span lies outside of its
    text, or there is no such message; whoever asks decides whether that record may then leave.
    """
    if "text" in value:
        return str(value["text"])
    if message is None:
        return None
    said = "".join(part.text for part in message.parts if isinstance(part, Text))
    return said[value["start"] : value["end"]] or None
