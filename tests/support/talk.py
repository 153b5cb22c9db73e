"""Turns written down by hand: who asked what, with which history, and what was answered.

`U`, `A`, `R` make messages of a user, of a model and of a tool; `Talk.ask` makes a turn of them.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.conversation import Stitcher, Turn, read_turn
from dolphin_logger.conversation.placement import Placement
from dolphin_logger.messages import (
    Answered,
    Asked,
    Choice,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)


def U(*texts: str) -> Message:  # noqa: N802 - as short as it is frequent
    """Say something as a user, in one part or several."""
    return Message("user", tuple(Text(text) for text in texts))


def A(text: str, *calls: ToolCall, think: str = "") -> Message:  # noqa: N802
    """Say something as the model."""
    parts: list[Part] = [Reasoning(think, "seal")] if think else []
    return Message("assistant", (*parts, *([Text(text)] if text else []), *calls))


def R(text: str, call: str = "1") -> Message:  # noqa: N802
    """Say what a call gave."""
    return Message("tool", (ToolResult(call, (Text(text),)),))


def call(**arguments: Any) -> ToolCall:
    """Call a tool."""
    return ToolCall("run", arguments, "1")


class Talk:
    """Makes turns one after the other, a minute apart, and places them."""

    def __init__(self, **who: Any) -> None:
        self.who = {"client": "a-client"} | who
        self.stitcher = Stitcher()
        self.turns: list[Turn] = []
        self.clock = 0

    def turn(
        self,
        *history: Message,
        answer: Message | None = None,
        minutes: float = 1,
        outcome: str = "completed",
        tools: tuple[str, ...] = (),
        system: str = "",
        record: str | None = None,
        path: str = "/v1/chat/completions",
        seconds: float = 1,
        rest: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        after: str | None = None,
        **who: Any,
    ) -> Turn:
        """Make a turn, so many minutes after the last one."""
        self.clock += int(minutes * 60_000)
        told = self.who | who
        hours, left = divmod(self.clock, 3_600_000)
        day, hour = divmod(hours, 24)
        minute, left = divmod(left, 60_000)
        fields = {
            "id": record or f"r{len(self.turns)}",
            "seq": len(self.turns) + 1,
            "time": f"2026-11-{day + 1:02}T{hour:02}:{minute:02}:{left // 1000:02}.{left % 1000:03}000Z",
            "timing": {"total_ms": seconds * 1000},
            "path": path,
            "outcome": outcome,
            "model": told.get("model", "m"),
            "headers": {"request": headers or {}},
            **({} if after is None else {"imported": {"source": "test", "after": after or None}}),
            "client": {
                "name": told["client"],
                "session": told.get("session"),
                "agent": told.get("agent"),
                "parent": told.get("parent"),
                "tags": told.get("tags", {}),
            },
        }
        said = (Message("system", (Text(system),)), *history) if system else history
        asked = Asked(said, tuple(ToolDefinition(name) for name in tools), rest or {})
        answered = Answered(() if answer is None else (Choice(answer),), told.get("answered", {}))
        made = read_turn(fields, asked, answered, writer=told.get("writer", "w"))
        self.turns.append(made)
        return made

    def ask(self, *history: Message, **more: Any) -> tuple[str, str | None, str]:
        """Place a turn; give relation, parent and conversation."""
        return short(self.stitcher.add(self.turn(*history, **more)))


def short(placement: Placement) -> tuple[str, str | None, str]:
    """Give relation, parent and conversation."""
    return str(placement.relation), placement.parent, placement.conversation
