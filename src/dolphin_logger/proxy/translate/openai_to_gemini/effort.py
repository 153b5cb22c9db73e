"""How much a model shall think, in the form that its generation understands.

Gemini 2.5 takes a budget of tokens, newer ones a level. It knows model names and no request.
Invariant: nothing is sent unless the client asked; a level that its model has is not changed.

Source: https://ai.google.dev/gemini-api/docs/thinking and the table of efforts in
https://ai.google.dev/gemini-api/docs/openai.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import refusal

_GENERATION: Final = re.compile(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?!\d)")
_NEWEST: Final = (99, 0)  # a name without a number is newer than this file
_FIRST_THINKING: Final = (2, 5)
_FIRST_WITH_LEVELS: Final = (3, 0)
_WITH_MINIMAL: Final = ((3, 0), (3, 6))  # of these, the flash models
_FIRST_WITH_XHIGH: Final = (4, 0)

_BUDGETS: Final = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 24576,  # what every model with a budget takes
    "max": 24576,
}
_LEVELS: Final = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "XHIGH",
    "max": "XHIGH",
}
_INEXACT_BUDGETS: Final = ("minimal", "xhigh", "max")
_INEXACT_LEVELS: Final = ("none", "max")  # models with levels always think


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send as `thinkingConfig`; None when the effort cannot be expressed."""

    thinking: dict[str, Any] | None
    exact: bool = True


def plan_effort(effort: Any, *, model: str) -> Plan:
    """Plan for one `reasoning_effort`."""
    if not isinstance(effort, str) or effort not in _LEVELS:
        known = ", ".join(_LEVELS)
        raise refusal(
            f"reasoning_effort: {effort!r} is unknown; known: {known}", param="reasoning_effort"
        )
    generation = generation_of(model)
    if generation < _FIRST_THINKING:
        return Plan(None)
    if generation < _FIRST_WITH_LEVELS:
        thinking: dict[str, Any] = {"thinkingBudget": _BUDGETS[effort]}
        exact = effort not in _INEXACT_BUDGETS
    else:
        wanted = _LEVELS[effort]
        level = _nearest(wanted, model=model.lower(), generation=generation)
        thinking = {"thinkingLevel": level}
        exact = level == wanted and effort not in _INEXACT_LEVELS
    if effort != "none":
        thinking["includeThoughts"] = True
    return Plan(thinking, exact)


def generation_of(model: str) -> tuple[int, int]:
    """Read the generation from a model's name."""
    found = _GENERATION.search(model.lower())
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def demands_signatures(model: str) -> bool:
    """Say whether a model refuses the calls of its current turn without their signatures."""
    return generation_of(model) >= _FIRST_WITH_LEVELS


def _nearest(level: str, *, model: str, generation: tuple[int, int]) -> str:
    first, last = _WITH_MINIMAL
    if level == "MINIMAL" and not ("flash" in model and first <= generation <= last):
        return "LOW"
    if level == "XHIGH" and generation < _FIRST_WITH_XHIGH:
        return "HIGH"
    return level
