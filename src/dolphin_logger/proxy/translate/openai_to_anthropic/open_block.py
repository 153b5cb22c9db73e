"""One content block while its events arrive, as deltas of a chat completion.

Each kind knows its own deltas and no chunk around them. A delta is None when there is nothing to say.
Invariant: names, ids and seals are said once, because accumulators join strings that come again.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate.json_text import write_arguments

Delta = dict[str, Any]


class OpenBlock:
    """A block that a chat completion has no words for: tools that run at the provider."""

    def __init__(self) -> None:
        self.characters = 0  # of text, in the answer's content
        self.citations: list[Any] = []

    def start(self) -> Delta | None:
        """Say what is known at the beginning."""
        return None

    def take(self, delta: Delta) -> Delta | None:
        """Take one delta of the provider."""
        return None

    def stop(self) -> Delta | None:
        """Say what is known only at the end."""
        return None


class _Text(OpenBlock):
    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__()
        self._begins_with = content.get("text")
        citations = content.get("citations")
        if isinstance(citations, list):
            self.citations += citations

    def start(self) -> Delta | None:
        return self._say(self._begins_with)

    def take(self, delta: Delta) -> Delta | None:
        if delta.get("type") == "citations_delta":
            self.citations.append(delta.get("citation"))
            return None
        return self._say(delta.get("text"))

    def _say(self, text: Any) -> Delta | None:
        if not isinstance(text, str) or not text:
            return None
        self.characters += len(text)
        return {"content": text}


class _Thinking(OpenBlock):
    def __init__(self, content: dict[str, Any], *, position: int) -> None:
        super().__init__()
        self._entry = {"index": position, "type": "thinking"}
        self._content = content
        self._seal = content.get("signature")
        self._has_spoken = False

    def start(self) -> Delta | None:
        return self._say(self._content.get("thinking"))

    def take(self, delta: Delta) -> Delta | None:
        if delta.get("type") == "signature_delta":
            self._seal = delta.get("signature")  # the last one counts
            return None
        return self._say(delta.get("thinking"))

    def stop(self) -> Delta | None:
        entry = dict(self._entry)
        if not self._has_spoken:
            entry["thinking"] = ""
        if isinstance(self._seal, str):
            entry["signature"] = self._seal
        return None if entry == self._entry else {"thinking_blocks": [entry]}

    def _say(self, text: Any) -> Delta | None:
        if not isinstance(text, str) or not text:
            return None
        self._has_spoken = True
        return {"reasoning_content": text, "thinking_blocks": [{**self._entry, "thinking": text}]}


class _RedactedThinking(OpenBlock):
    def __init__(self, content: dict[str, Any], *, position: int) -> None:
        super().__init__()
        self._entry = {"index": position, "type": "redacted_thinking", "data": content.get("data")}

    def start(self) -> Delta | None:
        return {"thinking_blocks": [self._entry]}


class _ToolUse(OpenBlock):
    def __init__(self, content: dict[str, Any], *, position: int) -> None:
        super().__init__()
        self._position = position
        self._content = content
        self._has_arguments = False

    def start(self) -> Delta | None:
        function = {"name": self._content.get("name"), "arguments": ""}
        call = {"id": self._content.get("id"), "type": "function", "function": function}
        return {"tool_calls": [{"index": self._position, **call}]}

    def take(self, delta: Delta) -> Delta | None:
        piece = delta.get("partial_json")
        if not isinstance(piece, str) or not piece:
            return None
        self._has_arguments = True
        return self._say(piece)

    def stop(self) -> Delta | None:
        """Without any arguments these are the ones that the block began with, mostly none."""
        if self._has_arguments:
            return None
        return self._say(write_arguments(self._content.get("input") or {}))

    def _say(self, piece: str) -> Delta:
        return {"tool_calls": [{"index": self._position, "function": {"arguments": piece}}]}


def begin_block(content: Any, *, kind: Any, position: int) -> OpenBlock:
    """Open a block; `position` counts the thoughts, or the calls, before it."""
    if kind == "text":
        return _Text(content)
    if kind == "thinking":
        return _Thinking(content, position=position)
    if kind == "redacted_thinking":
        return _RedactedThinking(content, position=position)
    if kind == "tool_use":
        return _ToolUse(content, position=position)
    return OpenBlock()
