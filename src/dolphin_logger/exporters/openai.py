"""OpenAI's files of chats for supervised fine-tuning, which many other trainers take too.

It does not know thoughts: the form has no field for them. Invariant: a row has no key that OpenAI does
not know, and `tools` only where there are some, so columns are not fixed.

Source: https://platform.openai.com/docs/api-reference/fine-tuning/chat-input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Chat, Example, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together
from dolphin_logger.exporters._chats import halves
from dolphin_logger.exporters._openai_form import formed, formed_tools


class OpenAI(Together):
    """`{"messages", "tools"?}`; flavour `weighted` trains on the last answer alone."""

    name = "openai"
    unit = Unit.LEAF
    columns: Sequence[Column] = ()

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write a conversation as one row."""
        assert isinstance(piece, Example)
        prompt, answer = halves(piece, options)
        messages = formed(prompt + answer)
        if options.flavour == "weighted":
            messages = [
                _weighted(chat, weight=int(place >= len(prompt)))
                for place, chat in enumerate(messages)
            ]
        yield {"messages": messages, **formed_tools(piece.tools)}


def _weighted(chat: Chat, *, weight: int) -> Chat:
    return {**chat, "weight": weight} if chat["role"] == "assistant" else chat
