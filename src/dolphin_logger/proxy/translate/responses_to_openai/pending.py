"""The items of one answer of the model while they are read, as the one message that they came from.

It knows assistant messages of chat completions and no items. Invariant: a message holds its calls in
their order.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate.parts import Part


class PendingAnswer:
    """Collects one assistant message.

    Attributes:
        said: whether it has text already, be it empty.
        calls: its calls so far.
        thought: what the model thought before.
    """

    def __init__(self) -> None:
        self.said = False
        self.calls: list[dict[str, Any]] = []
        self.thought = ""
        self._parts: list[Part] = []

    def say(self, parts: list[Part]) -> None:
        """Take what the model said."""
        self.said = True
        self._parts += parts

    def write(self) -> dict[str, Any] | None:
        """Write the message; None when the model neither spoke nor called."""
        if not self.said and not self.calls:
            return None
        text = "".join(part["text"] for part in self._parts if part["type"] == "text")
        refused = "".join(part["refusal"] for part in self._parts if part["type"] == "refusal")
        others = [part for part in self._parts if part["type"] not in ("text", "refusal")]
        message: dict[str, Any] = {"role": "assistant"}
        message["content"] = [*self._parts] if others else text or (None if self.calls else "")
        if refused and not others:
            message["refusal"] = refused
        if self.calls:
            message["tool_calls"] = self.calls
        return message
