"""Request and answer as they were recorded: the lines that the original program published.

It knows no words: bodies stay in the client's own language. Invariant: nothing is added or taken away
(what must not leave went before: `prepare`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dolphin_logger.example import Exchanged, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError


class Log(Together):
    """`{"request", "response"}`."""

    name = "log"
    unit = Unit.EXCHANGE
    columns: Sequence[Column] = (Column("request", "json"), Column("response", "json"))

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write an exchange as one row."""
        assert isinstance(piece, Exchanged)
        if piece.request is None:
            raise UnfitError("has no request that is JSON")
        if piece.response is None:
            raise UnfitError("has no answer that is JSON")
        yield {"request": piece.request, "response": piece.response}
