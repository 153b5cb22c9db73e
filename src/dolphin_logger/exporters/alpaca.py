"""Alpaca rows: `instruction`, `input`, `output`, `system` and `history`, for plain conversations.

Sources: tatsu-lab/stanford_alpaca; hiyouga/LLaMA-Factory, data/README.md (`system`, `history` as pairs
of question and answer; it trains on the answers of the history too). The last question is the
instruction, `input` stays empty: what people call the input is part of what they ask. It does not know
files. Invariant: only conversations of nothing but text become rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Chat, Example, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError
from dolphin_logger.exporters._content import (
    calls_of,
    join_texts,
    pictures_of,
    shown,
    text_of,
    thought_of,
)
from dolphin_logger.exporters._rounds import rounds_of


class Alpaca(Together):
    """One row for each conversation; see the module."""

    name = "alpaca"
    unit = Unit.LEAF
    columns: Sequence[Column] = (
        Column("instruction", "string"),
        Column("input", "string"),
        Column("output", "string"),
        Column("system", "string"),
        Column("history", "list<json>"),
        Column("conversation", "string"),
        Column("record", "string"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write one conversation.

        Raises:
            UnfitError: it has tools or pictures, or does not go by turns.
        """
        assert isinstance(piece, Example)
        messages = shown(piece.messages, options)
        _hold_plain(messages, has_tools=bool(piece.tools))
        system, rounds = rounds_of(messages)
        *history, (instruction, output) = [
            (_text(each.asked), thought_of(each.answered) + _text(each.answered)) for each in rounds
        ]
        yield {
            "instruction": instruction,
            "input": "",
            "output": output,
            "system": system,
            "history": [list(pair) for pair in history],
            "conversation": piece.conversation,
            "record": piece.id,
        }


def _text(messages: list[Chat]) -> str:
    return join_texts(text_of(message) for message in messages)


def _hold_plain(messages: list[Chat], *, has_tools: bool) -> None:
    if has_tools or any(calls_of(message) or message["role"] == "tool" for message in messages):
        raise UnfitError("has tools")
    if any(pictures_of(message) for message in messages):
        raise UnfitError("has pictures")
