"""What the whole and the streamed answer have in common: finish reasons, tokens, citations.

It knows values of both languages and no message. Invariant: unknown stays unknown. A count that the
provider did not give is missing and not zero, a finish reason is never made up.

Source: https://platform.claude.com/docs/en/api/messages (stop_reason, usage, citations).
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate.chat_answer import Annotations, write_usage

_FINISH: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "compaction": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def finish_reason(stop_reason: Any) -> str | None:
    """Translate a stop reason; one that is newer than this file is an ordinary stop."""
    return _FINISH.get(stop_reason, "stop") if isinstance(stop_reason, str) else None


def refusal_text(stop_details: Any) -> str | None:
    """Find the provider's own words about a refusal."""
    found = stop_details.get("explanation") if isinstance(stop_details, dict) else None
    return found if isinstance(found, str) and found else None


def translate_usage(usage: Any) -> dict[str, Any] | None:
    """Translate token counts; None when there are none."""
    return write_usage(DIALECTS["anthropic.messages"].usage({"usage": usage}))


def add_citations(found: Annotations, citations: list[Any], *, start: int, end: int) -> None:
    """Take the citations of one block of text, which stands at these characters."""
    for citation in citations:
        url = citation.get("url") if isinstance(citation, dict) else None
        if isinstance(url, str):  # else of a document: OpenAI has no words for its pages
            found.cite(url, citation.get("title"), start=start, end=end)
