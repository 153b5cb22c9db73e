"""ChatML rows: one column `text`, the conversation as it stands between `<|im_start|>` and `<|im_end|>`.

Sources: OpenAI's ChatML; for thoughts, tools, calls and results, which it has no words for, the marks of
NousResearch's Hermes as Qwen's templates write them (`<think>`, `<tools>`, `<tool_call>`,
`<tool_response>` in a user's turn). No sentence is added that nobody said. Pictures have no place.
It does not know files. Invariant: no word of a conversation is a mark of the shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from dolphin_logger.example import Chat, Example, Json, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError
from dolphin_logger.exporters._content import (
    calls_of,
    compact,
    function_of,
    pictures_of,
    refuse_marks,
    shown,
    text_of,
    thought_of,
)

_OPEN: Final = "<|im_start|>"
_CLOSE: Final = "<|im_end|>"


class ChatML(Together):
    """One row for each conversation; see the module."""

    name = "chatml"
    unit = Unit.LEAF
    columns: Sequence[Column] = (
        Column("text", "string"),
        Column("conversation", "string"),
        Column("record", "string"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write one conversation.

        Raises:
            UnfitError: it has pictures, its words hold marks of the shape, or nobody answered last.
        """
        assert isinstance(piece, Example)
        messages = shown(piece.messages, options)
        if not messages or messages[-1]["role"] != "assistant":
            raise UnfitError("ends without an answer")
        turns = [*_opening(messages, piece.tools), *_turns(messages)]
        for _, text in turns:
            refuse_marks(text, marks=(_OPEN, _CLOSE))
        text = "".join(f"{_OPEN}{role}\n{said}{_CLOSE}\n" for role, said in turns)
        yield {"text": text, "conversation": piece.conversation, "record": piece.id}


def _opening(messages: list[Chat], tools: list[Json]) -> Iterator[tuple[str, str]]:
    """Give the first instructions, the definitions of tools behind them."""
    instructions = text_of(messages[0]) if messages[0]["role"] == "system" else ""
    if tools:
        listed = "\n".join(["<tools>", *(compact(tool) for tool in tools), "</tools>"])
        instructions = f"{instructions}\n\n{listed}" if instructions else listed
    if instructions:
        yield "system", instructions


def _turns(messages: list[Chat]) -> Iterator[tuple[str, str]]:
    said = messages[1:] if messages[0]["role"] == "system" else messages
    if any(pictures_of(message) for message in messages):
        raise UnfitError("has pictures")
    for role, group in groupby(said, key=lambda message: message["role"]):
        if role == "tool":
            results = (f"<tool_response>\n{text_of(chat)}\n</tool_response>" for chat in group)
            yield "user", "\n".join(results)
        elif role == "assistant":
            yield from (("assistant", _answer(message)) for message in group)
        elif role in ("system", "user"):
            yield from ((role, text_of(message)) for message in group)
        else:
            raise UnfitError(f"has a message of role {role!r}")


def _answer(message: Chat) -> str:
    calls = (
        f"<tool_call>\n{compact(function_of(call))}\n</tool_call>" for call in calls_of(message)
    )
    text = text_of(message)
    return thought_of([message]) + "\n".join([*([text] if text else []), *calls])
