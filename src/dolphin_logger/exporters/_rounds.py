"""A conversation as rounds: what was asked, and what was answered, in turn.

Shapes in which two sides speak by turns read conversations this way. Adjacent messages of one side are
its turn, as providers read them (platform.claude.com, Messages API: consecutive turns of one role are
combined, and results of tools stand in a user's). It knows no shape. Invariant: messages stay apart and
in their order; what does not alternate has no rounds, and the reason is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from dolphin_logger.example import Chat
from dolphin_logger.exporters._api import UnfitError
from dolphin_logger.exporters._content import join_texts, pictures_of, text_of, told_by_users

_ROLES = frozenset(("user", "assistant", "tool"))


@dataclass(frozen=True, slots=True)
class Round:
    """One side's messages (results of tools, behind them a user's), and the answer to them."""

    asked: list[Chat]
    answered: list[Chat]


def rounds_of(messages: list[Chat]) -> tuple[str, list[Round]]:
    """Divide a conversation into its instructions and its rounds.

    Raises:
        UnfitError: the two sides do not speak by turns, or the last word is not an answer.
    """
    system, said = _split_system(told_by_users(messages))
    sides = [list(group) for _, group in groupby(said, key=_is_answer)]
    if not sides or sides[-1][0]["role"] != "assistant":
        raise UnfitError("ends without an answer")
    if sides[0][0]["role"] != "user":
        raise UnfitError("does not begin with a user")
    for side in sides[::2]:
        roles = [message["role"] for message in side]
        if roles != sorted(roles):  # tool, user
            raise UnfitError("a user speaks before a tool's result")
    return system, [Round(*pair) for pair in zip(sides[::2], sides[1::2], strict=True)]


def _is_answer(message: Chat) -> bool:
    return bool(message["role"] == "assistant")


def _split_system(messages: list[Chat]) -> tuple[str, list[Chat]]:
    said = [message for message in messages if message["role"] != "system"]
    leading = messages[: len(messages) - len(said)]
    for message in said:
        if message["role"] not in _ROLES:
            raise UnfitError(f"has a message of role {message['role']!r}")
    if any(pictures_of(message) for message in leading):
        raise UnfitError("has pictures in its instructions")
    return join_texts(text_of(message) for message in leading), said
