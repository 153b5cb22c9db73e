"""What the whole and the streamed answer have in common: finish reasons, tokens, citations.

It knows values of both languages and no message. Invariant: unknown stays unknown. A count that the
provider did not give is missing and not zero, a finish reason is never made up.

Source: https://platform.claude.com/docs/en/api/messages (stop_reason, usage, citations).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
    """Translate token counts; OpenAI counts cached tokens as prompt tokens, too."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    read = _count(usage, "cache_read_input_tokens")
    written = _count(usage, "cache_creation_input_tokens")
    counts: dict[str, Any] = {}
    if prompt is not None:
        prompt = counts["prompt_tokens"] = prompt + (read or 0) + (written or 0)
    if completion is not None:
        counts["completion_tokens"] = completion
    if prompt is not None and completion is not None:
        counts["total_tokens"] = prompt + completion
    if read is not None or written is not None:
        cached = {"cached_tokens": read, "cache_write_tokens": written}
        known = {key: count for key, count in cached.items() if count is not None}
        counts["prompt_tokens_details"] = known
    details = usage.get("output_tokens_details")
    thought = _count(details, "thinking_tokens") if isinstance(details, dict) else None
    if thought is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": thought}
    return counts or None


def _count(parent: Mapping[str, Any], key: str) -> int | None:
    value = parent.get(key)
    return value if type(value) is int and value >= 0 else None


class Annotations(list[dict[str, Any]]):
    """Citations of web pages, as OpenAI notes them: which characters of the answer they support."""

    def add(self, citations: list[Any], *, start: int, end: int) -> None:
        """Take the citations of one block of text, which stands at these characters."""
        for citation in citations:
            url = citation.get("url") if isinstance(citation, dict) else None
            if not isinstance(url, str):
                continue  # of a document: OpenAI has no words for its pages
            title = citation.get("title")
            cited = {
                "start_index": start,
                "end_index": end,
                "url": url,
                "title": title if isinstance(title, str) else "",
            }
            annotation = {"type": "url_citation", "url_citation": cited}
            if annotation not in self:
                self.append(annotation)
