"""One row for each recorded call, the history its prompt: TRL's prompt-completion.

The only shape that trains on every thought: most templates strip those of earlier turns. It does not
know how rows are stored. Invariant: prompt and completion together are the messages of the example.

Source: https://huggingface.co/docs/trl/dataset_formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Example, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together
from dolphin_logger.exporters._chats import halves


class Turns(Together):
    """`{"prompt", "completion", "tools", "metadata"}`."""

    name = "turns"
    unit = Unit.TURN
    columns: Sequence[Column] = (
        Column("prompt", "list<json>"),
        Column("completion", "list<json>"),
        Column("tools", "list<json>"),
        Column("metadata", "json"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write a call as one row."""
        assert isinstance(piece, Example)
        prompt, answer = halves(piece, options)
        yield {
            "prompt": prompt,
            "completion": answer,
            "tools": piece.tools,
            "metadata": piece.metadata,
        }
