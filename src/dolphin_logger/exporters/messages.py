"""Whole conversations, one row for each end of its branches: TRL's language modelling, and most others'.

It does not know how rows are stored. Invariant: arguments of calls are objects, content is a string or
a list of parts, and there is one set of columns. Pictures stay in their parts as `{"type": "image",
"image": …}`: TRL takes a column `images` as the sign that no text model may train on any row, so rows
that have one are the shape `vision`.

Source: https://huggingface.co/docs/trl/dataset_formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Example, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together
from dolphin_logger.exporters._chats import halves


class Messages(Together):
    """`{"messages", "tools", "metadata"}`."""

    name = "messages"
    unit = Unit.LEAF
    columns: Sequence[Column] = (
        Column("messages", "list<json>"),
        Column("tools", "list<json>"),
        Column("metadata", "json"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write a conversation as one row."""
        assert isinstance(piece, Example)
        prompt, answer = halves(piece, options)
        yield {"messages": prompt + answer, "tools": piece.tools, "metadata": piece.metadata}
