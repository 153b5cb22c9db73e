"""Tokens: how long an example is for a model.

What the provider counted for the call that ends the example is taken where it is recorded (its input
holds the history, the instructions and the tools). Else the texts are estimated, and the reason says
so. It knows no tokenizer: they differ by model and are large.
Invariant: an estimate is never told as a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, Final

import orjson

from dolphin_logger.curate.filters._limits import check_limits, outside
from dolphin_logger.curate.said import text_of
from dolphin_logger.example import Example

_ASCII_PER_TOKEN: Final = 4  # English prose and code, with the tokenizers of 2023 and later
_OTHERS_PER_TOKEN: Final = 1.5  # between Cyrillic (2 to 3) and Han (about 1)
_OF_MESSAGE: Final = 4  # what chat templates write around each


@dataclass(frozen=True, slots=True)
class Settings:
    """`least` and `most` tokens, history and answer together; `most` 0 is any number."""

    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Tokens:
    """Refuses examples that are too short, or do not fit into a context."""

    settings: Settings
    name: ClassVar[str] = "tokens"

    def reason(self, example: Example) -> str | None:
        """Say how many tokens there are, if they are too few or too many."""
        counted = recorded_tokens(example)
        count = estimate_tokens(example) if counted is None else counted
        noun = "tokens (estimated from the text)" if counted is None else "tokens"
        return outside(count, least=self.settings.least, most=self.settings.most, noun=noun)


def make(settings: Settings) -> Tokens | None:
    """Make the filter; None without limits."""
    check_limits(Tokens.name, least=settings.least, most=settings.most)
    return Tokens(settings) if settings.least or settings.most else None


def recorded_tokens(example: Example) -> int | None:
    """Give what the provider counted: `metadata["tokens"]`, a sum or counts by name; None if unknown."""
    tokens = example.metadata.get("tokens")
    if isinstance(tokens, Mapping):
        asked, answered = (
            tokens.get(f"{name}_tokens", tokens.get(name)) for name in ("input", "output")
        )
        if isinstance(asked, int) and isinstance(answered, int):
            return asked + answered
        tokens = tokens.get("total_tokens", tokens.get("total"))
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None


def estimate_tokens(example: Example) -> int:
    """Estimate the tokens of all messages, thoughts, calls and tools; off by a third now and then."""
    texts = [orjson.dumps(example.tools).decode()] if example.tools else []
    for chat in example.messages:
        texts += [text_of(chat), chat.get("reasoning_content") or ""]
        if calls := chat.get("tool_calls"):
            texts.append(orjson.dumps(calls).decode())
    return _OF_MESSAGE * len(example.messages) + sum(map(tokens_of_text, texts))


def tokens_of_text(text: str) -> int:
    """Estimate the tokens of a text from its characters."""
    plain = len(text) if text.isascii() else sum(map(str.isascii, text))
    return ceil(plain / _ASCII_PER_TOKEN + (len(text) - plain) / _OTHERS_PER_TOKEN)
