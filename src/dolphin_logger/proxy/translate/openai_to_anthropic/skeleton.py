"""What a chat completion cannot carry of a message: its thoughts with their seals, and its order.

It knows the blocks of a message, and neither store nor request. Invariant: a rebuilt message is made
of the provider's own blocks in their order, or there is none: where the client has changed its text or
its calls, nothing is put around them but the thoughts, in front.

Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking (preserving thinking
blocks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from dolphin_logger.proxy.translate.skeleton import (
    fill,
    is_needed,
    read_skeleton,
    refer_call,
    refer_text,
)

Block = dict[str, Any]
_THOUGHTS: Final = ("thinking", "redacted_thinking")
_OF_TEXT: Final = ("type", "text")
_OF_CALL: Final = ("type", "id", "name", "input")
_DIRECT: Final = {"type": "direct"}  # the caller of a call that no program has made


def skeletons(native: Mapping[str, Any]) -> dict[str, Any]:
    """Take the skeleton of a complete message, for each of its calls; none when nothing would be lost."""
    content = native.get("content")
    blocks = content if isinstance(content, list) else []
    reduced = (_reduce(block) for block in blocks if isinstance(block, dict))
    skeleton = [bone for bone in reduced if bone is not None]
    calls = [bone[1] for bone in skeleton if isinstance(bone, list) and bone[0] == "call"]
    return dict.fromkeys(calls, skeleton) if is_needed(skeleton) else {}


def rebuild(
    text: str, calls: Sequence[Block], *, recall: Callable[[str], Any]
) -> list[Block] | None:
    """Build the message that these calls came from; None when it is not known.

    `text` and `calls` (`tool_use` blocks) are what the client sends back.
    """
    skeleton = read_skeleton(recall(calls[0]["id"])) if calls else []
    if not skeleton or not all(isinstance(bone, list) or _is_other(bone) for bone in skeleton):
        return None
    blocks = fill(
        skeleton,
        text=text,
        calls=[(call["id"], call) for call in calls],
        write_text=lambda piece: {"type": "text", "text": piece},
    )
    return _thoughts(skeleton) if blocks is None else blocks


def is_whole(blocks: Sequence[Block]) -> bool:
    """Say whether `rebuild` gave the whole message, not only its thoughts."""
    return any(block["type"] == "tool_use" for block in blocks)


def is_thought(block: Block) -> bool:
    """Say whether a block is a thought of the model, readable or not."""
    return block.get("type") in _THOUGHTS


def _thoughts(skeleton: Sequence[Any]) -> list[Block]:
    """Give the thoughts before the first call: those that the provider demands back."""
    found: list[Block] = []
    for bone in skeleton:
        if isinstance(bone, dict):
            if is_thought(bone):
                found.append(dict(bone))
        elif bone[0] == "call":
            break
    return found


def _reduce(block: Block) -> Any:
    """Refer to a block, or keep it; None for one that nobody can send back."""
    kind = block.get("type")
    if kind == "tool_use" and isinstance(block.get("id"), str):
        direct = block.get("caller") == _DIRECT
        return refer_call(block, block["id"], known=(*_OF_CALL, *(("caller",) if direct else ())))
    if kind == "text" and isinstance(block.get("text"), str):
        return refer_text(block, known=_OF_TEXT)
    return block if _is_other(block) else None


def _is_other(block: Block) -> bool:
    """Say whether a block is one that a client's language has no place for."""
    kind = block.get("type")
    return isinstance(kind, str) and kind not in ("text", "tool_use")
