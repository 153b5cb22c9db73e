"""A function call whose arguments Gemini streams value by value, by their JSON paths.

It knows `partialArgs` and `willContinue`, not candidates or parts.
Invariant: no piece is dropped. What cannot be placed stays in `partialArgs`, and `exact` turns
False.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

from dolphin_logger.dialects._growth import Text, keep_last, settle

_SEGMENT: Final = re.compile(
    r"""\.([^.\[\]'"]+)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""", re.DOTALL
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_DEEPEST: Final = 50
_VALUES: Final = ("stringValue", "numberValue", "boolValue", "nullValue")


class StreamedCall:
    """One `functionCall` part that grows.

    Attributes:
        open: False when its last event said that nothing follows.
    """

    __slots__ = ("_args", "_body", "_expects_more", "_leftover", "_part", "exact", "open")

    def __init__(self, part: dict[str, Any]) -> None:
        self.exact = True
        self.open = True
        self._part: dict[str, Any] = {"functionCall": None}
        self._body: dict[str, Any] = {}
        self._args: dict[str, Any] = {}
        self._leftover: list[Any] = []
        self._expects_more = True
        self.merge(part)

    @staticmethod
    def begins(part: dict[str, Any]) -> bool:
        """Say whether a part is the beginning of a call that is streamed."""
        body = part.get("functionCall")
        return isinstance(body, dict) and (
            body.get("willContinue") is True or "partialArgs" in body
        )

    def continues(self, part: dict[str, Any]) -> bool:
        """Say whether a part carries this call on."""
        body = part.get("functionCall")
        if not self.open or not isinstance(body, dict):
            return False
        name, id_ = body.get("name"), body.get("id")
        if id_ and self._body.get("id") and id_ != self._body["id"]:
            return False
        return not name or (name == self._body.get("name") and self._expects_more)

    def merge(self, part: dict[str, Any]) -> None:
        """Take a part of this call."""
        for key, value in part.items():
            if key != "functionCall":
                self.exact &= keep_last(self._part, key, value)
        body = part["functionCall"]
        for key, value in body.items():
            if key == "partialArgs":
                self._place_all(value)
            elif key == "args" and isinstance(value, dict):
                self.exact &= keep_last({"args": self._args}, "args", value)
            elif key != "willContinue":
                self.exact &= keep_last(self._body, key, value)
        self._expects_more = body.get("willContinue") is True
        if not body or body.get("willContinue") is False:
            self.open = False

    def result(self) -> dict[str, Any]:
        """Give the part as a plain answer has it."""
        body = {**self._body, "args": settle(self._args)}
        if self._leftover:
            body["partialArgs"] = self._leftover
        if self._expects_more:  # it was cut
            body["willContinue"] = True
            self.exact = False
        return {**self._part, "functionCall": body}

    def _place_all(self, entries: Any) -> None:
        for entry in entries if isinstance(entries, list) else [entries]:
            if entry is not None and not self._place(entry):
                self._leftover.append(entry)
                self.exact = False

    def _place(self, entry: Any) -> bool:
        """Set or lengthen one value; False when there is no such place."""
        path = _parse(entry.get("jsonPath")) if isinstance(entry, dict) else None
        if path is None or not entry.keys() <= {"jsonPath", "willContinue", *_VALUES}:
            return False
        keys = [key for key in _VALUES if key in entry]
        if len(keys) > 1 or (keys == ["stringValue"] and not isinstance(entry[keys[0]], str)):
            return False
        if not keys:
            return True  # it only says whether more follows
        value = None if keys == ["nullValue"] else entry[keys[0]]
        target: Any = self._args
        for key, following in pairwise(path):
            empty: Any = [] if isinstance(following, int) else {}
            if not _can_hold(target, key):
                return False
            if isinstance(target, list) and key == len(target):
                target.append(empty)
            elif isinstance(target, dict):
                target.setdefault(key, empty)
            target = target[key]
        return self._set(target, path[-1], value)

    def _set(self, target: Any, key: str | int, value: Any) -> bool:
        if not _can_hold(target, key):
            return False
        is_new = key == len(target) if isinstance(target, list) else key not in target
        grown = Text((value,)) if isinstance(value, str) else value
        if is_new:
            if isinstance(target, list):
                target.append(grown)
            else:
                target[key] = grown
        elif isinstance(value, str) and isinstance(target[key], Text):
            target[key].append(value)
        elif target[key] != value:
            return False
        return True


def _can_hold(target: Any, key: str | int) -> bool:
    if isinstance(target, list):
        return isinstance(key, int) and key <= len(target)
    return isinstance(target, dict) and isinstance(key, str)


def _parse(path: Any) -> list[str | int] | None:
    """Read a JSON path (RFC 9535) of names and indices; None when it is anything else."""
    if not isinstance(path, str) or not path.startswith("$"):
        return None
    segments: list[str | int] = []
    place = 1
    while place < len(path):
        match = _SEGMENT.match(path, place)
        if match is None or len(segments) == _DEEPEST:
            return None
        name, index, *quoted = match.groups()
        if index is not None:
            segments.append(int(index))
        else:
            segments.append(name or _ESCAPE.sub(r"\1", quoted[0] or quoted[1] or ""))
        place = match.end()
    return segments or None
