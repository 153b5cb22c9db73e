"""Words that several files of this pair need: ids of calls, signatures, finish reasons, tokens.

It knows values of both languages and no message. Invariant: unknown stays unknown. A count that the
provider did not give is missing and not zero, a finish reason is never made up.

Source: https://ai.google.dev/api/generate-content (FinishReason, UsageMetadata).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeGuard

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate.chat_answer import write_usage

_MINTED: Final = re.compile(r"call_.+_\d+", re.DOTALL)
_FILTERED: Final = frozenset(
    (
        *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "LANGUAGE"),
    )
)
_CUT: Final = frozenset(("MAX_TOKENS", "CONTINUATION"))
_FAULTS: Final = frozenset(
    (
        *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
        *("MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE", "OTHER", "IMAGE_OTHER", "NO_IMAGE"),
        *("ESCALATION", "PUP_LIMITED_DISABLED"),
    )
)


def is_call(body: Any) -> TypeGuard[dict[str, Any]]:
    """Say whether this is a `functionCall` that can be carried: one with a name."""
    return isinstance(body, dict) and isinstance(body.get("name"), str) and body["name"] != ""


def mint_call_id(response_id: Any, *, candidate: int, position: int) -> str:
    """Make an id for a call that Gemini gave none: the same one each time this answer is read."""
    choice = f"-{candidate}" if candidate else ""
    return f"call_{response_id}{choice}_{position}"


def is_minted(call_id: str) -> bool:
    """Say whether an id looks like one of ours, which Gemini does not know."""
    return _MINTED.fullmatch(call_id) is not None


def call_id_of(body: Mapping[str, Any], *, response_id: Any, candidate: int, position: int) -> str:
    """Give the id of a `functionCall`: Gemini's own, or ours."""
    given = body.get("id")
    if isinstance(given, str) and given:
        return given
    return mint_call_id(response_id, candidate=candidate, position=position)


def write_signature(signature: Any) -> dict[str, Any]:
    """Put a signature where Google's compatible endpoint puts it; empty when it is none."""
    if not isinstance(signature, str) or not signature:
        return {}
    return {"extra_content": {"google": {"thought_signature": signature}}}


def read_signature(value: Mapping[str, Any]) -> str | None:
    """Find the signature that a client sends back on a message, a call or an image."""
    extra = value.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    found = google.get("thought_signature") if isinstance(google, dict) else None
    return found if isinstance(found, str) and found else None


def finish_reason(reason: str, *, has_calls: bool) -> str:
    """Translate a finish reason; one that is newer than this file is an ordinary stop."""
    if reason in _FILTERED:
        return "content_filter"
    if reason in _CUT:
        return "length"
    return "tool_calls" if has_calls else "stop"


def is_fault(reason: str) -> bool:
    """Say whether an answer that ends like this, and says nothing, is none."""
    return reason in _FAULTS


def translate_usage(usage: Mapping[str, Any]) -> dict[str, Any] | None:
    """Translate token counts; None when there are none."""
    total = usage.get("totalTokenCount")
    return write_usage(
        DIALECTS["gemini"].usage({"usageMetadata": usage}),
        total=total if type(total) is int else None,
    )
