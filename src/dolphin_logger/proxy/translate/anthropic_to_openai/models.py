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
from typing import Final

_LEVELS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS: Final = ((2048, "low"), (8192, "medium"))  # of tokens to think, at most; above: high

_OWN: Final = re.compile(r"(?:gpt-[3-9]|chatgpt|o[134](?:-|$))")  # OpenAI's own models
_GPT: Final = re.compile(r"gpt-([5-9])(?:\.(\d+))?")
_GEMINI: Final = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
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
        limit: the key that limits an answer.
        takes_thoughts: whether thoughts may stand in the history.
        thinks_beside_tools: whether an effort may stand beside tools.
    """

    efforts: tuple[str, ...] = ()
    limit: str = "max_tokens"
    takes_thoughts: bool = True
    thinks_beside_tools: bool = True

    def nearest_effort(self, wanted: str) -> str | None:
        """Choose the effort that is nearest to the wanted one; None when there is none."""
        if wanted not in _LEVELS:
            return None
        place = _LEVELS.index(wanted)
        return min(self.efforts, key=lambda known: abs(_LEVELS.index(known) - place), default=None)


def traits_of(model: str) -> ModelTraits:
    """Read a model's name; servers of many vendors put the vendor's before it."""
    vendor, _, name = model.lower().rpartition("/")
    if _OWN.match(name) is not None:
        return _traits_of_openai(name, direct=vendor == "")
    gemini = _GEMINI.match(name)
    if name.startswith("gpt-oss") or (gemini is not None and _version(gemini) >= _FIRST_GEMINI):
        return ModelTraits(efforts=_COMMON)
    if name.startswith("claude-"):
        return ModelTraits(efforts=("none", *_COMMON, "xhigh", "max"))
    return ModelTraits()


def effort_of(budget: int) -> str:
    """Choose the effort for a budget of tokens."""
    return next((effort for limit, effort in _BUDGETS if budget <= limit), "high")


def _traits_of_openai(name: str, *, direct: bool) -> ModelTraits:
    """Read the name of one of OpenAI's models; `direct` says that no other vendor's server stands before it."""
    gpt = _GPT.match(name)
    if gpt is None and not name.startswith("o"):
        return ModelTraits(takes_thoughts=False)  # it does not think
    efforts: tuple[str, ...] = _COMMON
    generation = (0, 0) if gpt is None else _version(gpt)
    if "-chat" in name:
        efforts = ()
    elif generation >= _FIRST_TO_SWITCH_OFF:
        further = ("xhigh",) * (generation >= _FIRST_WITH_XHIGH)
        further += ("max",) * (generation >= _FIRST_WITH_MAX)
        efforts = ("none", *_COMMON, *further)
    elif gpt is not None:
        efforts = ("minimal", *_COMMON)
    return ModelTraits(
        efforts=efforts,
        limit="max_completion_tokens",
        takes_thoughts=False,
        thinks_beside_tools=not direct or not efforts or generation < _FIRST_WITH_XHIGH,
    )


def _version(found: re.Match[str]) -> tuple[int, int]:
    return int(found[1]), int(found[2] or 0)
