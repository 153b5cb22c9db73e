"""What a chat completion cannot carry of a message: its thoughts with their seals, and its order.

A skeleton is the message's list of blocks, in which what the client sends back anyway is only a
reference: `["text", characters]` and `["call", id]`. Every other block stands in it verbatim. It knows no
store and no request. Invariant: a rebuilt message is the provider's own, or there is none: where the
client has changed its text or its calls, nothing is put around them but the thoughts, in front.

Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking (preserving thinking
blocks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Block = dict[str, Any]
_THOUGHTS: Final = ("thinking", "redacted_thinking")


def skeletons(native: Mapping[str, Any]) -> dict[str, Any]:
    """Take the skeleton of a complete message, for each of its calls; none when nothing would be lost."""
    content = native.get("content")
    blocks = [block for block in _list(content) if isinstance(block, dict)]
    calls = [block["id"] for block in blocks if _is_call(block)]
    if not calls or not any(_is_lost(block) for block in blocks):
        return {}
    skeleton = [_reference(block) for block in blocks]
    return dict.fromkeys(calls, skeleton)


def rebuild(
    text: str, calls: Sequence[Block], *, recall: Callable[[str], Any]
) -> list[Block] | None:
    """Build the message that these calls came from; None when it is not known.

    `text` and `calls` (`tool_use` blocks) are what the client sends back.
    """
    skeleton = _list(recall(calls[0]["id"])) if calls else []
    if not skeleton:
        return None
    waiting = {call["id"]: call for call in calls}
    blocks: list[Block] = []
    place = 0
    for bone in skeleton:
        if isinstance(bone, dict):
            blocks.append(dict(bone))
            continue
        kind, value = bone
        if kind == "text":
            blocks.append({"type": "text", "text": text[place : place + value]})
            place += value
        elif (call := waiting.pop(value, None)) is not None:
            blocks.append(call)
        else:
            return _thoughts(skeleton)
    same = place == len(text) and not waiting
    return blocks if same else _thoughts(skeleton)


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
        if isinstance(bone, dict) and is_thought(bone):
            found.append(dict(bone))
        elif bone[0] == "call":
            break
    return found


def _reference(block: Block) -> Any:
    if _is_call(block):
        return ["call", block["id"]]
    if block.get("type") == "text" and isinstance(block.get("text"), str):
        return ["text", len(block["text"])]
    return block


def _is_call(block: Block) -> bool:
    return block.get("type") == "tool_use" and isinstance(block.get("id"), str)


def _is_lost(block: Block) -> bool:
    """Say whether a client's language has no place for a block."""
    return block.get("type") not in ("text", "tool_use")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
