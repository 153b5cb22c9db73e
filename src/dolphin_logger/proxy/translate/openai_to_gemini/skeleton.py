"""What a chat completion cannot carry of an answer: signatures, thoughts, Gemini's own parts, order.

A skeleton is a content's list of parts, in which what the client sends back anyway is only a
reference: `["text", characters, others]` and `["call", id, others]`, with the part's other keys.
Every other part stands in it verbatim. It knows no store and no request. Invariant: a rebuilt content
is the provider's own, or there is none; what the client has changed keeps its signatures at most.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from dolphin_logger.proxy.translate.openai_to_gemini.words import call_id_of, is_call

Part = dict[str, Any]
Recall = Callable[[str], Any]
_BONE: Final = 3


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
        if calls and _is_needed(skeleton):
            kept.update(dict.fromkeys(calls, skeleton))
    return kept


def rebuild(text: str, calls: Sequence[Call], *, recall: Recall) -> list[Part] | None:
    """Build the content that these calls came from; None when it is unknown, or was changed.

    `text` and `calls` are what the client sends back.
    """
    skeleton = _read(recall(calls[0].id)) if calls else []
    if not skeleton:
        return None
    waiting = {call.id: call.part for call in calls}
    parts: list[Part] = []
    place = 0
    for bone in skeleton:
        if isinstance(bone, dict):
            parts.append(dict(bone))
            continue
        kind, value, others = bone
        if kind == "text":
            parts.append({"text": text[place : place + value], **others})
            place += value
        elif value in waiting:
            parts.append({**others, **waiting.pop(value)})
        else:
            return None
    return parts if place == len(text) and not waiting else None


def sign(call: Call, *, recall: Recall) -> Part:
    """Give a call back what stood beside it; what the client says itself counts."""
    for bone in _read(recall(call.id)):
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
            bones.append(["call", id_, _without(part, "functionCall")])
        elif part == {"text": ""}:
            continue  # it ends a stream, and Gemini refuses it in a history
        elif isinstance(part.get("text"), str) and not part.get("thought"):
            bones.append(["text", len(part["text"]), _without(part, "text")])
        else:
            bones.append(part)
    return bones, calls


def _without(part: Mapping[str, Any], key: str) -> Part:
    return {name: value for name, value in part.items() if name != key}


def _is_needed(skeleton: Sequence[Any]) -> bool:
    """Say whether a chat completion would lose anything: it has one text, then calls."""
    plain = [bone[0] for bone in skeleton if isinstance(bone, list) and not bone[2]]
    ordered = ["text"] * min(plain.count("text"), 1) + ["call"] * plain.count("call")
    return len(plain) < len(skeleton) or plain != ordered


def _read(skeleton: Any) -> list[Any]:
    """Read what was kept; nothing of it counts if any of it is no bone."""
    bones = skeleton if isinstance(skeleton, list) else []
    return bones if all(isinstance(bone, dict) or _is_reference(bone) for bone in bones) else []


def _is_reference(bone: Any) -> bool:
    if not isinstance(bone, list) or len(bone) != _BONE or not isinstance(bone[2], dict):
        return False
    kind, value = bone[:2]
    return (kind == "text" and type(value) is int and value >= 0) or (
        kind == "call" and isinstance(value, str)
    )
