"""Values of a chat completion that are written from other languages: token counts, cited pages.

It knows OpenAI's words, and no provider's. Invariant: unknown stays unknown; a count that the provider
did not give is missing and not zero.

Source: https://platform.openai.com/docs/api-reference/chat/object.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.messages import Usage


def write_usage(usage: Usage, *, total: int | None = None) -> dict[str, Any] | None:
    """Write token counts; `total` is the provider's own sum. None when there are none."""
    prompt, completion = usage.input_tokens, usage.output_tokens
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "prompt_tokens_details": _known(cached_tokens=read, cache_write_tokens=written) or None,
        "completion_tokens_details": _known(reasoning_tokens=usage.reasoning_tokens) or None,
    }
    return _known(**counts) or None


class Annotations(list[dict[str, Any]]):
    """Citations of web pages: which characters of the answer they support; each is there once."""

    def cite(self, url: str, title: Any, *, start: int, end: int) -> None:
        """Note that these characters rest on a page."""
        title = title if isinstance(title, str) else ""
        cited = {"start_index": start, "end_index": end, "url": url, "title": title}
        annotation = {"type": "url_citation", "url_citation": cited}
        if annotation not in self:
            self.append(annotation)


def _known(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
