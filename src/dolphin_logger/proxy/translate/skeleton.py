"""Skeletons: an answer by reference to what the client sends back anyway, the rest of it verbatim.

A skeleton is the list of an answer's blocks. `["text", characters, others, checksum]` and `["call", id,
others]` stand for a text and a call, with the block's other keys; every other block stands in it as it
is. It knows no language and no store. Invariant: what is filled has the texts that were said, and the
same calls, or it is not filled at all; a value that is no skeleton counts as none.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

Block = dict[str, Any]
Bone = Any  # a reference, or a block
_LENGTHS: Final = {"text": 4, "call": 3}


def refer_text(block: Mapping[str, Any], *, known: Collection[str]) -> Bone:
    """Refer to a text; `known` are the keys that are written again without being told."""
    text = block["text"]
    return ["text", len(text), _others(block, known), _checksum(text)]


def refer_call(block: Mapping[str, Any], id_: str, *, known: Collection[str]) -> Bone:
    """Refer to a call."""
    return ["call", id_, _others(block, known)]


def is_needed(skeleton: Sequence[Bone]) -> bool:
    """Say whether a client's message would lose anything: it has one text, then calls."""
    plain = [bone[0] for bone in skeleton if isinstance(bone, list) and not bone[2]]
    ordered = ["text"] * min(plain.count("text"), 1) + ["call"] * plain.count("call")
    return len(plain) < len(skeleton) or plain != ordered


def read_skeleton(value: Any) -> list[Bone]:
    """Read what was kept; empty if any of it is no bone."""
    bones = value if isinstance(value, list) else []
    return bones if all(isinstance(bone, dict) or _is_reference(bone) for bone in bones) else []


def fill(
    skeleton: Sequence[Bone],
    *,
    text: str,
    calls: Sequence[tuple[str, Block]],
    write_text: Callable[[str], Block],
) -> list[Block] | None:
    """Build the answer again from what the client sends; None where it does not fit.

    `calls` are ids and blocks; a key that the client sends itself counts.
    """
    waiting = dict(calls)
    place = 0
    blocks: list[Block] = []
    for bone in skeleton:
        if isinstance(bone, dict):
            blocks.append(dict(bone))
            continue
        kind, value, others, *checksum = bone
        if kind == "text":
            piece = text[place : place + value]
            if checksum != [_checksum(piece)]:
                return None
            blocks.append({**write_text(piece), **others})
            place += value
        elif value in waiting:
            blocks.append({**others, **waiting.pop(value)})
        else:
            return None
    has_all = place == len(text) and not waiting and len(dict(calls)) == len(calls)
    return blocks if has_all else None


def _others(block: Mapping[str, Any], known: Collection[str]) -> Block:
    return {key: value for key, value in block.items() if key not in known and value is not None}


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _is_reference(bone: Any) -> bool:
    kind = bone[0] if isinstance(bone, list) and bone else None
    if (
        not isinstance(kind, str)
        or len(bone) != _LENGTHS.get(kind)
        or not isinstance(bone[2], dict)
    ):
        return False
    if kind == "text":
        return type(bone[1]) is int and bone[1] >= 0
    return isinstance(bone[1], str)
