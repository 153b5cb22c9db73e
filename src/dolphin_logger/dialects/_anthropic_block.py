"""One content block of a streamed message: its deltas become the block of a plain answer.

It knows every kind of delta and what each does to a block; not messages, events or usage.
Invariant: no piece is dropped. What has no rule, or comes where it does not belong, is merged as
well as it can be, and `exact` turns False, so that the raw bytes are kept beside it.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from dolphin_logger.dialects._growth import Text, UnknownText, is_empty, keep_last, settle
from dolphin_logger.dialects._reading import read

# Deltas that bring one more piece of a text, and the key of the piece.
_PIECES: Final[Mapping[str, str]] = MappingProxyType(
    {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
)
# Deltas that bring whole values, and those values.
_VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "signature_delta": ("signature",),
        "compaction_delta": ("content", "encrypted_content"),
    }
)
# The type of block that each kind of delta belongs to; tools have several that end like this.
_OWNERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text_delta": "text",
        "citations_delta": "text",
        "thinking_delta": "thinking",
        "signature_delta": "thinking",
        "input_json_delta": "tool_use",
        "compaction_delta": "compaction",
    }
)
# A coarse estimate for progress bars; `usage` is what counts.
_HINTS: Final = frozenset(("type", "estimated_tokens"))


class Block:
    """A block that grows.

    Attributes:
        pieces: for each kind of delta seen so far, the key of its piece and where pieces gather.
    """

    __slots__ = ("_fields", "_input", "exact", "pieces")

    def __init__(self, start: dict[str, Any]) -> None:
        self.exact = True
        self.pieces: dict[str, tuple[str, list[str]]] = {}
        self._fields = start
        self._input: Text | None = None

    @classmethod
    def guess(cls, delta: dict[str, Any]) -> Block:
        """Make the block that a delta without a beginning must have belonged to."""
        kind = delta.get("type")
        owner = _OWNERS.get(kind, "text") if isinstance(kind, str) else "text"
        return cls({"type": owner})

    def merge(self, delta: dict[str, Any]) -> None:
        """Take any delta."""
        kind = delta.get("type")
        if not isinstance(kind, str) or kind not in _OWNERS:
            self._merge_unknown(delta)
            return
        type_ = self._fields.get("type")
        self.exact &= isinstance(type_, str) and type_.endswith(_OWNERS[kind])
        if kind in _PIECES and isinstance(delta.get(_PIECES[kind]), str):
            self._gather(kind).append(delta[_PIECES[kind]])
            self._merge_rest(delta, known=(_PIECES[kind],))
        elif kind == "citations_delta" and "citation" in delta:
            self._cite(delta["citation"])
            self._merge_rest(delta, known=("citation",))
        elif kind in _VALUES:
            for key in _VALUES[kind]:
                if key in delta:
                    self.exact &= keep_last(self._fields, key, delta[key])
            self._merge_rest(delta, known=_VALUES[kind])
        else:
            self._merge_unknown(delta)

    def result(self) -> dict[str, Any]:
        """Give the block as a plain answer has it."""
        block = {key: settle(value) for key, value in self._fields.items()}
        if self._input is None:
            return block
        text = self._input.join()
        if not text:  # the model called without arguments
            block.setdefault("input", {})
            return block
        reading = read(text.encode("utf-8", "surrogatepass"))
        if not is_empty(block.get("input")):
            self.exact = False
        if isinstance(reading.value, dict):
            block["input"] = reading.value
            self.exact &= reading.exact
        if not isinstance(reading.value, dict) or not reading.exact:
            # Cut short, or no JSON: models write that, and it is data.
            block.setdefault("input", {})
            block["partial_json"] = text
            self.exact = False
        return block

    def _gather(self, kind: str) -> list[str]:
        """Find where the pieces of this kind of delta go; the first one opens the place."""
        if kind not in self.pieces:
            key = _PIECES[kind]
            if kind == "input_json_delta":
                self._input = pieces = Text()
            else:
                pieces = self._open(key, Text())
            self.pieces[kind] = (key, pieces)
        return self.pieces[kind][1]

    def _open(self, key: str, text: Text) -> Text:
        """Let a text grow from what the block began with."""
        begun = self._fields.get(key)
        if isinstance(begun, Text):
            return begun
        if isinstance(begun, str):
            if begun:
                text.append(begun)
        elif begun is not None:
            self.exact = False
        self._fields[key] = text
        return text

    def _cite(self, citation: Any) -> None:
        citations = self._fields.get("citations")
        if isinstance(citations, list):
            citations.append(citation)
        else:
            self.exact &= citations is None
            self._fields["citations"] = [citation]

    def _merge_rest(self, delta: dict[str, Any], *, known: tuple[str, ...]) -> None:
        for key, value in delta.items():
            if key not in known and key not in _HINTS:
                keep_last(self._fields, key, value)
                self.exact = False

    def _merge_unknown(self, delta: dict[str, Any]) -> None:
        """Take a delta without a rule: strings are pieces of a text, other values the last counts."""
        self.exact = False
        for key, value in delta.items():
            if key == "type":
                continue
            current = self._fields.get(key)
            if isinstance(value, str) and isinstance(current, str | Text | None):
                self._open(key, UnknownText()).append(value)
            else:
                keep_last(self._fields, key, value)
