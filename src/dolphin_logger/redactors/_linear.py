"""Regular expressions in linear time, over the bytes of a text.

Every pattern is RE2's, so no text can make one slow, and sees bytes as Latin-1, so that any bytes will
do. It does not know what is searched for. Invariant: spans lie inside the text and, seen as characters,
never cut one in two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

_MEMORY: Final = 256 << 20  # bytes for the states of one automaton; it drops old ones when full


def encode(text: str) -> bytes:
    """Give the UTF-8 bytes of any text, one with lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


class Pattern:
    """One regular expression; what it finds is its group 1, or all of it where it has none."""

    __slots__ = ("_compiled", "_group", "_whole")

    def __init__(self, expression: str) -> None:
        import re2  # type: ignore[import-untyped]  # noqa: PLC0415  # slow, and only builds need it

        self._compiled: Any = re2.compile(expression.encode("latin-1"), _options())
        self._whole: Any = None
        self._group = min(1, self._compiled.groups)

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Find every span, from left to right, in bytes."""
        return (match.span(self._group) for match in self._compiled.finditer(data))

    def places(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Find the span of every match; without groups RE2 is much faster."""
        if self._whole is None:
            import re2  # noqa: PLC0415

            self._whole = re2.compile(self._compiled.pattern, _options(never_capture=True))
        return (match.span() for match in self._whole.finditer(data))

    def match(self, place: bytes) -> Any:
        """Match one of the places again, as an object with `span(group)`.

        The expression may not look at what stands around it.
        """
        return self._compiled.fullmatch(place)


class Screen:
    """Many expressions in one automaton: which of them are somewhere in a text."""

    __slots__ = ("_set",)

    def __init__(self, expressions: Iterable[str]) -> None:
        import re2  # noqa: PLC0415

        self._set: Any = re2.Set.SearchSet(_options())
        for expression in expressions:
            self._set.Add(expression.encode("latin-1"))
        self._set.Compile()

    def hits(self, data: bytes) -> list[int]:
        """Give the numbers of the expressions that match, in order."""
        found = self._set.Match(data)
        return sorted(found) if found else []


class Characters:
    """Turns offsets in bytes, asked for in any order, into offsets in characters."""

    __slots__ = ("_at", "_data", "_is_plain", "_known")

    def __init__(self, text: str, data: bytes) -> None:
        self._is_plain = len(text) == len(data)
        self._data = data
        self._at = 0
        self._known = 0

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the characters that the bytes from `start` to `end` touch."""
        if self._is_plain:
            return start, end
        while end < len(self._data) and self._data[end] & 0xC0 == 0x80:
            end += 1
        return self._offset(start), self._offset(end)

    def _offset(self, at: int) -> int:
        while at and at < len(self._data) and self._data[at] & 0xC0 == 0x80:
            at -= 1
        if at >= self._at:
            self._known += _count(self._data[self._at : at])
        else:
            self._known -= _count(self._data[at : self._at])
        self._at = at
        return self._known


def _count(data: bytes) -> int:
    return len(data.decode("utf-8", "surrogatepass"))


@cache
def _options(*, never_capture: bool = False) -> Any:
    import re2  # noqa: PLC0415

    options = re2.Options()
    chosen = {"encoding": options.Encoding.LATIN1, "max_mem": _MEMORY, "log_errors": False}
    chosen["never_capture"] = never_capture
    for name, value in chosen.items():
        setattr(options, name, value)
    return options
