"""Values of an answer in Google's words: finish reasons, tokens, log-probabilities.

It knows values of both languages and no event. Invariant: unknown stays unknown. A count that the
provider did not give is missing and not zero, a finish reason is never made up.

Source: https://ai.google.dev/api/generate-content#FinishReason, .../generate-content#UsageMetadata.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.dialects import DIALECTS

_FINISH: Final = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}


def finish_reason(reason: str | None) -> str:
    """Translate a finish reason; an end without one is unknown to us, as a newer one is.

    Without any, Google's language would say that the model goes on.
    """
    return _FINISH.get(reason or "", "OTHER")


def translate_usage(usage: dict[str, Any]) -> dict[str, int]:
    """Translate token counts; Google counts thoughts apart from the answer."""
    known = DIALECTS["openai.chat"].usage({"usage": usage})
    prompt, output, thoughts = known.input_tokens, known.output_tokens, known.reasoning_tokens
    total = usage.get("total_tokens")
    total = total if type(total) is int else None
    said = output
    if output is not None and thoughts and not _is_apart(prompt, output, thoughts, total):
        said = output - thoughts
    if total is None and prompt is not None and output is not None:
        total = prompt + output
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": said,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": known.cache_read_tokens,
        "totalTokenCount": total,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _is_apart(prompt: int | None, output: int, thoughts: int, total: int | None) -> bool:
    """Say whether a server counts thoughts beside its completion, not as a part of it (xAI)."""
    return thoughts > output or (prompt is not None and total == prompt + output + thoughts)


def translate_log_probabilities(found: dict[str, Any]) -> dict[str, Any] | None:
    """Translate the log-probabilities of some tokens; None without any."""
    tokens = [token for token in _list(found.get("content")) if isinstance(token, dict)]
    if not tokens:
        return None
    result: dict[str, Any] = {"chosenCandidates": [_candidate(token) for token in tokens]}
    if any(token.get("top_logprobs") for token in tokens):
        result["topCandidates"] = [
            {"candidates": [_candidate(top) for top in _list(token.get("top_logprobs"))]}
            for token in tokens
        ]
    return result


def _candidate(token: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {}
    if isinstance(token, dict) and isinstance(token.get("token"), str):
        candidate["token"] = token["token"]
    if isinstance(token, dict) and type(token.get("logprob")) in (int, float):
        candidate["logProbability"] = token["logprob"]
    return candidate


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
