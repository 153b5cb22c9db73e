"""Checks that shapes of chats share: what a trainer can ask and what it can learn from.

It knows chats and no shape. Invariant: a chat is either given as it is, without its thoughts where
the recipe wants none and with instructions between turns as a user's words, or it is refused with a
reason; the chats that come in are not changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dolphin_logger.example import Chat, Example, Piece
from dolphin_logger.exporters._api import Options, UnfitError
from dolphin_logger.exporters._content import told_by_users

_ROLES: Final = frozenset(("system", "user", "assistant", "tool"))


def halves(piece: Piece, options: Options) -> tuple[list[Chat], list[Chat]]:
    """Give what was asked and what was answered.

    Raises:
        UnfitError: there is no question, or no answer that says anything.
    """
    assert isinstance(piece, Example)
    cut = max(piece.completion, 0)
    return asked(piece.messages[:cut], options), answered(piece.messages[cut:], options)


def asked(chats: Sequence[Chat], options: Options) -> list[Chat]:
    """Give the chats in front of an answer, instructions in front of all alone.

    Raises:
        UnfitError: nobody asks anything in them.
    """
    if not any(chat["role"] == "user" for chat in chats):
        raise UnfitError("has no question")
    return told_by_users(_fitting(chats, options))


def answered(chats: Sequence[Chat], options: Options) -> list[Chat]:
    """Give the chats of an answer: of an assistant, with results of tools between.

    Raises:
        UnfitError: there is none, it is empty, or it ends with something else than words or calls.
    """
    if not chats:
        raise UnfitError("has no answer")
    if any(chat["role"] not in ("assistant", "tool") for chat in chats):
        raise UnfitError("has an answer that is not the assistant's alone")
    if chats[-1]["role"] != "assistant":
        raise UnfitError("has an answer that ends with a result of a tool")
    if not (chats[-1]["content"] or chats[-1].get("tool_calls")):
        raise UnfitError("has an empty answer")
    return _fitting(chats, options)


def _fitting(chats: Sequence[Chat], options: Options) -> list[Chat]:
    strange = {str(chat["role"]) for chat in chats} - _ROLES
    if strange:
        raise UnfitError(f"has a role that trainers do not know: {min(strange)!r}")
    if options.reasoning:
        return list(chats)
    return [without_thoughts(chat) for chat in chats]


def without_thoughts(chat: Chat) -> Chat:
    """Give a chat without what was only thought."""
    return {key: value for key, value in chat.items() if key != "reasoning_content"}
