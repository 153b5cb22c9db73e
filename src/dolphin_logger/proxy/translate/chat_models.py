"""What a model's name says of the servers that run it: how far it can think, how its limit is called.

It knows names, and no request and no host: the same name may be served anywhere. Invariant: a model that
is not known here gets what every server takes. A wish that is left out costs little, one that is
refused costs the answer.

Sources: https://developers.openai.com/api/docs/guides/reasoning,
https://ai.google.dev/gemini-api/docs/openai.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

_LEVELS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS: Final = ((0, "none"), (2048, "low"), (8192, "medium"))  # of tokens, at most; above: high

# OpenAI's own models, also fine-tuned (ft:gpt-4o:…); gpt-35 is an older name of gpt-3.5.
_OPENAIS: Final = re.compile(
    r"(?:^|[/:])(?:gpt-(?:35|(\d+)(?:\.(\d+))?)|chatgpt|(o\d|codex)(?!\w))"
)
_GEMINI: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_FIRST_THINKING: Final = (5, 0)
_FIRST_TO_SWITCH_OFF: Final = (5, 1)
_FIRST_WITH_XHIGH: Final = (5, 2)
_FIRST_WITH_MAX: Final = (5, 6)
_FIRST_GEMINI: Final = (2, 5)
_COMMON: Final = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """What servers of a model accept.

    Attributes:
        efforts: values of `reasoning_effort`, the lowest first; empty when it is refused.
        takes_newer_keys: of OpenAI's thinking models: they refuse `max_tokens`, too.
        takes_thoughts: whether thoughts may stand in the history.
        thinks_beside_tools: whether an effort may stand beside tools.
    """

    efforts: tuple[str, ...] = ()
    takes_newer_keys: bool = False
    takes_thoughts: bool = True
    thinks_beside_tools: bool = True

    @property
    def limit(self) -> str:
        """The key that limits an answer; many local servers know only the older one."""
        return "max_completion_tokens" if self.takes_newer_keys else "max_tokens"

    def choose_effort(self, wanted: str | None, *, beside_tools: bool) -> str | None:
        """Choose what to send for a wish: the nearest effort; None when there is none to send."""
        if beside_tools and not self.thinks_beside_tools:
            return "none"  # else the model chooses one by itself, and refuses the tools
        if wanted not in _LEVELS:
            return None
        place = _LEVELS.index(wanted)

        def distance(known: str) -> tuple[int, bool]:
            return abs(_LEVELS.index(known) - place), known == _LEVELS[
                0
            ]  # rather a little than none

        return min(self.efforts, key=distance, default=None)


def traits_of(model: str) -> ModelTraits:
    """Read a model's name; servers of many vendors put the vendor's before it."""
    model = model.lower()
    own = _OPENAIS.search(model)
    if own is not None:
        return _traits_of_openai(model, own)
    gemini = _GEMINI.search(model)
    name = model.rpartition("/")[2]
    if name.startswith("gpt-oss") or (gemini is not None and _version(gemini) >= _FIRST_GEMINI):
        return ModelTraits(efforts=_COMMON)
    if "claude-" in name:
        return ModelTraits(efforts=("none", *_COMMON, "xhigh", "max"))
    return ModelTraits()


def is_effort(word: Any) -> bool:
    """Say whether this is an effort that any model knows."""
    return word in _LEVELS


def effort_of(budget: int) -> str:
    """Choose the effort for a budget of tokens."""
    return next((effort for limit, effort in _BUDGETS if budget <= limit), "high")


def _traits_of_openai(model: str, own: re.Match[str]) -> ModelTraits:
    generation = _version(own)
    if generation < _FIRST_THINKING and own[3] is None:
        return ModelTraits(takes_thoughts=False)  # it does not think
    efforts: tuple[str, ...] = _COMMON
    if "-chat" in model:
        efforts = ()
    elif generation >= _FIRST_TO_SWITCH_OFF:
        further = ("xhigh",) * (generation >= _FIRST_WITH_XHIGH)
        further += ("max",) * (generation >= _FIRST_WITH_MAX)
        efforts = ("none", *_COMMON, *further)
    elif own[3] is None:
        efforts = ("minimal", *_COMMON)
    direct = "/" not in model  # else another vendor's server stands before it
    return ModelTraits(
        efforts=efforts,
        takes_newer_keys=True,
        takes_thoughts=False,
        thinks_beside_tools=not direct or not efforts or generation < _FIRST_WITH_XHIGH,
    )


def _version(found: re.Match[str]) -> tuple[int, int]:
    return int(found[1] or 0), int(found[2] or 0)
