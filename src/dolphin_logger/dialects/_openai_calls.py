"""Tool calls and the older function call of a streamed chat completion.

It knows how providers number their calls (by `index`, by position, always 0, not at all) and not
what a call means: arguments stay text, because models write invalid JSON and that is data.
Invariant: no piece of arguments is lost; where two readings are possible, `exact` is False.
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from dolphin_logger.dialects._growth import Text, has_begun, keep_last, settle

_BODIES: Final = {"function": "arguments", "custom": "input"}
_FEW: Final = 8  # arguments in more pieces than this were not sent whole
_KNOWN: Final = frozenset(("type", "extra_content"))


class Body:
    """The `function` or `custom` object of a call: a name, and one text in pieces."""

    __slots__ = ("_text_key", "exact", "fields", "text")

    def __init__(self, *, text_key: str) -> None:
        self._text_key = text_key
        self.fields: dict[str, Any] = {}
        self.text: Text | None = None
        self.exact = True

    def merge(self, value: dict[str, Any]) -> None:
        """Take the next piece."""
        for key, part in value.items():
            if part is None:
                self.fields.setdefault(key, None)
            elif key == self._text_key:
                self._add_text(part)
            elif key == "name" and isinstance(part, str):
                self._add_name(part)
            else:
                keep_last(self.fields, key, part)
                self.exact = False

    def is_complete(self) -> bool:
        """Say whether the text came whole: few pieces that are one JSON value."""
        if not self.text or len(self.text) > _FEW:
            return False
        try:
            orjson.loads("".join(self.text))
        except orjson.JSONDecodeError:
            return False
        return True

    def result(self) -> dict[str, Any]:
        """Say what has been received, the text joined."""
        return {key: settle(part) for key, part in self.fields.items()}

    def _add_text(self, part: Any) -> None:
        if not isinstance(part, str):
            part = json.dumps(part)
            self.exact = False
        if self.text is None:
            self.text = self.fields[self._text_key] = Text()
        self.text.append(part)

    def _add_name(self, part: str) -> None:
        current = self.fields.get("name")
        if not current:
            self.fields["name"] = part
        elif part not in ("", current):
            self.fields["name"] = current + part
            self.exact = False


class Call:
    """One tool call."""

    __slots__ = ("bodies", "exact", "fields", "id", "order")

    def __init__(self, *, order: int) -> None:
        self.order = order
        self.id = ""
        self.fields: dict[str, Any] = {}
        self.bodies: dict[str, Body] = {}
        self.exact = True

    @property
    def name(self) -> str:
        """The name of the tool; empty while unknown."""
        return next(
            (body.fields["name"] for body in self.bodies.values() if body.fields.get("name")), ""
        )

    def has_text(self) -> bool:
        """Say whether arguments have begun to arrive."""
        return any(has_begun(body.text) for body in self.bodies.values())

    def is_complete(self) -> bool:
        """Say whether the arguments are one whole JSON value."""
        return any(body.is_complete() for body in self.bodies.values())

    def merge(self, entry: dict[str, Any]) -> None:
        """Take the next piece."""
        for key, value in entry.items():
            if key == "index":
                continue
            if key in _BODIES and isinstance(value, dict):
                body = self.bodies.get(key)
                if body is None:
                    body = self.bodies[key] = Body(text_key=_BODIES[key])
                    self.fields[key] = None
                body.merge(value)
            elif key == "id" and isinstance(value, str):
                self.id = self.fields["id"] = value or self.id
            elif not keep_last(self.fields, key, value) or (
                value is not None and key not in _KNOWN
            ):
                self.exact = False

    def result(self) -> dict[str, Any]:
        """Say what has been received, as a plain answer carries it: without `index`."""
        return {
            key: self.bodies[key].result() if key in self.bodies else value
            for key, value in self.fields.items()
        }


class ToolCalls:
    """All tool calls of one choice."""

    __slots__ = ("_by_id", "_by_index", "_calls", "exact")

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._by_index: dict[int, Call] = {}
        self._by_id: dict[tuple[int | None, str], Call] = {}
        self.exact = True

    def merge(self, entries: list[Any]) -> None:
        """Take the entries of one event."""
        for position, entry in enumerate(entries):
            if not isinstance(entry, dict):
                self.exact = False
                continue
            index, name = entry.get("index"), entry.get("id")
            if type(index) is not int:
                self.exact &= index is None
                index = None
            name = name if isinstance(name, str) else ""
            call = self._find(entry, index=index, name=name, position=position)
            if call is None:
                call = Call(order=len(self._calls) if index is None else index)
                self._calls.append(call)
            call.merge(entry)
            if index is not None:
                self._by_index[index] = call
            if name:
                self._by_id[index, name] = self._by_id[None, name] = call

    def result(self) -> list[dict[str, Any]]:
        """List the calls in the order of their index."""
        return [call.result() for call in sorted(self._calls, key=lambda call: call.order)]

    def is_exact(self) -> bool:
        """Say whether every piece had one possible place."""
        bodies = (body for call in self._calls for body in call.bodies.values())
        return (
            self.exact
            and all(call.exact for call in self._calls)
            and all(body.exact for body in bodies)
        )

    def __bool__(self) -> bool:
        return bool(self._calls)

    def _find(
        self, entry: dict[str, Any], *, index: int | None, name: str, position: int
    ) -> Call | None:
        """Find the call that an entry carries on; None for a new one."""
        if index is None:
            return self._find_without_index(entry, name=name, position=position)
        call = self._by_index.get(index)
        if call is None:
            return None
        if name and call.id and name != call.id:
            return self._by_id.get((index, name))
        if _is_other_tool(entry, call) and call.has_text():
            self.exact &= bool(name)
            return None
        return call

    def _find_without_index(
        self, entry: dict[str, Any], *, name: str, position: int
    ) -> Call | None:
        if not self._calls:
            return None
        last = self._calls[-1]
        if name:
            call = self._by_id.get((None, name)) or (None if last.id else last)
            return None if call is None or _is_other_tool(entry, call) else call
        if not _tool_name(entry):
            return last
        self.exact = False
        if _is_other_tool(entry, last) or position > 0 or last.is_complete():
            return None
        return last


def _tool_name(entry: dict[str, Any]) -> str:
    for key in _BODIES:
        body = entry.get(key)
        if isinstance(body, dict) and isinstance(body.get("name"), str):
            return str(body["name"])
    return ""


def _is_other_tool(entry: dict[str, Any], call: Call) -> bool:
    name = _tool_name(entry)
    return bool(name and call.name and name != call.name)
