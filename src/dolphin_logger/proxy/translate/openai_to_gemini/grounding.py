"""What Gemini grounded its answer on, and how likely its words were, in OpenAI's words.

It knows `groundingMetadata` and `logprobsResult`, and not where they stand. Gemini counts bytes where
OpenAI counts characters. Invariant: a place in the text is said only if the cited words stand there.

Source: https://ai.google.dev/gemini-api/docs/google-search.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.proxy.translate.chat_answer import Annotations


def cite(metadata: Mapping[str, Any], *, text: str) -> Annotations:
    """Note which characters of an answer rest on which pages; all of them when Gemini does not say."""
    pages = [_page(chunk) for chunk in _list(metadata.get("groundingChunks"))]
    encoded = text.encode("utf-8", "surrogatepass")
    found = Annotations()
    for support in _list(metadata.get("groundingSupports")):
        if not isinstance(support, dict):
            continue
        start, end = _place(support.get("segment"), encoded)
        for index in _list(support.get("groundingChunkIndices")):
            page = pages[index] if type(index) is int and 0 <= index < len(pages) else None
            if page is not None:
                found.cite(*page, start=start, end=end)
    if not found:
        for page in pages:
            if page is not None:
                found.cite(*page, start=0, end=len(text))
    return found


def translate_logprobs(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Translate log-probabilities, token by token."""
    others = _list(result.get("topCandidates"))
    entries = []
    for position, token in enumerate(_list(result.get("chosenCandidates"))):
        entry = _token(token)
        if entry is None:
            continue
        top = others[position] if position < len(others) else None
        likely = map(_token, _list(top.get("candidates") if isinstance(top, dict) else None))
        entries.append({**entry, "top_logprobs": [other for other in likely if other is not None]})
    return entries


def _page(chunk: Any) -> tuple[str, Any] | None:
    """Find a source's address and title; None when it has no address."""
    for source in chunk.values() if isinstance(chunk, dict) else ():
        url = source.get("uri") if isinstance(source, dict) else None
        if isinstance(url, str) and url:
            return url, source.get("title")
    return None


def _place(segment: Any, encoded: bytes) -> tuple[int, int]:
    """Find the characters of a segment; all of the text when they are not where it says."""
    segment = segment if isinstance(segment, dict) else {}
    start, end = segment.get("startIndex", 0), segment.get("endIndex")
    words = segment.get("text")
    if not (type(start) is int and type(end) is int and 0 <= start <= end <= len(encoded)):
        start, end = 0, len(encoded)
    if isinstance(words, str) and words:
        wanted = words.encode("utf-8", "surrogatepass")
        if encoded[start:end] != wanted:
            start = encoded.find(wanted)
            start, end = (start, start + len(wanted)) if start >= 0 else (0, len(encoded))
    return _characters(encoded[:start]), _characters(encoded[:end])


def _characters(encoded: bytes) -> int:
    return len(encoded.decode("utf-8", "replace"))


def _token(token: Any) -> dict[str, Any] | None:
    """Translate one token; its bytes are not known, a token may hold a part of a character."""
    text = token.get("token") if isinstance(token, dict) else None
    value = token.get("logProbability", 0) if isinstance(token, dict) else None
    if not isinstance(text, str) or type(value) not in (int, float):
        return None
    return {"token": text, "logprob": value, "bytes": None}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
