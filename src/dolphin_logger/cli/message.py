"""Message: the text of one recorded message, for a person to edit.

Invariant: takes whatever was recorded, and says so when there is no text at that index.
"""

from __future__ import annotations

from dolphin_logger.dialects.sent import messages_sent, text_sent
from dolphin_logger.errors import RecordError
from dolphin_logger.journal.reader import StoredRecord, body


def text_of_message(record: StoredRecord, index: int) -> str:
    """Give the text at an index of the list that was sent; behind the last comes the answer.

    Raises:
        RecordError: there is no such message, or it has no text.
    """
    request = body(record, "request")
    count = len(messages_sent(request))
    if index > count:
        raise RecordError(
            f"record {record.id} has {count} messages and an answer: no index {index}"
        )
    text = text_sent(request, body(record, "response"), index)
    if not text:
        raise RecordError(f"message {index} of {record.id} has no text: give one with --text")
    return text
