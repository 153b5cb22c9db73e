"""Stop reasons and token counts, in Anthropic's words.

It knows values of both languages and no message. Invariant: unknown stays unknown, but for the two
counts without which clients of this language break off; they begin at 0 there.

Source: https://platform.claude.com/docs/en/api/messages (stop_reason, usage).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.dialects import DIALECTS

_CUT_OFF: Final = {"length": "max_tokens", "content_filter": "refusal"}


def stop_reason(finish_reason: str | None, *, calls: int, refused: bool) -> str | None:
    """Translate a finish reason; `calls` counts the tool calls, `refused` says that the model declined.

    An answer that was cut off is that before all else: its last call may lack its end. Servers finish
    with `stop` after calls, too; a reason that is newer than this file is an ordinary stop.
    """
    if finish_reason in _CUT_OFF:
        return _CUT_OFF[finish_reason]
    if refused:
        return "refusal"
    if calls:
        return "tool_use"
    return None if finish_reason is None else "end_turn"


def translate_usage(usage: Mapping[str, Any] | None) -> dict[str, Any]:
    """Translate token counts; Anthropic counts cached tokens apart from `input_tokens`."""
    counted = DIALECTS["openai.chat"].usage({"usage": usage or {}})
    read, written = counted.cache_read_tokens, counted.cache_write_tokens
    counts: dict[str, Any] = {}
    if counted.input_tokens is not None:
        apart = counted.input_tokens - (read or 0) - (written or 0)
        counts["input_tokens"] = counted.input_tokens if apart < 0 else apart
    if written is not None:
        counts["cache_creation_input_tokens"] = written
    if read is not None:
        counts["cache_read_input_tokens"] = read
    if counted.output_tokens is not None:
        counts["output_tokens"] = counted.output_tokens
    if counted.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": counted.reasoning_tokens}
    return counts
