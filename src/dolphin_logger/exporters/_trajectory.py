"""The steps of an ATIF trajectory: one path through a session, and what it cost.

Source: harborframework.com/docs/trajectory-format (RFC 0001, ATIF v1.8). What tools gave stands at the
step that called them. It does not know sub-agents and branches. Invariant: only steps of an agent carry
what only an agent has; totals are there where every step's count is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dolphin_logger.conversation.placement import Relation
from dolphin_logger.example import Chat, Json
from dolphin_logger.exporters._api import Options, UnfitError
from dolphin_logger.exporters._content import (
    calls_of,
    compact,
    parts_of,
    pictures_of,
    shown,
    text_of,
)
from dolphin_logger.exporters._tree import Node

_KINDS: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
_SOURCES: Final = {"assistant": "agent", "user": "user", "system": "system"}
_METRICS: Final = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cache_read_tokens": "cached_tokens",
}


@dataclass(slots=True)
class Trajectory:
    """Steps as they are written.

    Attributes:
        calls: the steps in which calls were made, by the id of the call.
        spoken: the steps in which answers stand that were not said before, by the name of their node.
    """

    steps: list[Json] = field(default_factory=list)
    calls: dict[str, Json] = field(default_factory=dict)
    spoken: dict[str, Json] = field(default_factory=dict)


def write_steps(path: list[Node], options: Options, *, told: set[str]) -> Trajectory:
    """Write a path; the nodes of `told` are copied context, as is what a compaction said again."""
    trajectory = Trajectory()
    again = _said_again(path)
    for node in path:
        (chat,) = shown([node.chat], options)
        is_copied = node.id in told or node.id in again
        if chat["role"] == "tool":
            _add_result(trajectory, chat, node, is_copied=is_copied)
        else:
            _add_step(trajectory, chat, node, is_copied=is_copied)
    return trajectory


def metrics_of(steps: list[Json]) -> Json:
    """Sum up what is known of all steps that a model made."""
    asked = [step for step in steps if step.get("llm_call_count") and not _is_copied(step)]
    totals: Json = {"total_steps": len(steps)}
    for name in _METRICS.values():
        counts = [step["metrics"].get(name) for step in asked if "metrics" in step]
        if counts and len(counts) == len(asked) and None not in counts:
            totals[f"total_{name}"] = sum(counts)
    return totals


def observe(step: Json, result: Json) -> None:
    """Add what came of a step to it."""
    step.setdefault("observation", {"results": []})["results"].append(result)


def _said_again(path: list[Node]) -> set[str]:
    """Give the nodes of compactions that say what was said before on the path."""
    again: set[str] = set()
    if not any(node.step.relation == Relation.COMPACTION for node in path):
        return again
    said: set[str] = set()
    for node in path:
        words = compact(node.chat)
        is_history = node.step.relation == Relation.COMPACTION and not node.is_answer
        if is_history and words in said:
            again.add(node.id)
        said.add(words)
    return again


def _is_copied(step: Json) -> bool:
    return bool(step.get("is_copied_context"))


def _add_step(trajectory: Trajectory, chat: Chat, node: Node, *, is_copied: bool) -> None:
    source = _SOURCES.get(chat["role"])
    if source is None:
        raise UnfitError(f"has a message of role {chat['role']!r}")
    step = _begin(trajectory, node, source=source, is_copied=is_copied)
    step["message"] = _content(chat)
    if source == "agent":
        _tell_agent(step, chat, node)
        for call in calls_of(chat):
            trajectory.calls[call["id"]] = step
        if not is_copied:
            trajectory.spoken[node.id] = step


def _begin(trajectory: Trajectory, node: Node, *, source: str, is_copied: bool) -> Json:
    step: Json = {
        "step_id": len(trajectory.steps) + 1,
        "timestamp": node.step.time,
        "source": source,
    }
    if is_copied:
        step["is_copied_context"] = True
    trajectory.steps.append(step)
    return step


def _add_result(trajectory: Trajectory, chat: Chat, node: Node, *, is_copied: bool) -> None:
    name = chat.get("tool_call_id")
    caller = trajectory.calls.get(name) if name is not None else None
    if caller is not None:
        observe(caller, {"source_call_id": name, "content": _content(chat)})
        return
    # its call was cut off with the history before it
    step = _begin(trajectory, node, source="system", is_copied=is_copied)
    step["message"] = ""
    observe(step, {"content": _content(chat)})


def _tell_agent(step: Json, chat: Chat, node: Node) -> None:
    if chat.get("reasoning_content"):
        step["reasoning_content"] = chat["reasoning_content"]
    if calls := calls_of(chat):
        step["tool_calls"] = [_call(call) for call in calls]
    if not node.is_answer:
        return
    if node.step.model is not None:
        step["model_name"] = node.step.model
    step["extra"] = {"record": node.step.id, "outcome": node.step.outcome}
    if node.step.finish_reason is not None:
        step["extra"]["finish_reason"] = node.step.finish_reason
    if node.is_counted:
        step["llm_call_count"] = 1
        if metrics := _metrics(node.step.usage):
            step["metrics"] = metrics


def _call(call: Json) -> Json:
    function = call["function"]
    return {
        "tool_call_id": call["id"],
        "function_name": function["name"],
        "arguments": function["arguments"],
    }


def _metrics(usage: Json) -> Json:
    known = {name: count for name, count in usage.items() if count is not None}
    metrics = {ours: known.pop(name) for name, ours in _METRICS.items() if name in known}
    return metrics | ({"extra": known} if known else {})


def _content(chat: Chat) -> str | list[Json]:
    if not pictures_of(chat):
        return text_of(chat)
    return [part if part["type"] == "text" else _picture(part["image"]) for part in parts_of(chat)]


def _picture(address: str) -> Json:
    kind = _kind(address)
    if kind is None:
        raise UnfitError("has a picture of an unknown kind")
    return {"type": "image", "source": {"media_type": kind, "path": address}}


def _kind(address: str) -> str | None:
    if address.startswith("data:"):
        named = address.removeprefix("data:").partition(";")[0]
        return named if named in _KINDS.values() else None
    path = address.partition("?")[0].partition("#")[0]
    return _KINDS.get(path.rpartition(".")[2].lower())
