"""OpenAI's files of preferences, which Fireworks and Together take too.

It does not know thoughts: the form has no field for them. Invariant: each output is one message of the
assistant, and a row has no key that OpenAI does not know, so columns are not fixed.

Source: https://platform.openai.com/docs/api-reference/fine-tuning/preference-input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dolphin_logger.example import Chat, Pair, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError
from dolphin_logger.exporters._openai_form import formed, formed_tools
from dolphin_logger.exporters.preference import compared


class OpenAIDPO(Together):
    """`{"input": {"messages", "tools"?}, "preferred_output", "non_preferred_output"}`."""

    name = "openai-dpo"
    unit = Unit.PAIR
    columns: Sequence[Column] = ()

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write a pair as one row."""
        assert isinstance(piece, Pair)
        prompt, chosen, rejected = compared(piece, replace(options, reasoning=False))
        preferred, other = _output(prompt, chosen), _output(prompt, rejected)
        yield {
            "input": {"messages": formed(prompt), **formed_tools(piece.tools)},
            "preferred_output": preferred,
            "non_preferred_output": other,
        }


def _output(prompt: list[Chat], answer: list[Chat]) -> list[Chat]:
    if len(answer) != 1:
        raise UnfitError("has an answer of more than one message")
    return formed([*prompt, *answer])[len(prompt) :]
