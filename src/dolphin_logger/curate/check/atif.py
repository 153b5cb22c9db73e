"""The rules of ATIF v1.8, written down from its specification: keys, kinds, and what may stand where.

harborframework.com/docs/trajectory-format (RFC 0001). Unknown keys are faults, as they are for Harbor's
own models, which need a newer Python than ours. Null is as good as absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

_VERSION: Final = "ATIF-v1.8"
Read = dict[str, Any]
Kinds = Mapping[str, Any]

_TEXT, _WHOLE, _NUMBER, _OBJECT, _LIST = str, int, (int, float), dict, list
_TRAJECTORY: Final[Kinds] = {
    "schema_version": _TEXT,
    "session_id": _TEXT,
    "trajectory_id": _TEXT,
    "agent": _OBJECT,
    "steps": _LIST,
    "notes": _TEXT,
    "final_metrics": _OBJECT,
    "continued_trajectory_ref": _TEXT,
    "extra": _OBJECT,
    "subagent_trajectories": _LIST,
}
_AGENT: Final[Kinds] = {
    "name": _TEXT,
    "version": _TEXT,
    "model_name": _TEXT,
    "tool_definitions": _LIST,
    "extra": _OBJECT,
}
_STEP: Final[Kinds] = {
    "step_id": _WHOLE,
    "timestamp": _TEXT,
    "source": _TEXT,
    "model_name": _TEXT,
    "reasoning_effort": (str, int, float),
    "message": (str, list),
    "reasoning_content": _TEXT,
    "tool_calls": _LIST,
    "observation": _OBJECT,
    "metrics": _OBJECT,
    "is_copied_context": bool,
    "llm_call_count": _WHOLE,
    "extra": _OBJECT,
}
_OF_AGENTS: Final = ("model_name", "reasoning_effort", "reasoning_content", "tool_calls", "metrics")
_CALL: Final[Kinds] = {
    "tool_call_id": _TEXT,
    "function_name": _TEXT,
    "arguments": _OBJECT,
    "extra": _OBJECT,
}
_RESULT: Final[Kinds] = {
    "source_call_id": _TEXT,
    "content": (str, list),
    "subagent_trajectory_ref": _LIST,
    "extra": _OBJECT,
}
_REFERENCE: Final[Kinds] = {
    "trajectory_id": _TEXT,
    "session_id": _TEXT,
    "trajectory_path": _TEXT,
    "extra": _OBJECT,
}
_METRICS: Final[Kinds] = {
    "prompt_tokens": _WHOLE,
    "completion_tokens": _WHOLE,
    "cached_tokens": _WHOLE,
    "cost_usd": _NUMBER,
    "prompt_token_ids": _LIST,
    "completion_token_ids": _LIST,
    "logprobs": _LIST,
    "extra": _OBJECT,
}
_TOTALS: Final[Kinds] = {
    "total_prompt_tokens": _WHOLE,
    "total_completion_tokens": _WHOLE,
    "total_cached_tokens": _WHOLE,
    "total_cost_usd": _NUMBER,
    "total_steps": _WHOLE,
    "extra": _OBJECT,
}
_PICTURES: Final = {"image/jpeg", "image/png", "image/gif", "image/webp"}
_SOURCES: Final = ("system", "user", "agent")


def faults(trajectory: Any, *, at: str = "") -> Iterator[str]:
    """Say what keeps a trajectory, with all that it embeds, from being one, and where."""
    found = list(_misfits(trajectory, _TRAJECTORY, ("schema_version", "agent", "steps"), at=at))
    yield from found
    if found:
        return
    if trajectory["schema_version"] != _VERSION:
        yield f"{at}schema_version: not {_VERSION}"
    yield from _misfits(trajectory["agent"], _AGENT, ("name", "version"), at=f"{at}agent.")
    yield from _misfits(
        trajectory.get("final_metrics") or {}, _TOTALS, (), at=f"{at}final_metrics."
    )
    if not trajectory["steps"]:
        yield f"{at}steps: none"
    for number, step in enumerate(trajectory["steps"], 1):
        yield from _faults_of_step(step, number, at=f"{at}steps[{number - 1}].")
    embedded = trajectory.get("subagent_trajectories") or []
    names = [one.get("trajectory_id") for one in embedded if isinstance(one, dict)]
    if len(set(names)) != len(embedded) or not all(names):
        yield f"{at}subagent_trajectories: each needs a trajectory_id of its own"
    for number, reference in enumerate(references(trajectory)):
        where = f"{at}reference {number}: "
        yield from _misfits(reference, _REFERENCE, ("trajectory_id",), at=where)
        if isinstance(reference, dict) and reference.get("trajectory_id") not in names:
            yield f"{where}no such trajectory is embedded"
    for number, one in enumerate(embedded):
        yield from faults(one, at=f"{at}subagent_trajectories[{number}].")


def references(trajectory: Read) -> list[Read]:
    """Give all references to sub-agents of a trajectory's own steps."""
    return [
        one
        for step in trajectory["steps"]
        for result in _results(step)
        for one in result.get("subagent_trajectory_ref") or ()
    ]


def _results(step: Any) -> list[Read]:
    seen = step.get("observation") if isinstance(step, dict) else None
    results = seen.get("results") if isinstance(seen, dict) else None
    return [one for one in results if isinstance(one, dict)] if isinstance(results, list) else []


def _faults_of_step(step: Any, number: int, *, at: str) -> Iterator[str]:
    found = list(_misfits(step, _STEP, ("step_id", "source", "message"), at=at))
    yield from found
    if found:
        return
    if step["step_id"] != number:
        yield f"{at}step_id: {step['step_id']}, where {number} is next"
    try:
        datetime.fromisoformat(step.get("timestamp") or "2026-01-01")
    except ValueError:
        yield f"{at}timestamp: no time of ISO 8601"
    if step["source"] not in _SOURCES:
        yield f"{at}source: none of {', '.join(_SOURCES)}"
    elif step["source"] != "agent":
        yield from (f"{at}{name}: only agents have it" for name in _OF_AGENTS if step.get(name))
    yield from _faults_of_content(step["message"], at=f"{at}message")
    yield from _misfits(step.get("metrics") or {}, _METRICS, (), at=f"{at}metrics.")
    calls = step.get("tool_calls") or []
    for place, call in enumerate(calls):
        needed = ("tool_call_id", "function_name", "arguments")
        yield from _misfits(call, _CALL, needed, at=f"{at}tool_calls[{place}].")
    known = {call.get("tool_call_id") for call in calls if isinstance(call, dict)}
    yield from _misfits(
        step.get("observation") or {}, {"results": list}, (), at=f"{at}observation."
    )
    for place, result in enumerate(_results(step)):
        where = f"{at}observation.results[{place}]."
        yield from _misfits(result, _RESULT, (), at=where)
        yield from _faults_of_content(result.get("content"), at=f"{where}content")
        if result.get("source_call_id") not in {None, *known}:
            yield f"{where}source_call_id: no call of this step"


def _faults_of_content(content: Any, *, at: str) -> Iterator[str]:
    for place, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and set(part) == {"type", "text"} and isinstance(part["text"], str):
            continue
        source = part.get("source") if kind == "image" and set(part) == {"type", "source"} else None
        if not isinstance(source, dict) or set(source) != {"media_type", "path"}:
            yield f"{at}[{place}]: neither a text nor a picture"
        elif source["media_type"] not in _PICTURES:
            yield f"{at}[{place}]: a picture of an unknown kind"


def _misfits(value: Any, kinds: Kinds, needed: tuple[str, ...], *, at: str) -> Iterator[str]:
    """Hold keys and the kinds of their values against what may stand there."""
    if not isinstance(value, dict):
        yield f"{at.rstrip('.: ') or 'the trajectory'}: no object"
        return
    yield from (f"{at}{name}: an unknown key" for name in value if name not in kinds)
    yield from (f"{at}{name}: missing" for name in needed if value.get(name) is None)
    for name, inner in value.items():
        kind = kinds.get(name)
        if inner is None or kind is None:
            continue
        if not isinstance(inner, kind) or (isinstance(inner, bool) and kind is not bool):
            yield f"{at}{name}: {type(inner).__name__} has no place there"
