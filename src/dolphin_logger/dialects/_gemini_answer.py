"""Gemini's chunks, merged into the one answer that `generateContent` would have given.

It knows what grows (parts, citations, log-probabilities) and what is sent again (usage, ratings);
not how chunks are framed. A call whose arguments are streamed is the business of `_gemini_call`.
Invariants: parts keep their order, and a signature stays on the part that it came with. What
contradicts itself without a rule makes the answer inexact.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.dialects._gemini_call import StreamedCall
from dolphin_logger.dialects._growth import Text, is_empty, keep_last, settle

# Sent again with each chunk, and the last one counts.
_LAST: Final = frozenset(("finishReason", "finishMessage", "safetyRatings", "tokenCount"))
# Objects whose lists grow.
_GROWING: Final = frozenset(("citationMetadata", "logprobsResult"))
_TEXT_PART: Final = frozenset(("text", "thought"))


class Candidate:
    """One candidate that grows."""

    __slots__ = ("_calls", "_cited", "_fields", "_parts", "exact")

    def __init__(self) -> None:
        self.exact = True
        self._fields: dict[str, Any] = {}
        self._parts: list[Any] = []
        self._calls: list[StreamedCall] = []
        self._cited: set[str] = set()

    @property
    def has_finished(self) -> bool:
        """Whether a reason to finish was given."""
        return not is_empty(self._fields.get("finishReason"))

    def merge(self, candidate: dict[str, Any]) -> None:
        """Take one chunk of it."""
        for key, value in candidate.items():
            if key == "content" and isinstance(value, dict):
                self._merge_content(value)
            elif key in _LAST:
                if not is_empty(value) or key not in self._fields:
                    self._fields[key] = value
            elif key in _GROWING and isinstance(value, dict):
                self._grow(key, value)
            else:
                self.exact &= keep_last(self._fields, key, value)

    def result(self) -> dict[str, Any]:
        """Give the candidate as a plain answer has it."""
        fields = dict(self._fields)
        content = fields.get("content")
        if isinstance(content, dict) and "parts" in content:
            fields["content"] = {**content, "parts": [_settle(part) for part in self._parts]}
        self.exact &= all(call.exact for call in self._calls)
        return fields

    def _merge_content(self, content: dict[str, Any]) -> None:
        known = self._fields.get("content")
        if not isinstance(known, dict):
            self._fields["content"] = known = {}
        for key, value in content.items():
            if key != "parts":
                self.exact &= keep_last(known, key, value)
                continue
            known.setdefault("parts", [])
            self.exact &= isinstance(value, list | None)
            for part in value if isinstance(value, list) else ():
                self._merge_part(part)

    def _merge_part(self, part: Any) -> None:
        if not isinstance(part, dict):
            self.exact = False
            self._parts.append(part)
        elif "functionCall" in part:
            self._merge_call(part)
        elif part.keys() <= _TEXT_PART and isinstance(part.get("text"), str):
            last = self._parts[-1] if self._parts else None
            if isinstance(last, dict) and _takes_text(last, thought=bool(part.get("thought"))):
                last["text"].append(part["text"])
            else:
                self._parts.append({**part, "text": Text((part["text"],))})
        else:
            self._parts.append(part)

    def _merge_call(self, part: dict[str, Any]) -> None:
        last = self._calls[-1] if self._calls else None
        if last is not None and last.continues(part):
            last.merge(part)
            return
        if part["functionCall"] == {} and len(part) == 1 and last is not None:
            return  # it ends a call that had ended
        if last is not None:
            last.open = False
        if StreamedCall.begins(part):
            call = StreamedCall(part)
            self._calls.append(call)
            self._parts.append(call)
        else:
            self._parts.append(part)

    def _grow(self, key: str, value: dict[str, Any]) -> None:
        """Lengthen the lists of an object; citations that are sent again are no new ones."""
        known = self._fields.setdefault(key, {})
        if not isinstance(known, dict):
            self.exact = False
            return
        for name, entries in value.items():
            current = known.get(name)
            if not isinstance(entries, list):
                self.exact &= keep_last(known, name, entries)
                continue
            new = entries
            if key == "citationMetadata":
                named = [(f"{name} {entry!r}", entry) for entry in entries]
                new = [entry for text, entry in named if text not in self._cited]
                self._cited.update(text for text, _ in named)
            if isinstance(current, list):
                current += new
            else:
                self.exact &= keep_last(known, name, new)


class GeminiAnswer:
    """The whole answer that grows."""

    __slots__ = ("_candidates", "_counted", "_exact", "_fields")

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._candidates: dict[int, Candidate] = {}
        self._counted: set[str] = set()
        self._exact = True

    @property
    def error(self) -> Any:
        """What an error in the stream said; None when there was none."""
        return self._fields.get("error")

    @property
    def has_finished(self) -> bool:
        """Whether every candidate has its reason to finish, or the prompt was refused."""
        feedback = self._fields.get("promptFeedback")
        if isinstance(feedback, dict) and not is_empty(feedback.get("blockReason")):
            return True
        candidates = self._candidates.values()
        return bool(candidates) and all(candidate.has_finished for candidate in candidates)

    def merge(self, chunk: dict[str, Any]) -> None:
        """Take one chunk."""
        for key, value in chunk.items():
            if key == "candidates" and isinstance(value, list):
                self._fields.setdefault(key, [])
                self._merge_candidates(value)
            elif key == "usageMetadata" and isinstance(value, dict):
                self._count(value)
            else:
                self._exact &= keep_last(self._fields, key, value)

    def result(self) -> tuple[dict[str, Any], bool]:
        """Give the answer, and whether it is all that was said."""
        fields = dict(self._fields)
        if self._candidates:
            ordered = sorted(self._candidates.items())
            fields["candidates"] = [candidate.result() for _, candidate in ordered]
        usage = fields.get("usageMetadata")
        self._exact &= not isinstance(usage, dict) or self._counted <= usage.keys()
        exact = all(candidate.exact for candidate in self._candidates.values())
        return fields, self._exact and exact

    def _count(self, usage: dict[str, Any]) -> None:
        """Take the counts so far: the last ones count, also where they say less than others did."""
        self._counted |= usage.keys()
        if usage or "usageMetadata" not in self._fields:
            self._fields["usageMetadata"] = usage

    def _merge_candidates(self, candidates: list[Any]) -> None:
        indices: set[int] = set()
        for position, candidate in enumerate(candidates):
            if not isinstance(candidate, dict):
                self._exact = False
                continue
            index = candidate.get("index")
            if type(index) is not int:
                self._exact &= index is None
                index = position if 0 in indices else 0  # Gemini leaves out a zero
            indices.add(index)
            self._candidates.setdefault(index, Candidate()).merge(candidate)


def _takes_text(part: dict[str, Any], *, thought: bool) -> bool:
    """Say whether a part is text that the next text of this kind may lengthen."""
    return isinstance(part.get("text"), Text) and bool(part.get("thought")) is thought


def _settle(part: Any) -> Any:
    return part.result() if isinstance(part, StreamedCall) else settle(part)
