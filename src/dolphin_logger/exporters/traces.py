"""Traces: each session a file of its own, as the Hub's trace viewer and `datasets` read them.

`pi` (the default): Pi's session format, version 3, with a `harness` in its header; `parentId` carries
branches, retries and sub-agents. `sts`: the Hub's simple format, one line of conversation. `native`: the
lines of the client's own file. Sources: badlogic/pi-mono, packages/coding-agent/docs/session-format.md;
huggingface.co/docs/hub/{agent-traces,session-traces-format}; teich, which `datasets` reads traces with:
instructions and tools stand in its own custom entries, since Pi's files have none.
Invariant: what is in a session and in no line is said with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Piece, Session, Unit
from dolphin_logger.exporters._api import Column, Options, Row, UnfitError
from dolphin_logger.exporters._pi import pi_rows
from dolphin_logger.exporters._sts import sts_rows

_FLAVOURS: Final = ("pi", "sts", "native")


class Traces:
    """One file for each session; see the module."""

    name = "traces"
    unit = Unit.SESSION
    columns: Sequence[Column] = ()
    is_file_each = True

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write the lines of one session.

        Raises:
            UnfitError: nothing was said, or not by one line in `sts`; there is no file for `native`.
            DatasetError: the flavour is unknown.
        """
        assert isinstance(piece, Session)
        flavour = options.flavour or "pi"
        if flavour == "pi":
            return pi_rows(piece, options)
        if flavour == "sts":
            return sts_rows(piece, options)
        if flavour == "native":
            return _native_rows(piece)
        raise DatasetError(f"traces: unknown flavour {flavour!r}; known: {', '.join(_FLAVOURS)}")

    def beside(self, files: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Give nothing: trainers read traces through `datasets`."""
        return {}


def _native_rows(session: Session) -> Iterator[Row]:
    if not session.native or not all(isinstance(line, dict) for line in session.native):
        raise UnfitError("has no session file of its client's own")
    yield from session.native
