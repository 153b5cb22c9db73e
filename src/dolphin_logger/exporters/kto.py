"""Answers with a thumb up or down: TRL's unpaired preference, made of ratings.

It does not know who rated. Invariant: 4 and 5 are good, 1 and 2 are bad; 3 is neither and no row.

Source: https://huggingface.co/docs/trl/dataset_formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Example, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError
from dolphin_logger.exporters._chats import halves


class Kto(Together):
    """`{"prompt", "completion", "label", "tools", "metadata"}`."""

    name = "kto"
    unit = Unit.TURN
    columns: Sequence[Column] = (
        Column("prompt", "list<json>"),
        Column("completion", "list<json>"),
        Column("label", "bool"),
        Column("tools", "list<json>"),
        Column("metadata", "json"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write a rated answer as one row."""
        assert isinstance(piece, Example)
        rating = piece.metadata.get("rating")
        if type(rating) is not int:
            raise UnfitError("has no rating")
        if rating == 3:
            raise UnfitError("is rated 3, which is neither good nor bad")
        prompt, answer = halves(piece, options)
        yield {
            "prompt": prompt,
            "completion": answer,
            "label": rating > 3,
            "tools": piece.tools,
            "metadata": piece.metadata,
        }
