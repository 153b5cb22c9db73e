"""Verdict: the rating in what a judge answered.

Models write JSON, JSON in a fence, JSON with prose around it, or `Score: 4/5`; all of these are
read. It knows texts. Invariant: a rating that is not between 1 and 5 is none, and nothing is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

LOWEST: Final = 1
HIGHEST: Final = 5
_LONGEST_REASON: Final = 500
_MOST_OBJECTS: Final = 200
_SAID: Final = re.compile(
    r"\b(?:overall )?(?:score|rating)\b[\s:*_=\"'-]{1,10}([1-5](?:\.0+)?)(?:\s?/\s?5)?(?![\d.,/]\d|\d)",
    re.IGNORECASE,
)
_SCORE: Final = re.compile(r"\s*([1-5])(?:\.0+)?\s*(?:/\s*5)?\s*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rating from 1 (bad) to 5, None where the judge gave none; `reason` in the judge's words."""

    score: int | None
    reason: str


def read_verdict(answer: str) -> Verdict:
    """Read a judge's answer; the last rating in it counts."""
    found = None
    for value in _objects(answer):
        score = _score(value.get("score", value.get("rating")))
        if score is not None:
            reason = value.get("reason")
            found = Verdict(score, str(reason or "")[:_LONGEST_REASON])
    if found is not None:
        return found
    said = _SAID.findall(answer)
    return Verdict(_score(said[-1]) if said else None, answer.strip()[:_LONGEST_REASON])


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Find the JSON objects in a text."""
    decoder = json.JSONDecoder()
    at = text.find("{")
    for _ in range(_MOST_OBJECTS):
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield value
        at = text.find("{", end)


def _score(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    match = _SCORE.fullmatch(str(value))
    return int(match[1]) if match else None
