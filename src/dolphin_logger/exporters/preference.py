"""Two answers to one prompt: TRL's preference, with how it is known which one is better.

It does not know where pairs come from. Invariant: the two answers differ, also after thoughts that the
recipe does not want are gone.

Source: https://huggingface.co/docs/trl/dataset_formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Chat, Pair, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError
from dolphin_logger.exporters._chats import answered, asked


class Preference(Together):
    """`{"prompt", "chosen", "rejected", "tools", "signal", "metadata"}`."""

    name = "preference"
    unit = Unit.PAIR
    columns: Sequence[Column] = (
        Column("prompt", "list<json>"),
        Column("chosen", "list<json>"),
        Column("rejected", "list<json>"),
        Column("tools", "list<json>"),
        Column("signal", "string"),
        Column("metadata", "json"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write a pair as one row."""
        assert isinstance(piece, Pair)
        prompt, chosen, rejected = compared(piece, options)
        yield {
            "prompt": prompt,
            "chosen": chosen,
            "rejected": rejected,
            "tools": piece.tools,
            "signal": piece.signal,
            "metadata": piece.metadata,
        }


def compared(piece: Pair, options: Options) -> tuple[list[Chat], list[Chat], list[Chat]]:
    """Give the prompt of a pair, the better answer and the other.

    Raises:
        UnfitError: one of them cannot be trained on, or both answers say the same.
    """
    prompt = asked(piece.prompt, options)
    chosen, rejected = answered(piece.chosen, options), answered(piece.rejected, options)
    if chosen == rejected:
        raise UnfitError("has two answers that are the same")
    return prompt, chosen, rejected
