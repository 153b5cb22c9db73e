"""The rules of ATIF v1.8, written down from its specification: keys, kinds, and what may stand where.

harborframework.com/docs/trajectory-format (RFC 0001). Unknown keys are faults, as they are for Harbor's
own models, which need a newer Python than ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Read = dict[str, Any]
TEXT, WHOLE, NUMBER, OBJECT, LIST = str, int, (int, float), dict, list
TRAJECTORY = {
    "schema_version": TEXT,
    "session_id": TEXT,
    "trajectory_id": TEXT,
    "agent": OBJECT,
    "steps": LIST,
    "notes": TEXT,
    "final_metrics": OBJECT,
    "continued_trajectory_ref": TEXT,
    "extra": OBJECT,
    "subagent_trajectories": LIST,
}
AGENT = {
    "name": TEXT,
    "version": TEXT,
    "model_name": TEXT,
    "tool_definitions": LIST,
    "extra": OBJECT,
}
STEP = {
    "step_id": WHOLE,
    "timestamp": TEXT,
    "source": TEXT,
    "model_name": TEXT,
    "reasoning_effort": (str, int, float),
    "message": (str, list),
    "reasoning_content": TEXT,
    "tool_calls": LIST,
    "observation": OBJECT,
    "metrics": OBJECT,
    "is_copied_context": bool,
    "llm_call_count": WHOLE,
    "extra": OBJECT,
}
OF_AGENTS = ("model_name", "reasoning_effort", "reasoning_content", "tool_calls", "metrics")
CALL = {"tool_call_id": TEXT, "function_name": TEXT, "arguments": OBJECT, "extra": OBJECT}
RESULT = {
    "source_call_id": TEXT,
    "content": (str, list),
    "subagent_trajectory_ref": LIST,
    "extra": OBJECT,
}
REFERENCE = {"trajectory_id": TEXT, "session_id": TEXT, "trajectory_path": TEXT, "extra": OBJECT}
METRICS = {
    "prompt_tokens": WHOLE,
    "completion_tokens": WHOLE,
    "cached_tokens": WHOLE,
    "cost_usd": NUMBER,
    "prompt_token_ids": LIST,
    "completion_token_ids": LIST,
    "logprobs": LIST,
    "extra": OBJECT,
}
TOTALS = {
    "total_prompt_tokens": WHOLE,
    "total_completion_tokens": WHOLE,
    "total_cached_tokens": WHOLE,
    "total_cost_usd": NUMBER,
    "total_steps": WHOLE,
    "extra": OBJECT,
}
PICTURES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def check(trajectory: Read) -> None:
    """Hold that a trajectory, with all that it embeds, is one; null is as good as absent."""
    _hold(trajectory, TRAJECTORY, ("schema_version", "agent", "steps"))
    assert trajectory["schema_version"] == "ATIF-v1.8"
    _hold(trajectory["agent"], AGENT, ("name", "version"))
    assert trajectory["steps"], "a trajectory has a step"
    for place, step in enumerate(trajectory["steps"], start=1):
        assert step["step_id"] == place, "steps count from 1"
        _check_step(step)
    _hold(trajectory.get("final_metrics") or {}, TOTALS, ())
    embedded = trajectory.get("subagent_trajectories") or []
    names = [one["trajectory_id"] for one in embedded]
    assert all(names), "what is embedded has a name"
    assert len(set(names)) == len(names), names
    for reference in references(trajectory):
        _hold(reference, REFERENCE, ("trajectory_id",))
        assert reference["trajectory_id"] in names
    for one in embedded:
        check(one)


def references(trajectory: Read) -> list[Read]:
    """Give all references to sub-agents of a trajectory's own steps."""
    results = [
        result
        for step in trajectory["steps"]
        for result in step.get("observation", {}).get("results", ())
    ]
    return [one for result in results for one in result.get("subagent_trajectory_ref", ())]


def _check_step(step: Read) -> None:
    _hold(step, STEP, ("step_id", "source", "message"))
    datetime.fromisoformat(step["timestamp"])
    assert step["source"] in ("system", "user", "agent")
    if step["source"] != "agent":
        assert not [name for name in OF_AGENTS if name in step]
    _check_content(step["message"])
    calls = step.get("tool_calls", [])
    for call in calls:
        _hold(call, CALL, ("tool_call_id", "function_name", "arguments"))
    _hold(step.get("metrics", {}), METRICS, ())
    if "observation" in step:
        assert set(step["observation"]) == {"results"}
        for result in step["observation"]["results"]:
            _hold(result, RESULT, ())
            _check_content(result.get("content", ""))
            named = result.get("source_call_id")
            assert named is None or named in [call["tool_call_id"] for call in calls]


def _check_content(content: Any) -> None:
    for part in content if isinstance(content, list) else ():
        if part["type"] == "text":
            assert set(part) == {"type", "text"}
        else:
            assert set(part) == {"type", "source"}
            assert set(part["source"]) == {"media_type", "path"}
            assert part["source"]["media_type"] in PICTURES


def _hold(value: Read, kinds: Mapping[str, Any], needed: tuple[str, ...]) -> None:
    assert set(value) <= set(kinds), set(value) - set(kinds)
    assert not [name for name in needed if value.get(name) is None]
    for name, inner in value.items():
        if inner is not None:
            assert isinstance(inner, kinds[name]), f"{name}: {inner!r}"
            assert kinds[name] is bool or not isinstance(inner, bool), name
