"""Values that grow while a stream runs, and what becomes of them at its end.

Providers send strings in pieces, lists by `index` and labels again and again. Pieces are kept in
lists and joined once: adding to a string per token would be quadratic. It knows no dialect.
Invariant: where two values contradict each other, one stays and the contradiction is reported, so
that the caller can keep the raw bytes.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

# A value of more pieces than this was not sent whole; to look again would be quadratic.
_FEW: Final = 3


class Growing(Protocol):
    """Something that takes one more string."""

    def append(self, piece: str, /) -> None:
        """Take the next piece."""
        ...


class Text(list[str]):
    """A string in pieces."""

    __slots__ = ()

    def join(self) -> str:
        """Put the pieces together, and surrogate pairs that were cut between two of them."""
        text = "".join(self)
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return text


class UnknownText(Text):
    """The pieces of a string with an unknown meaning: all alike it was a label, else a text."""

    __slots__ = ()

    def append(self, piece: str, /) -> None:
        """Take the next piece; a label that is sent again costs no memory."""
        if len(self) != 1 or piece != self[0]:
            list.append(self, piece)


class Label:
    """A string that is complete each time it comes; the first one counts."""

    __slots__ = ("exact", "value")

    def __init__(self) -> None:
        self.value = ""
        self.exact = True

    def append(self, piece: str, /) -> None:
        """Take it again; another one than before is a contradiction."""
        if piece and piece != self.value:
            if self.value:
                self.exact = False
            else:
                self.value = piece


class Entries:
    """A list of objects that grow: by their `index`, or, without one, by following on.

    `texts` names the keys whose strings come in pieces. The same `index` with another `type` or
    another `id` is another entry.
    """

    __slots__ = ("_open", "_texts", "entries", "exact")

    _SENT_ONCE: Final = frozenset(("signature", "data"))

    def __init__(self, *, texts: frozenset[str]) -> None:
        self.entries: list[Any] = []
        self.exact = True
        self._texts = texts
        self._open: dict[tuple[object, ...], dict[str, Any]] = {}

    def merge(self, values: list[Any]) -> None:
        """Take the entries of one event."""
        for value in values:
            if isinstance(value, dict):
                self._grow(self._find(value), value)
            else:
                self.entries.append(value)
                self.exact = False

    def _find(self, value: dict[str, Any]) -> dict[str, Any]:
        kind, name = (
            found if isinstance(found := value.get(key), str) else None for key in ("type", "id")
        )
        index = value.get("index")
        if type(index) is not int:
            return self._last_of(kind, value) or self._begin()
        entry = self._open.get((index, kind, name)) if name else None
        entry = entry or self._open.get((index, kind) if kind else (index,))
        if entry is None or (name and entry.get("id") and entry["id"] != name):
            entry = self._begin()
        self._open[(index,)] = self._open[(index, kind)] = entry
        if name:
            self._open[(index, kind, name)] = entry
        return entry

    def _last_of(self, kind: str | None, value: dict[str, Any]) -> dict[str, Any] | None:
        """Find what an entry without an index carries on: the last one, until it has its signature."""
        last = self.entries[-1] if self.entries else None
        follows_on = (
            isinstance(last, dict)
            and last.get("type") == kind
            and "index" not in last
            and not has_begun(last.get("signature"))
            and "data" not in value
            and any(key in self._texts for key in value)
        )
        return last if follows_on else None

    def _begin(self) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        self.entries.append(entry)
        return entry

    def _grow(self, entry: dict[str, Any], value: dict[str, Any]) -> None:
        for key, part in value.items():
            if key not in self._texts or not isinstance(part, str):
                self.exact &= keep_last(entry, key, part)
                continue
            current = entry.get(key)
            if current is None:
                entry[key] = Text((part,))
            elif not isinstance(current, Text):
                self.exact = False
            elif not (key in self._SENT_ONCE and len(current) <= _FEW and part == current.join()):
                current.append(part)


def has_begun(value: object) -> bool:
    """Say whether a value, or a text that grows, holds anything yet."""
    return any(value) if isinstance(value, Text) else bool(value)


def is_empty(value: object) -> bool:
    """Say whether a value says nothing: null, "", [] or {}."""
    return value is None or (not value and isinstance(value, str | list | dict))


def keep_last(target: dict[str, Any], key: str, value: Any) -> bool:
    """Set a key to the last value that says something, objects key by key.

    Returns:
        False when a different value was there before.
    """
    current = target.get(key)
    if isinstance(current, dict) and isinstance(value, dict):
        exact = True
        for inner, part in value.items():
            exact &= keep_last(current, inner, part)
        return exact
    if isinstance(current, Text | Entries):
        return is_empty(value)
    if is_empty(current):
        if value is not None or key not in target:
            target[key] = value
        return True
    if current == value or is_empty(value):
        return True
    target[key] = value
    return False


def settle(value: Any) -> Any:
    """Turn what has grown into plain JSON values."""
    if isinstance(value, UnknownText):
        return value[0] if len(set(value)) == 1 else value.join()
    if isinstance(value, Text):
        return value.join()
    if isinstance(value, Label):
        return value.value
    if isinstance(value, Entries):
        return [settle(entry) for entry in value.entries]
    if isinstance(value, dict):
        return {key: settle(part) for key, part in value.items()}
    if isinstance(value, list):
        return [settle(part) for part in value]
    return value


def is_exact(value: Any) -> bool:
    """Say whether nothing that grew contradicted itself; looks at one level."""
    return not isinstance(value, Label | Entries) or value.exact
