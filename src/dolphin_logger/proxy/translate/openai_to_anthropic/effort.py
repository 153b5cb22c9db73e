"""How much a model shall think, in the form that its generation understands.

Claude 3.7 to 4.5 take a budget of tokens; from 4.6 on the model decides by itself, guided by an
effort. It knows model names and no request. Invariant: nothing is sent unless the client asked;
a budget leaves room for an answer.

Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking, .../adaptive-thinking.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import refusal

# The generation is before the family in claude-3-7-sonnet-20250219, after it in claude-sonnet-4-5.
_GENERATION: Final = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_FIRST_THINKING: Final = (3, 7)
_FIRST_ADAPTIVE: Final = (4, 6)
_NEWEST: Final = (99, 0)  # a name without a number is newer than this file

_BUDGETS: Final = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 32768,
}
_EFFORTS: Final = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}
_SMALLEST_BUDGET: Final = 1024
_ROOM: Final = 1024  # tokens of an answer that thinking must not use up
_SMALLEST_LIMIT: Final = 32000  # what every model with a budget may answer (claude-opus-4)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send. `carried` is False when the effort cannot be expressed; `exact` when it can as it is."""

    thinking: dict[str, Any] | None = None
    effort: str | None = None
    max_tokens: int | None = None
    carried: bool = True
    exact: bool = True


_NOT_CARRIED: Final = Plan(carried=False)


def plan_effort(
    effort: Any, *, model: str, max_tokens: int, is_limit: bool, forced_tool: bool
) -> Plan:
    """Plan for one `reasoning_effort`; `is_limit` says that the client itself chose `max_tokens`.

    `forced_tool`: the model has to call a tool, which it may not think about.
    """
    if effort == "none":
        return Plan(thinking={"type": "disabled"})
    if not isinstance(effort, str) or effort not in _BUDGETS:
        known = ", ".join(("none", *_BUDGETS))
        raise refusal(
            f"reasoning_effort: {effort!r} is unknown; known: {known}", param="reasoning_effort"
        )
    generation = _generation(model)
    if generation >= _FIRST_ADAPTIVE:
        thinking = None if forced_tool else {"type": "adaptive"}
        known_effort = _EFFORTS[effort]
        exact = known_effort == effort and not forced_tool
        return Plan(thinking=thinking, effort=known_effort, exact=exact)
    if generation < _FIRST_THINKING or forced_tool:
        return _NOT_CARRIED
    return _plan_budget(_BUDGETS[effort], max_tokens=max_tokens, is_limit=is_limit)


def _plan_budget(wanted: int, *, max_tokens: int, is_limit: bool) -> Plan:
    """Fit a budget below `max_tokens`, which grows unless the client chose it."""
    if not is_limit:
        max_tokens = max(max_tokens, min(max_tokens + wanted, _SMALLEST_LIMIT))
    budget = min(wanted, max_tokens - _ROOM)
    if budget < _SMALLEST_BUDGET:
        return _NOT_CARRIED
    thinking = {"type": "enabled", "budget_tokens": budget}
    return Plan(thinking=thinking, max_tokens=max_tokens, exact=budget == wanted)


def _generation(model: str) -> tuple[int, int]:
    found = _GENERATION.search(model.lower())
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST
