"""What a chat completion cannot carry of an answer: signatures, thoughts, Gemini's own parts, order.

It knows Gemini's parts, and neither store nor request. Invariant: a rebuilt content is made of the
provider's own parts in their order, or there is none; what the client has changed keeps the signatures
of its calls.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dolphin_logger.proxy.translate.openai_to_gemini.words import call_id_of, is_call
from dolphin_logger.proxy.translate.skeleton import (
    fill,
    is_needed,
    read_skeleton,
    refer_call,
    refer_text,
)

Part = dict[str, Any]
Recall = Callable[[str], Any]


class Call(NamedTuple):
    """A call that the client sends back: its id, and the part made of it."""

    id: str
    part: Part


def skeletons(native: Mapping[str, Any]) -> dict[str, Any]:
    """Take the skeleton of each candidate with calls, for each call; none when nothing would be lost."""
    kept: dict[str, Any] = {}
    response_id = native.get("responseId")
    candidates = native.get("candidates")
    for number, candidate in enumerate(candidates if isinstance(candidates, list) else ()):
        content = candidate.get("content") if isinstance(candidate, dict) else None
        parts = content.get("parts") if isinstance(content, dict) else None
        if not isinstance(parts, list):
            continue
        index = candidate.get("index")
        index = index if type(index) is int else number
        skeleton, calls = _reduce(parts, response_id=response_id, candidate=index)
        if calls and is_needed(skeleton):
            kept.update(dict.fromkeys(calls, skeleton))
    return kept


def rebuild(text: str, calls: Sequence[Call], *, recall: Recall) -> list[Part] | None:
    """Build the content that these calls came from; None when it is unknown, or was changed.

    `text` and `calls` are what the client sends back.
    """
    skeleton = read_skeleton(recall(calls[0].id)) if calls else []
    if not skeleton:
        return None
    return fill(skeleton, text=text, calls=calls, write_text=lambda piece: {"text": piece})


def sign(call: Call, *, recall: Recall) -> Part:
    """Give a call back what stood beside it; what the client says itself counts."""
    for bone in read_skeleton(recall(call.id)):
        if isinstance(bone, list) and bone[:2] == ["call", call.id]:
            return {**bone[2], **call.part}
    return call.part


def _reduce(
    parts: Sequence[Any], *, response_id: Any, candidate: int
) -> tuple[list[Any], list[str]]:
    bones: list[Any] = []
    calls: list[str] = []
    position = 0
    for part in parts:
        if not isinstance(part, dict):
            continue
        body = part.get("functionCall")
        if is_call(body):
            id_ = call_id_of(body, response_id=response_id, candidate=candidate, position=position)
            position += 1
            if body.get("id") or response_id:  # else the same id would be another's, too
                calls.append(id_)
            bones.append(refer_call(part, id_, known=("functionCall",)))
        elif part == {"text": ""} or "functionCall" in part:
            continue  # the end of a stream, a call without a name: refused in a history
        elif isinstance(part.get("text"), str) and not part.get("thought"):
            bones.append(refer_text(part, known=("text",)))
        else:
            bones.append(part)
    return bones, calls
